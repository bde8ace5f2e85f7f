//! What can be said on the command line.

use crate::{database::Database, read_models::ProjectionPace, statements::Zone};
use clap::{Args, Parser, Subcommand};
use std::{ffi::OsString, num::NonZeroU16, path::PathBuf, time::Duration};

/// Where a bank listens, and where `load` looks for one, unless set otherwise.
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
    pub serve: Box<ServeArgs>,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the bank over HTTP until SIGTERM or Ctrl-C
    Serve(Box<ServeArgs>),
    /// Share the work on the list and the statements with a bank that serves the same database, until SIGTERM or Ctrl-C
    Project(ProjectArgs),
    /// Start several banks on this machine as a cluster, under load, with a view of who owns what and keys that harm them
    Cluster(ClusterDemoArgs),
    /// Drive a bank with many clients, then check every balance
    Load(LoadArgs),
    /// Show how far the projections of a bank are, and rebuild, replay, divide, pause or resume one
    Projections(ProjectionsArgs),
    /// Bring a PostgreSQL database up to date, ahead of the banks that will use it
    Migrate(MigrateArgs),
}

/// How to serve.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to listen on; port 0 for any that is free
    #[arg(long, default_value = DEFAULT_ADDRESS, value_name = "HOST:PORT")]
    pub listen: String,
    /// Where the accounts are kept.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// How long a bank that dies keeps the next one out of its PostgreSQL database: 100ms to 1day. The shorter, the sooner
    /// a bank that was only stalled is taken for dead
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub writer_lease: Duration,
    /// How the list and the statements are kept.
    #[command(flatten)]
    pub projections: PaceArgs,
    /// Wait for ever while another bank holds the database, and take over when it ends
    #[arg(long, conflicts_with = "cluster_listen")]
    pub standby: bool,
    /// How to serve as one of several banks.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// How to serve as one of several banks over one database, which share its accounts.
#[derive(Clone, Debug, Default, Args)]
pub struct ClusterArgs {
    /// Serve as a node of a cluster: the address at which the other nodes reach this one; port 0 for any that is free. Beyond
    /// this machine it needs certificates and a secret
    #[arg(long, value_name = "HOST:PORT")]
    pub cluster_listen: Option<String>,
    /// The name of this node, the same whenever it is started [default: its address]
    #[arg(long, value_name = "NAME", requires = "cluster_listen")]
    pub cluster_node: Option<String>,
    /// Where other nodes reach this one, where that is not the address it listens on
    #[arg(long, value_name = "HOST:PORT", requires = "cluster_listen")]
    pub cluster_advertised: Option<String>,
    /// After how long a node that is silent is removed: 300ms to 1day, the same for all nodes
    #[arg(long, default_value = "3s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub cluster_lease: Duration,
    /// The version of the application that this node runs, such as 1.4.2: newer nodes are preferred in a rolling update
    #[arg(long, value_name = "VERSION", requires = "cluster_listen")]
    pub cluster_version: Option<String>,
    /// A file with the secret that all nodes of the cluster know, 16 bytes or more
    #[arg(long, value_name = "FILE", requires = "cluster_listen")]
    pub cluster_secret: Option<PathBuf>,
    /// A file with the certificate of this node, as PEM
    #[arg(long, value_name = "FILE", requires_all = ["cluster_key", "cluster_authorities", "cluster_secret"])]
    pub cluster_certificate: Option<PathBuf>,
    /// A file with the key of the certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "cluster_certificate")]
    pub cluster_key: Option<PathBuf>,
    /// A file with the certificates of those who may have signed the certificates of other nodes, as PEM
    #[arg(long, value_name = "FILE", requires = "cluster_certificate")]
    pub cluster_authorities: Option<PathBuf>,
    /// The name that the certificates of other nodes are for [default: the host of their address]
    #[arg(long, value_name = "NAME", requires = "cluster_certificate")]
    pub cluster_peer_name: Option<String>,
    /// Do not encrypt what nodes send each other, also beyond this machine: for a network that only they can use
    #[arg(long, requires = "cluster_secret", conflicts_with = "cluster_certificate")]
    pub cluster_plaintext: bool,
}

