use crate::drive::Window;
use clap::Parser;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Measures the engine beside its limits, in rounds, and prints the medians as one table.
///
/// Every round measures every row once, limits and subjects in turn; a ratio is the median of the ratios of the rounds,
/// so what disturbs a whole round disturbs both sides of it.
#[derive(Clone, Debug, Parser)]
pub(crate) struct Arguments {
    /// How often every row is measured
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: u32,
    /// How long a row is measured, after a warm-up of a third of that
    #[arg(long, default_value_t = 1.0)]
    pub(crate) seconds: f64,
    /// Only rows with all of these words, and the limits they need: persist, query, flight, catch, exact, live, idle, projected, remote, memory, sqlite, postgres, l1
    /// (lanes, or connections), c1000 (callers), e10000 (entities), held (prefilled); repeat it for more rows
    #[arg(long)]
    pub(crate) only: Vec<String>,
    /// One short round of fewer rows
    #[arg(long)]
    pub(crate) quick: bool,
    /// Also writes the table to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Entities that the journals of the prefilled rows hold already; 0 leaves these rows out
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) prefill: u32,
    /// Where SQLite files and the data of a private PostgreSQL are put while they are measured: must be on a disk
    #[arg(long, default_value_os_t = disk())]
    pub(crate) directory: PathBuf,
    /// A PostgreSQL to measure instead of a private one; its user may create databases
    #[arg(long, value_name = "URL")]
    pub(crate) postgres_url: Option<String>,
    /// Milliseconds that each fsync and fdatasync of the private PostgreSQL takes longer, as on a networked disk; takes a
    /// C compiler
    #[arg(long = "fsync-delay-ms", value_name = "MS", default_value = "0", value_parser = millis)]
    pub(crate) fsync_delay: Duration,
    /// Milliseconds that each round trip to PostgreSQL takes longer, for the engine and for what it is held against
    #[arg(long = "rtt-ms", value_name = "MS", default_value = "0", value_parser = millis)]
    pub(crate) rtt: Duration,
    /// After how many tasks a worker of tokio takes one from the queue that all workers share; 0 leaves that to tokio,
    /// which may let tasks in that queue starve while workers wake each other's
    #[arg(long, value_name = "TASKS", default_value_t = 2)]
    pub(crate) queue_interval: u32,
    /// Measures memory and says so on one line: what the table's own process starts
    #[arg(long, hide = true, value_name = "idle|written")]
    pub(crate) memory_probe: Option<String>,
    /// Serves what is called from the process that has started this one
    #[arg(long, hide = true, value_name = "WHAT")]
    pub(crate) serve_remote: Option<String>,
}

impl Arguments {
    pub(crate) fn rounds(&self) -> u32 {
        if self.quick { 1 } else { self.rounds.max(1) }
    }

    pub(crate) fn window(&self) -> Window {
        let measured = Duration::from_secs_f64(self.seconds.clamp(0.05, 3_600.0));
        let measured = if self.quick { measured.min(Duration::from_millis(300)) } else { measured };
        Window { warm_up: measured / 3, measured }
    }

    /// Whether PostgreSQL is slower or farther away than it is.
    pub(crate) fn delays(&self) -> bool {
        !self.fsync_delay.is_zero() || !self.rtt.is_zero()
    }

    /// How many entities the prefilled journals hold, if there are to be any.
    pub(crate) fn prefill(&self) -> Option<u32> {
        (self.prefill > 0 && !self.quick).then_some(self.prefill)
    }
}

fn millis(text: &str) -> Result<Duration, String> {
    let millis: f64 = text.parse().map_err(|_| "a number of milliseconds".to_owned())?;
    let seconds = (0.0..=1_000.0).contains(&millis).then_some(millis / 1e3);
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "0 to 1,000 milliseconds".to_owned())
}

/// The directory for temporary files is often in memory; this one is not.
fn disk() -> PathBuf {
    let kept = Path::new("/var/tmp");
    if kept.is_dir() { kept.to_owned() } else { std::env::temp_dir() }
}
