//! `bank load`: drives a bank with many clients, and then checks every balance.
//!
//! Nothing is taken on trust. Every order has an `Idempotency-Key` and is sent until its outcome is known; the
//! books keep what was acknowledged, and in the end each account must show exactly that.

mod audit;
mod books;
mod driver;
mod meter;
mod progress;
mod report;
mod settle;
mod target;

pub use audit::Verdict;

use crate::cli::LoadArgs;
use anyhow::{Context, Result};
use books::Books;
use driver::Driver;
use meter::Meter;
use std::{
    io::Write,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use target::Target;
use tokio::sync::watch;

/// Drives a bank as `args` say, and reports to `out`.
///
/// # Errors
/// When there is no bank to drive, or the accounts cannot be opened.
pub async fn run(args: &LoadArgs, out: &mut impl Write) -> Result<Verdict> {
    let target = Target::find(args.url.as_deref(), out).await?;
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    let LoadArgs { clients, accounts, seconds, .. } = *args;
    writeln!(out, "{clients} clients, {accounts} accounts, {seconds} s, seed {seed}")?;

    let books = Arc::new(Books::new(&run_name(), accounts));
    let meter = Arc::new(Meter::default());
    let driver = Driver { client: target.client().clone(), books, meter, seed };
    let opening = driver.open_accounts(clients);
    let opened = progress::count("opened", accounts.into(), &driver.meter, opening, out).await?;
    opened.context("the accounts cannot be opened")?;

    let (stop, stopped) = watch::channel(false);
    let driving = tokio::spawn(driver.clone().drive(clients, stopped));
    let started = Instant::now();
    progress::drive(&driver.meter, Duration::from_secs(seconds.into()), out).await?;
    let _ = stop.send(true); // a driver that has failed reports that itself
    let drove_for = started.elapsed();
    let drove = progress::settle(clients.into(), &driver.meter, driving, out).await?;
    let drove = drove.context("a client failed")?;

    report::requests(&drove, drove_for, out)?;
    driver.meter.restart_accounts();
    let checking = audit::balances(&driver, clients, drove);
    let verdict = progress::count("checked", accounts.into(), &driver.meter, checking, out).await?;
    report::verdict(&verdict, out)?;
    target.leave().await;
    Ok(verdict)
}

/// Makes the accounts of this run others than those of any run before.
fn run_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("load-{:x}-{:04x}", now.as_secs(), fastrand::u16(..))
}
