//! OwnedAppends of a node that owns the partitions it writes to, beside those of an engine that has the journal for itself: what it
//! costs to check that.

use super::append_handle::AppendHandle;
use crate::{
    case::Case,
    drive::{Target, drive, two_workers},
    journal::{self, Journal},
    medium::Medium,
    name::Name,
    workload::{ENTITIES_IN_FLIGHT, Flight},
};
use actum::{
    Partition,
    progress::Epoch,
    store::{
        Incarnation, Stores,
        members::{ClusterTerms, NewMember, OwnerClaim, RolePartition, node_slot},
    },
};
use anyhow::{Context, Result};
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// Who appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    /// An engine alone.
    Engine,
    /// A node that owns all partitions.
    Node,
}

/// Batches of the events of so many callers, one after the other.
pub(crate) fn case(writer: Writer, medium: Medium, callers: u32) -> Case {
    let case = Case::new(name(writer, medium, callers), move |bench, _| {
        let runtime = two_workers()?;
        let batch = Flight::One.events(callers);
        let (journal, appends) = runtime.block_on(async {
            let journal = Journal::empty(medium, &bench.site).await?;
            let handle = handle(writer, &journal.stores, batch).await?;
            anyhow::Ok((journal, OwnedAppends(Arc::new(Mutex::new(handle)))))
        })?;
        let measured = drive(&runtime, 1, bench.window, &appends)?;
        runtime.block_on(journal.delete())?;
        Ok(measured.of_batches(batch))
    });
    match writer {
        Writer::Engine => case,
        Writer::Node => case.beside(name(Writer::Engine, medium, callers), Some(0.97)),
    }
}

fn name(writer: Writer, medium: Medium, callers: u32) -> Name {
    let what = match writer {
        Writer::Engine => "store appends, of an engine",
        Writer::Node => "store appends, of an owner",
    };
    Name::of(what).on(medium).callers(callers).entities(ENTITIES_IN_FLIGHT)
}

async fn handle(writer: Writer, stores: &Stores, batch: usize) -> Result<AppendHandle> {
    let (events, entities) = (Arc::clone(&stores.events), 0..ENTITIES_IN_FLIGHT);
    match writer {
        Writer::Engine => {
            let incarnation = journal::claim(stores).await?;
            AppendHandle::new(events, incarnation, entities, batch, 1)
        }
        Writer::Node => {
            let incarnation = own_all(stores).await?;
            Ok(AppendHandle::new(events, incarnation, entities, batch, 1)?.owning(""))
        }
    }
}

/// Joins a cluster of one node that owns all partitions.
async fn own_all(stores: &Stores) -> Result<Incarnation> {
    let members = stores.members.as_ref().context("nodes can share the journal")?;
    let incarnation = journal::claim_slot(stores, &node_slot("bench")).await?;
    let terms = ClusterTerms { cluster: "bench".to_owned(), lease: Duration::from_secs(60) };
    let name = "bench".to_owned();
    let member = NewMember { incarnation, name, description: Default::default() };
    members.join(&terms, &member).await?;
    let of = |nr| RolePartition { role: "".into(), partition: Partition::new(nr) };
    let claim = |nr| OwnerClaim { of: of(nr), seen: Epoch::default() };
    let claims: Vec<_> = (0..stores.events.layout().partitions.get()).map(claim).collect();
    members.claim_partitions(incarnation, &claims).await?;
    Ok(incarnation)
}

#[derive(Clone)]
struct OwnedAppends(Arc<Mutex<AppendHandle>>);

impl Target for OwnedAppends {
    async fn call(&self, _: &mut fastrand::Rng) {
        let appended = self.0.lock().await.append().await;
        appended.expect("no one else writes to this journal");
    }
}
