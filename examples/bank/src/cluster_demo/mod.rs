//! `bank cluster`: several banks on this machine over one database, under load, with a view of who owns what, and keys that
//! harm them.
//!
//! Every order has an `Idempotency-Key` and is sent, to one node after the other, until its outcome is known. In the end each
//! account must show exactly what was acknowledged.

mod client_tally;
mod clients;
mod key;
mod nodes;
mod view;

use crate::cli::ClusterDemoArgs;
use anyhow::{Context, Result};
use clients::Clients;
use key::Key;
use nodes::Nodes;
use std::{io::Write, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    time::{Instant, MissedTickBehavior, interval},
};

/// How often the view is drawn.
const DRAWN_EVERY: Duration = Duration::from_secs(1);

/// Runs the banks and the clients until `q` is entered, the input ends, or `args.seconds` are over; then checks every
/// balance. Says whether all are right.
///
/// # Errors
/// When a bank cannot be started, or no bank answers in the end.
pub async fn run(args: &ClusterDemoArgs, out: &mut impl Write) -> Result<bool> {
    let mut nodes = Nodes::start(args).await?;
    let clients = Clients::start(&nodes, args.clients, args.accounts);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut draw = interval(DRAWN_EVERY);
    draw.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ends_at = args.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds.into()));
    let mut says = String::new();
    loop {
        let ends = async {
            match ends_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = ends => break,
            signal = tokio::signal::ctrl_c() => {
                signal.context("cannot listen to Ctrl-C")?;
                break;
            }
            line = lines.next_line(), if !nodes.is_unattended() => match line.context("cannot read keys")? {
                None => nodes.leave_unattended(),
                Some(line) => match line.parse() {
                    Ok(Key::Quit) => break,
                    Ok(key) => says = nodes.act(key, args).await,
                    Err(what) => says = what,
                },
            },
            _ = draw.tick() => view::draw(&mut nodes, &clients, &says, out).await?,
        }
    }
    writeln!(out, "\nsending what has no answer yet, then checking every balance")?;
    nodes.thaw_all().await;
    let verdict = clients.end(&nodes).await?;
    nodes.end().await;
    writeln!(out, "{verdict}")?;
    Ok(verdict.is_right())
}
