//! Appends to one lane by one handle of the store, or by two at once: whether a lane should have a second batch under way.
//!
//! A handle has one append of a lane under way. Two handles are foreign to each other: each makes the server look at
//! the heads of the other's entities, which one handle with two batches in flight would not.

use super::append_handle::AppendHandle;
use crate::{
    case::Case,
    drive::{Target, drive, two_workers},
    journal::{self, Journal, Place},
    medium::POSTGRES,
    name::Name,
    workload::{ENTITIES_IN_FLIGHT, Flight},
};
use anyhow::bail;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Batches of the events of so many callers: all of them, or half of them each.
pub(crate) fn case(flight: Flight, callers: u32) -> Case {
    let case = Case::new(name(flight, callers), move |bench, _| {
        let runtime = two_workers()?;
        let (place, appends) = runtime.block_on(async {
            let journal = Journal::empty(POSTGRES, &bench.site).await?;
            let incarnation = journal::claim(&journal.stores).await?;
            journal.stores.close().await;
            let Place::Database(database) = &journal.place else { bail!("it is in a database") };
            let mut handles = Vec::new();
            for nr in 0..flight.batches() {
                let store = Arc::new(database.store(1).await?);
                let own = (u32::from(nr)..ENTITIES_IN_FLIGHT).step_by(flight.batches().into());
                let event_nr = u64::from(nr) << 62;
                let batch = flight.events(callers);
                handles.push(AppendHandle::new(store, incarnation, own, batch, event_nr)?);
            }
            Ok((journal.place, Appends(Arc::new(Mutex::new(handles)))))
        })?;
        let measured = drive(&runtime, flight.batches().into(), bench.window, &appends)?;
        runtime.block_on(async {
            for handle in appends.0.lock().await.iter() {
                handle.store.close().await;
            }
            place.delete().await
        })?;
        Ok(measured.of_batches(flight.events(callers)))
    });
    match flight {
        Flight::One => case,
        Flight::Two => case.beside(name(Flight::One, callers), None),
    }
}

fn name(flight: Flight, callers: u32) -> Name {
    let what = match flight {
        Flight::One => "store appends, one in flight",
        Flight::Two => "store appends, two in flight",
    };
    Name::of(what).on(POSTGRES).callers(callers).entities(ENTITIES_IN_FLIGHT)
}

/// The handles; who calls takes one that is free.
#[derive(Clone)]
struct Appends(Arc<Mutex<Vec<AppendHandle>>>);

impl Target for Appends {
    async fn call(&self, _: &mut fastrand::Rng) {
        let free = self.0.lock().await.pop();
        let mut handle = free.expect("there are as many handles as callers");
        handle.append().await.expect("no one else writes to this journal");
        self.0.lock().await.push(handle);
    }
}
