//! `bank serve`: from the command line to a server, and to its end.

use crate::{Bank, Server, cli::ServeArgs, greeting::greet, signals::Signals};
use actum::{
    ShutdownReport,
    settings::{JournalWait, RuntimeSettings},
};
use anyhow::{Context, Result, bail};
use tokio::net::TcpListener;

/// Serves until the process is asked to end, another bank has taken over the journal, or the journal is lost.
///
/// # Errors
/// When the address or the database cannot be had, and when the end was not a clean one.
pub async fn run(args: &ServeArgs) -> Result<()> {
    let mut signals = Signals::listen().context("cannot listen to signals")?;
    let listener = TcpListener::bind(&args.listen).await;
    let listener = listener
        .with_context(|| format!("cannot listen on {} (--listen names another)", args.listen))?;
    // in this order: who waits for a journal must not keep a process that is asked to end
    let (bank, place) = tokio::select! {
        biased;
        signal = signals.next() => {
            tracing::info!(signal, "ended before it served");
            return Ok(());
        }
        opened = open(args) => opened?,
    };
    let server = Server::start(bank.clone(), listener)?;
    // the process that started the bank may not be reading; that is no reason to end
    let _ = greet(&format!("http://{}", server.address()), &place);

    let mut lost = None;
    tokio::select! {
        signal = signals.next() => tracing::info!(signal, "stopping"),
        () = bank.fenced() => tracing::error!("stopping, another bank has taken over"),
        error = bank.lost() => lost = Some(error),
    }
    let report = stop(server, &mut signals).await?;
    if bank.is_fenced() {
        bail!(
            "another bank has taken over {place}: what is acknowledged is safe, this one had to end"
        );
    }
    if let Some(error) = lost {
        bail!("{error}: nothing was acknowledged since, this bank had to end");
    }
    if !report.is_clean() {
        bail!("not everything could be finished: {report:?}");
    }
    Ok(())
}

/// Opens the journal and starts a bank on it; says where it is, too.
async fn open(args: &ServeArgs) -> Result<(Bank, String)> {
    let (stores, read_models, place) = args.database.open(args.projections.zone.clone()).await?;
    let wait = if args.standby { JournalWait::Forever } else { JournalWait::default() };
    let settings =
        RuntimeSettings::default().with_writer_lease(args.writer_lease).with_journal_wait(wait);
    let read_models = Some((read_models, args.projections.pace()));
    let bank = Bank::start_node(stores, read_models, settings, args.cluster.cluster()?).await;
    let bank = bank.with_context(|| format!("cannot use {place}"))?;
    Ok((bank, place))
}

async fn stop(server: Server, signals: &mut Signals) -> Result<ShutdownReport> {
    tokio::select! {
        biased; // a clean end counts, even if a second signal comes at the same time
        report = server.stop() => Ok(report),
        signal = signals.next() => bail!("{signal} again: ended without waiting"),
    }
}
