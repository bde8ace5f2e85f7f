//! Heap allocations of a command, those of its caller's future included.
//!
//! Counted on one thread, since the counter counts by thread: engine and callers share it, and only SQLite's own thread
//! is left out.

use super::{commands::Deposits, queries::Balances};
use crate::{
    bank::Bank,
    case::{Case, Unit},
    drive::Target,
    journal::Journal,
    measurement::Measurement,
    medium::Medium,
    name::Name,
};
use anyhow::Result;
use tokio::runtime::{Builder, Runtime};

const COMMANDS: u32 = 200_000;
const ENTITIES: u32 = 10_000;
const AIM: f64 = 10.0;

/// Allocations of commands that persist.
pub(crate) fn persisting(medium: Medium, callers: u32) -> Case {
    case("allocations, persist", medium, callers, move |runtime, bank| {
        Ok(count(runtime, callers, &Deposits(runtime.block_on(bank.awake(ENTITIES))?)))
    })
}

/// Allocations of queries.
pub(crate) fn querying(medium: Medium, callers: u32) -> Case {
    case("allocations, query", medium, callers, move |runtime, bank| {
        Ok(count(runtime, callers, &Balances(runtime.block_on(bank.awake(ENTITIES))?)))
    })
}

fn case(
    what: &'static str,
    medium: Medium,
    callers: u32,
    count: impl Fn(&Runtime, &Bank) -> Result<f64> + 'static,
) -> Case {
    let name = Name::of(what).on(medium).callers(callers).entities(ENTITIES);
    let case = Case::new(name, move |bench, _| {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let bank = runtime
            .block_on(async { Bank::open(Journal::empty(medium, &bench.site).await?).await })?;
        let allocations = count(&runtime, &bank)?;
        runtime.block_on(bank.close())?;
        Ok(Measurement::of(allocations))
    });
    let case = case.in_unit(Unit::Allocations);
    // a driver of a database has a price of its own, which a single caller pays alone
    if matches!(medium, Medium::Postgres { .. }) && callers == 1 { case } else { case.at_most(AIM) }
}

fn count(runtime: &Runtime, callers: u32, target: &impl Target) -> f64 {
    let commands = if callers == 1 { COMMANDS / 10 } else { COMMANDS };
    // queues and tables find their size first
    runtime.block_on(call(callers, commands / 4, target));
    let counted = allocation_counter::measure(|| runtime.block_on(call(callers, commands, target)));
    counted.count_total as f64 / f64::from(commands)
}

async fn call(callers: u32, calls: u32, target: &impl Target) {
    let callers: Vec<_> = (0..callers)
        .map(|nr| {
            let target = target.clone();
            let calls = calls / callers;
            tokio::spawn(async move {
                let mut choices = fastrand::Rng::with_seed(u64::from(nr) + 1);
                for _ in 0..calls {
                    target.call(&mut choices).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("a caller does not fail");
    }
}
