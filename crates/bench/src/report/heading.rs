use crate::{arguments::Arguments, machine::Machine};

/// What must be known to read the table.
pub(crate) fn heading(machine: &Machine, postgres: Option<&str>, arguments: &Arguments) -> String {
    let Machine { cores, processor, system, commit, file_system } = machine;
    let (window, rounds) = (arguments.window(), arguments.rounds());
    let postgres = postgres.map_or_else(String::new, |postgres| format!("{postgres}\n"));
    format!(
        "commit {commit}, {cores} cores of {processor}, {system}, SQLite on {file_system} with synchronous=FULL\n\
         {postgres}medians of {rounds} rounds of {:.1} s after {:.1} s; 2 workers run callers and engine; ractor with `cluster` on\n\
         cpu: µs of all threads of this process for one; batch: events in a transaction; ratio: to the limit of the same round, (of cpu)",
        window.measured.as_secs_f64(),
        window.warm_up.as_secs_f64(),
    )
}
