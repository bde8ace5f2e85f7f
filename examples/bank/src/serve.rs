//! `bank serve`: from the command line to a server, and to its end.

use crate::{Bank, Server, cli::ServeArgs};
use actum::SqliteStore;
use anyhow::{Context, Result, bail};
use std::io::{self, Write};
use tokio::net::TcpListener;

/// Serves until the process is told to end.
///
/// # Errors
/// When the address or the database cannot be had, and when the end was not a clean one.
pub async fn run(args: &ServeArgs) -> Result<()> {
    let mut signals = Signals::listen().context("cannot listen to signals")?;
    let listener = TcpListener::bind(&args.listen).await;
    let listener = listener
        .with_context(|| format!("cannot listen on {}, --listen names another", args.listen))?;
    let store = SqliteStore::open(&args.database).await?;
    let bank = Bank::start(store)
        .await
        .with_context(|| format!("cannot use {}", args.database.display()))?;
    let server = Server::start(bank, listener)?;
    // whoever started the bank may not be reading; that is no reason to end
    let _ = greet(&format!("http://{}", server.address()));

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
fn greet(url: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {url}")?;
    write!(
        out,
        "
open an account, move money, look at it:
  curl --json '{{\"owner\":\"Ada\"}}' {url}/accounts/ada
  curl --json '{{\"amount\":1500}}' {url}/accounts/ada/deposits
  curl --json '{{\"amount\":400}}' {url}/accounts/ada/withdrawals
  curl {url}/accounts/ada
  curl {url}/accounts/ada/history

send the same deposit twice; it happens once, and is answered the same:
  curl --json '{{\"amount\":100}}' -H 'Idempotency-Key: gift-1' {url}/accounts/ada/deposits
  curl --json '{{\"amount\":100}}' -H 'Idempotency-Key: gift-1' {url}/accounts/ada/deposits

"
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
