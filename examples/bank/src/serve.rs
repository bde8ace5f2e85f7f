//! `bank serve`: from the command line to a server, and to its end.

use crate::{Bank, Server, cli::ServeArgs};
use actum::SqliteStore;
use anyhow::{Context, Result, bail};
use std::{
    io::{self, Write},
    path::Path,
};
use tokio::net::TcpListener;

/// Serves until the process is told to end.
///
/// # Errors
/// When the address or the database cannot be had, and when the end was not a clean one.
pub async fn run(args: &ServeArgs) -> Result<()> {
    let mut signals = Signals::listen().context("cannot listen to signals")?;
    let listener = TcpListener::bind(&args.listen).await;
    let listener = listener
        .with_context(|| format!("cannot listen on {} (--listen names another)", args.listen))?;
    let store = SqliteStore::open(&args.database).await?;
    let bank = Bank::start(store)
        .await
        .with_context(|| format!("cannot use {}", args.database.display()))?;
    let server = Server::start(bank, listener)?;
    // whoever started the bank may not be reading; that is no reason to end
    let _ = greet(&format!("http://{}", server.address()), &args.database);

    let signal = signals.next().await;
    tracing::info!(signal, "stopping");
    let report = tokio::select! {
        biased; // a clean end counts, even if somebody got impatient at the same time
        report = server.stop() => report,
        signal = signals.next() => bail!("{signal} again: ended without waiting"),
    };
    if !report.is_clean() {
        bail!("not everything could be finished: {report:?}");
    }
    Ok(())
}

/// Says where the bank is, and what to try there.
fn greet(url: &str, database: &Path) -> io::Result<()> {
    // not --json: many systems have a curl that is older than that
    let json = "curl -H content-type:application/json";
    let ada = format!("{url}/accounts/ada");
    let mut out = io::stdout().lock();
    write!(
        out,
        "listening on {url}
keeping accounts in {}; Ctrl-C ends the bank

open an account, move money, look at it:
  {json} -d '{{\"owner\":\"Ada\"}}' {ada}
  {json} -d '{{\"amount\":1500}}' {ada}/deposits
  {json} -d '{{\"amount\":400}}' {ada}/withdrawals
  curl {ada}
  curl {ada}/history

send the same deposit twice; it happens once, and is answered the same:
  {json} -d '{{\"amount\":100}}' -H 'Idempotency-Key: gift-1' {ada}/deposits
  {json} -d '{{\"amount\":100}}' -H 'Idempotency-Key: gift-1' {ada}/deposits

kill this process in the midst of load from another terminal, and start it again:
  cargo run --release -p bank -- load --url {url}

",
        database.display(),
    )?;
    out.flush()
}

/// What tells the process to end.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "Ctrl-C",
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) -> &'static str {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await; // without a handler the system ends the process
        }
        "Ctrl-C"
    }
}
