//! How often a second the store is asked while nothing happens.

use super::catch_up::Nothing;
use crate::{
    account::Account,
    bank::Bank,
    case::{Case, Unit},
    drive::two_workers,
    journal::Journal,
    measurement::Measurement,
    medium::Medium,
    name::Name,
};
use actum::{Projection, store::Stores};
use actum_testkit::{FaultProgress, FaultStore, Faults};
use anyhow::Result;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// What an idle journal may cost a process.
const AIM: f64 = 5.0;
const ENTITIES: u32 = 100;
const WITHIN: Duration = Duration::from_secs(60);
/// Until the projections, whose lease is 10 seconds, have their rounds together.
const SETTLE: Duration = Duration::from_secs(5);
/// A lease: what asks once a lease is counted, too.
const MEASURED: Duration = Duration::from_secs(10);

/// So many projections in an engine whose journal is idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Projections {
    One,
    Twenty,
}

impl Projections {
    fn what(self) -> &'static str {
        match self {
            Self::One => "idle, 1 projection",
            Self::Twenty => "idle, 20 projections",
        }
    }

    fn count(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Twenty => 20,
        }
    }
}

pub(crate) fn case(medium: Medium, projections: Projections) -> Case {
    Case::new(Name::of(projections.what()).on(medium), move |bench, _| {
        two_workers()?.block_on(async {
            let journal = Journal::empty(medium, &bench.site).await?;
            measure(journal, projections.count()).await
        })
    })
    .in_unit(Unit::Queries)
    .at_most(AIM)
}

async fn measure(mut journal: Journal, count: u32) -> Result<Measurement> {
    let faults = Faults::new(); // nothing goes wrong: they count
    let progress = Arc::clone(&journal.stores.progress);
    let stores = Stores::of(FaultStore::scripted(journal.stores, &faults));
    journal.stores = stores.with_progress(Arc::new(FaultProgress::scripted(progress, &faults)));
    let names: Vec<_> = (0..count).map(|nr| format!("idle-{nr}")).collect();
    let bank = Bank::open_with(journal, |engine| {
        names.iter().fold(engine, |engine, name| {
            engine.projection(Projection::at_least_once(name, Nothing).from::<Account>())
        })
    });
    let bank = bank.await?;
    bank.awake(ENTITIES).await?;
    for name in &names {
        bank.engine.projection(name).caught_up(WITHIN).await?;
    }
    sleep(SETTLE).await;
    faults.reset_counts();
    sleep(MEASURED).await;
    let calls = faults.counts().all_calls();
    bank.close().await?;
    Ok(Measurement::of(calls as f64 / MEASURED.as_secs_f64()))
}
