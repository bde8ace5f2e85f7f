//! `bank project`: a process that keeps the list and the statements, together with the bank that serves.

use crate::{cli::ProjectArgs, signals::Signals};
use actum::Engine;
use anyhow::{Context, Result, bail, ensure};
use std::io::{self, Write};

/// Keeps them until the process is asked to end.
///
/// # Errors
/// When the database cannot be had, and when the end was not a clean one.
pub async fn run(args: &ProjectArgs) -> Result<()> {
    let mut signals = Signals::listen().context("cannot listen to signals")?;
    let (stores, read_models, place) = args.database.open(args.projections.zone.clone()).await?;
    let mut engine = Engine::builder("bank-readers").store(stores);
    for projection in read_models.projections(args.projections.pace()) {
        engine = engine.projection(projection);
    }
    let readers = engine.start_readers().await.with_context(|| format!("cannot use {place}"))?;
    // the process that started it may not be reading; that is no reason to end
    let _ = writeln!(io::stdout(), "projecting {place}");
    let signal = signals.next().await;
    tracing::info!(signal, "stopping");
    let late = tokio::select! {
        biased; // a clean end counts, even if a second signal comes at the same time
        late = readers.shutdown() => late,
        signal = signals.next() => bail!("{signal} again: ended without waiting"),
    };
    ensure!(late.is_empty(), "not everything could be finished: {late:?}");
    Ok(())
}
