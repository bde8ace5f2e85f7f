//! The program `bank`.

use anyhow::{Context, Result, anyhow, bail};
use bank::{
    cli::{Cli, Command},
    cluster_demo, load, migrate, project, projections, serve,
};
use clap::Parser;
use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = runtime().and_then(|runtime| runtime.block_on(run(cli)));
    outcome.unwrap_or_else(|error| {
        // nothing is left to do if that cannot be written
        let _ = writeln!(io::stderr(), "bank: {error:#}");
        ExitCode::FAILURE
    })
}

/// As `#[tokio::main]` makes it, but for one setting.
fn runtime() -> Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    // tokio's own choice lets tasks starve in the queue that its workers share, see "The tokio runtime" in `actum`
    builder.enable_all().global_queue_interval(2);
    builder.build().context("the tokio runtime does not start")
}

async fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => {
            log_from(LevelFilter::INFO)?;
            serve::run(&args).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Cluster(args) => {
            log_from(LevelFilter::WARN)?;
            let is_right = cluster_demo::run(&args, &mut io::stdout()).await?;
            Ok(if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Project(args) => {
            log_from(LevelFilter::INFO)?;
            project::run(&args).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Projections(args) => {
            log_from(LevelFilter::WARN)?;
            projections::run(&args, &mut io::stdout()).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Migrate(args) => {
            log_from(LevelFilter::WARN)?;
            let up_to_date = migrate::run(&args, &mut io::stdout()).await?;
            Ok(if up_to_date { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Load(args) => {
            log_from(LevelFilter::WARN)?; // its own bank should not talk into the progress
            let mut out = io::stdout();
            let verdict = tokio::select! {
                verdict = load::run(&args, &mut out) => verdict?,
                _ = tokio::signal::ctrl_c() => bail!("interrupted, nothing was checked"),
            };
            Ok(if verdict.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

/// Writes logs to stderr: what `RUST_LOG` says, and everything from `level` on where it says nothing.
fn log_from(level: LevelFilter) -> Result<()> {
    let filter = EnvFilter::builder().with_default_directive(level.into()).from_env();
    // its sources repeat what it says
    let filter = filter.map_err(|error| anyhow!("RUST_LOG cannot be read: {error}"))?;
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(filter)
        .init();
    Ok(())
}
