//! Calls to another process on this machine, beside what carries bare bytes there and back.
//!
//! Both processes share the two processors, so what one of them spends the other one lacks: as on the rows of one process, the
//! ratios are what counts.

mod bare_tcp;
mod grpc;
mod nodes;
mod other_process;
mod plain_calls;

use crate::{case::Case, drive::two_workers, name::Name};
use anyhow::{Result, bail};
use nodes::{Links, Remote};
use std::path::Path;

/// What the other process does, as its argument says it.
const BARE_TCP: &str = "bare-tcp";
const PLAIN_CALLS: &str = "plain-calls";
const GRPC: &str = "grpc";
const NODE: &str = "node";
const SECURE_NODE: &str = "secure-node";

/// What is sent there and back by the limits: as much as an envelope of a command takes.
const PAYLOAD: [u8; 100] = [7; 100];

pub(crate) fn cases(callers: &[u32]) -> Vec<Case> {
    let mut cases = Vec::new();
    for callers in callers.iter().copied() {
        cases.push(bare_tcp::case(callers));
        cases.push(plain_calls::case(callers));
        cases.push(grpc::case(callers));
        for links in [Links::Plain, Links::Secured] {
            cases.push(nodes::case(Remote::Query, links, callers));
        }
        cases.push(nodes::case(Remote::Command, Links::Plain, callers));
    }
    cases
}

fn name(what: &'static str, callers: u32) -> Name {
    Name::of(what).callers(callers)
}

/// What the other process does until its standard input ends; `place` is what both share.
pub(crate) fn serve(what: &str, place: &Path) -> Result<()> {
    two_workers()?.block_on(async {
        match what {
            BARE_TCP => bare_tcp::serve().await,
            PLAIN_CALLS => plain_calls::serve().await,
            GRPC => grpc::serve().await,
            NODE => nodes::serve(place, Links::Plain).await,
            SECURE_NODE => nodes::serve(place, Links::Secured).await,
            other => bail!("no row has another process that does `{other}`"),
        }
    })
}
