//! The steps of a run and how long each took.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

/// How a step ended that did not fail.
#[derive(Debug)]
pub enum Outcome {
    /// It did its work.
    Done,
    /// It could not do it on this machine, for the reason given.
    Skipped(String),
}

/// The steps so far, in order. Shown as a table with a total.
#[derive(Debug, Default)]
pub struct Timeline(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    step: &'static str,
    took: Duration,
    remark: String,
}

impl Timeline {
    /// Runs one step under a heading and notes how long it took, whether or not it fails.
    ///
    /// # Errors
    /// The step's own, with its name.
    pub fn step(
        &mut self,
        step: &'static str,
        work: impl FnOnce() -> Result<Outcome>,
    ) -> Result<()> {
        eprintln!("\n==> {step}");
        let start = Instant::now();
        let outcome = work();
        let remark = match &outcome {
            Ok(Outcome::Done) => String::new(),
            Ok(Outcome::Skipped(reason)) => format!("SKIPPED: {reason}"),
            Err(_) => "FAILED".to_owned(),
        };
        self.0.push(Entry { step, took: start.elapsed(), remark });
        outcome.map(drop).context(step)
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Entry { step, took, remark } in &self.0 {
            let line = format!("{:>8.1} s  {step:<16} {remark}", took.as_secs_f64());
            writeln!(f, "{}", line.trim_end())?;
        }
        let total: Duration = self.0.iter().map(|entry| entry.took).sum();
        write!(f, "{:>8.1} s  total", total.as_secs_f64())
    }
}
