//! What the engine does in a second, beside the limits of what it is built on, measured in the same run.
//!
//! `cargo run --release -p actum-bench` prints one table; `-- --help` says what can be chosen.

mod account;
mod arguments;
mod bank;
mod bench;
mod case;
mod counted;
mod cpu;
mod drive;
mod event_rows;
mod journal;
mod limits;
mod machine;
mod measurement;
mod plan;
mod report;
mod round;
mod subjects;
mod summary;

use crate::{arguments::Arguments, bench::Bench, machine::Machine, round::Round};
use anyhow::{Context, Result, ensure};
use clap::Parser;
use std::fs;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(probe) = &arguments.memory_probe {
        println!("{}", subjects::memory::probe(probe)?);
        return Ok(());
    }
    ensure!(!cfg!(debug_assertions), "measure with `cargo run --release -p actum-bench`");
    let cases = plan::cases(&arguments);
    ensure!(!cases.is_empty(), "no row has these words");
    let bench = Bench::new(&arguments);
    let machine = Machine::look(&arguments.directory);
    let mut rounds = Vec::new();
    for nr in 1..=arguments.rounds() {
        let tell = |name: &_| eprintln!("round {nr} of {}: {name}", arguments.rounds());
        rounds.push(Round::run(&cases, &bench, tell)?);
    }
    let rows = summary::rows(&cases, &rounds);
    println!("{}", report::heading(&machine, &arguments));
    println!("{}", report::table(&rows));
    if let Some(file) = &arguments.json {
        let json = report::json(&machine, &arguments, &rows);
        fs::write(file, json).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}
