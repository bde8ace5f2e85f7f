//! What can be said on the command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Where a bank listens, and where `load` looks for one, unless told otherwise.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:8080";

/// A bank over HTTP whose accounts are event-sourced entities. Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "bank", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve, when that is not said with a command.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the bank over HTTP until SIGTERM or Ctrl-C
    Serve(ServeArgs),
    /// Drive a bank with many clients, then check every balance
    Load(LoadArgs),
}

/// How to serve.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to listen on; port 0 for any that is free
    #[arg(long, default_value = DEFAULT_ADDRESS, value_name = "HOST:PORT")]
    pub listen: String,
    /// The file that keeps the accounts; it is created if there is none
    #[arg(long, default_value = "bank.db", value_name = "FILE")]
    pub database: PathBuf,
}

/// How to drive.
#[derive(Clone, Debug, Args)]
pub struct LoadArgs {
    /// The bank [default: http://127.0.0.1:8080, and if nothing listens there, one of its own]
    #[arg(long)]
    pub url: Option<String>,
    /// How many clients send at the same time, each one request after the other
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub clients: u32,
    /// How many accounts to open and use
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub accounts: u32,
    /// How long to drive
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub seconds: u32,
    /// Which commands to send; the same seed gives the same ones [default: a random one]
    #[arg(long)]
    pub seed: Option<u64>,
}
