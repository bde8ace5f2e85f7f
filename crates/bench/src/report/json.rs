use crate::{
    arguments::Arguments,
    machine::Machine,
    medium::Medium,
    name::Name,
    summary::{Held, Row},
};
use serde_json::{Value, json};

/// The table for programs.
pub(crate) fn json(
    machine: &Machine,
    postgres: Option<&str>,
    arguments: &Arguments,
    rows: &[Row],
) -> String {
    let window = arguments.window();
    let all = json!({
        "machine": {
            "cores": machine.cores,
            "processor": machine.processor,
            "system": machine.system,
            "file_system": machine.file_system,
        },
        "postgres": postgres,
        "fsync_delay_ms": arguments.fsync_delay.as_secs_f64() * 1e3,
        "rtt_ms": arguments.rtt.as_secs_f64() * 1e3,
        "commit": machine.commit,
        "rounds": arguments.rounds(),
        "seconds": window.measured.as_secs_f64(),
        "prefill": arguments.prefill(),
        "rows": rows.iter().map(row).collect::<Vec<_>>(),
    });
    format!("{all:#}\n")
}

fn row(row: &Row) -> Value {
    let mut all = name(&row.name);
    all["unit"] = row.unit.word().into();
    all["median"] = row.value.into();
    all["rounds"] = row.rounds.clone().into();
    all["p50_micros"] = row.latency.map(|latency| latency.p50).into();
    all["p99_micros"] = row.latency.map(|latency| latency.p99).into();
    all["cpu_micros"] = row.cpu_micros.into();
    all["batch"] = row.batch.into();
    all["at_most"] = row.at_most.into();
    all["met"] = row.is_met().into();
    all["p99_at_most_micros"] = row.p99_at_most.into();
    all["p99_met"] = row.is_p99_met().into();
    all["beside"] = row.beside.iter().map(held).collect();
    all
}

fn held(held: &Held) -> Value {
    json!({
        "limit": name(&held.limit),
        "median": held.value,
        "ratio": held.ratio,
        "cpu_ratio": held.cpu_ratio,
        "at_least": held.at_least,
        "met": held.is_met(),
    })
}

fn name(name: &Name) -> Value {
    json!({
        "row": name.what,
        "store": name.medium.map(Medium::word),
        "lanes": name.medium.and_then(Medium::lanes),
        "callers": name.callers,
        "entities": name.entities,
        "prefilled": name.held,
    })
}