/// How the list and the statements are kept.
#[derive(Debug, Args)]
pub struct PaceArgs {
    /// How long the list and the statements gather orders for one transaction; at most 1minute. The shorter, the sooner they
    /// show them, and the more of the database they take
    #[arg(long, default_value = "20ms", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub projection_interval: Duration,
    /// Into how many segments the list and the statements are divided each, which are shared by the processes that keep them, see
    /// `bank project`. It counts when they begin in a database; later, divide them with `bank projections divide`
    #[arg(long, default_value_t = 1, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub projection_segments: u16,
    /// How long a process that dies or hangs keeps its share of the list and the statements: 300ms to 1h. The shorter, the sooner
    /// others take over, and the sooner one that was only stalled is taken for dead
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub projection_lease: Duration,
    /// The time zone of the totals per day, such as Europe/Zurich
    #[arg(long, default_value_t = Zone::UTC, value_name = "ZONE")]
    pub zone: Zone,
}

impl PaceArgs {
    /// How projections run.
    #[must_use]
    pub fn pace(&self) -> ProjectionPace {
        ProjectionPace {
            interval: self.projection_interval,
            segments: self.projection_segments,
            lease: self.projection_lease,
        }
    }
}

/// What to show of a cluster.
#[derive(Debug, Args)]
pub struct ClusterDemoArgs {
    /// Where the accounts are kept.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// How many banks to start
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub nodes: u8,
    /// How many clients send orders at the same time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub clients: u32,
    /// How many accounts to use
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub accounts: u32,
    /// End after so many seconds, without being asked
    #[arg(long)]
    pub seconds: Option<u32>,
}

/// What to keep the list and the statements of.
#[derive(Debug, Args)]
pub struct ProjectArgs {
    /// Where the accounts are kept.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// How the list and the statements are kept.
    #[command(flatten)]
    pub projections: PaceArgs,
}

/// Where accounts are kept.
#[derive(Debug, Args)]
pub struct DatabaseArgs {
    /// A file, which is created if there is none, or postgres://USER@HOST/DATABASE. The variable PGPASSWORD holds a
    /// password better than the URL, which everybody on the machine can see
    #[arg(long, default_value = "bank.db", value_name = "FILE|URL")]
    pub database: Database,
    /// The schema that is the journal, of a PostgreSQL database [default: actum]
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// The PostgreSQL database is reached through a proxy that pools by transaction, such as PgBouncer
    #[arg(long)]
    pub transaction_pooling: bool,
}

impl DatabaseArgs {
    /// The same for another process.
    #[must_use]
    pub fn as_args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec!["--database".into(), self.database.to_arg()];
        if let Some(schema) = &self.schema {
            args.extend(["--schema".into(), schema.into()]);
        }
        if self.transaction_pooling {
            args.push("--transaction-pooling".into());
        }
        args
    }
}

/// What to do with projections.
#[derive(Debug, Args)]
pub struct ProjectionsArgs {
    /// The bank
    #[arg(long, default_value = "http://127.0.0.1:8080", global = true)]
    pub url: String,
    /// What to do.
    #[command(subcommand)]
    pub action: Option<ProjectionsAction>,
}

/// What can be done with projections.
#[derive(Debug, Subcommand)]
pub enum ProjectionsAction {
    /// List them: state, lag, rate (the default)
    List,
    /// Remove what one has written and build it again from the journal
    Rebuild {
        /// Its name
        name: String,
    },
    /// Handle again what one could not handle: its parked accounts and dead letters
    Replay {
        /// Its name
        name: String,
    },
    /// Divide one into so many segments, which are handled in parallel; it stays so when the bank starts again
    Divide {
        /// Its name
        name: String,
        /// How many: 1 or more, at most as many as the journal has partitions: 256 in a journal that the bank has made
        #[arg(value_parser = segments)]
        segments: NonZeroU16,
    },
    /// Pause one; it stays so when the bank starts again
    Pause {
        /// Its name
        name: String,
    },
    /// Let one go on that is paused or has stopped
    Resume {
        /// Its name
        name: String,
    },
}

/// What to migrate.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Change nothing: list the migrations, and end with code 1 when some are pending
    #[arg(long)]
    pub check: bool,
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

/// Into how many segments a projection is divided.
fn segments(text: &str) -> Result<NonZeroU16, String> {
    text.parse().map_err(|_| "it must be a whole number from 1 to 65,535".to_owned())
}
