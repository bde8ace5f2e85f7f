//! What the engine does in a second, beside the limits of what it is built on, measured in the same run.
//!
//! `cargo run --release -p actum-bench` prints one table; `-- --help` says what can be chosen.

mod account;
mod arguments;
mod balances;
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
mod medium;
mod name;
mod plan;
mod postgres;
mod remote;
mod report;
mod round;
mod site;
mod subjects;
mod summary;
mod workload;

use crate::{arguments::Arguments, bench::Bench, case::Case, machine::Machine, postgres::Server};
use anyhow::{Context, Result, ensure};
use clap::Parser;
use std::{env, fs, os::unix::process::CommandExt, path::Path, process::Command};

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    drive::QUEUE_INTERVAL.get_or_init(|| arguments.queue_interval);
    if let Some(probe) = &arguments.memory_probe {
        println!("{}", subjects::memory::probe(probe)?);
        return Ok(());
    }
    if let Some(what) = &arguments.serve_remote {
        return remote::serve(what, &arguments.directory);
    }
    ensure!(!cfg!(debug_assertions), "measure with `cargo run --release -p actum-bench`");
    if env::temp_dir() != arguments.directory {
        return again_in(&arguments.directory);
    }
    let mut cases = plan::cases(&arguments);
    ensure!(!cases.is_empty(), "no row has these words");
    let postgres =
        if cases.iter().any(Case::is_postgres) { Server::start(&arguments)? } else { None };
    if postgres.is_none() {
        cases.retain(|case| !case.is_postgres());
    }
    let about = postgres.as_ref().map(Server::to_string);
    let bench = Bench::new(&arguments, postgres);
    let machine = Machine::look(&arguments.directory);
    let mut rounds = Vec::new();
    for nr in 1..=arguments.rounds() {
        let announce = |name: &_| eprintln!("round {nr} of {}: {name}", arguments.rounds());
        rounds.push(case::measure(&cases, &bench, announce)?);
    }
    drive::two_workers()?.block_on(bench.close())?;
    let rows = summary::rows(&cases, &rounds);
    println!("{}", report::heading(&machine, about.as_deref(), &arguments));
    println!("{}", report::table(&rows));
    if let Some(file) = &arguments.json {
        let json = report::json(&machine, about.as_deref(), &arguments, &rows);
        fs::write(file, json).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

/// Starts this program again, for which `directory` is the one for temporary files: that is where a private server puts
/// its data. Returns only if that fails.
fn again_in(directory: &Path) -> Result<()> {
    let mut again = Command::new(env::current_exe()?);
    again.args(env::args_os().skip(1)).env("TMPDIR", directory);
    Err(again.exec()).context("starting again with another directory for temporary files")
}
