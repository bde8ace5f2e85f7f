//! The command line of the tasks: `cargo xtask <task>`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use xtask::{bank_smoke, ci, suite, workspace::Workspace};

/// The tasks of the Actum workspace.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Task {
    /// Runs all tests, documentation tests included
    Test {
        /// Handed to `cargo test` in place of `--workspace --all-features`, e.g. `-p actum-model partition`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Runs every check that is not a test: format, lints, documentation, features, dependencies, the example
    Ci,
    /// Starts the bank, banks with it, loads it for 3 seconds and stops it
    BankSmoke,
}

fn main() -> ExitCode {
    run(Task::parse()).unwrap_or_else(|error| {
        // not by returning it from main: that adds a backtrace where RUST_BACKTRACE is set
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(task: Task) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    match task {
        Task::Test { args } => return suite::run(&workspace, &args),
        Task::Ci => ci::run(&workspace)?,
        Task::BankSmoke => bank_smoke::run(&workspace)?,
    }
    Ok(ExitCode::SUCCESS)
}
