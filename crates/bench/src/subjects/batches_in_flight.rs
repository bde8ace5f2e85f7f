//! Appends to one lane by one handle of the store, or by two at once: whether a lane should have a second batch under way.
//!
//! A handle has one append of a lane under way. Two handles are foreign to each other: each makes the server look at
//! the heads of the other's entities, which one handle with two batches in flight would not.

use crate::{
    account::{Account, account_id, deposited},
    case::Case,
    drive::{Target, drive, two_workers},
    journal::{self, Journal, Place},
    medium::POSTGRES,
    name::Name,
    workload::{ENTITIES_IN_FLIGHT, Flight},
};
use actum::{
    Entity, EntityKey, Lane, PartitionCount, SequenceNr, StoredPayload, Timestamp,
    store::{AppendBatch, AppendOutcome, EntityAppend, EventStore, Incarnation, NewEvent},
};
use anyhow::{Result, bail};
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
                handles.push(Handle::new(store, incarnation, (nr, flight), callers)?);
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
struct Appends(Arc<Mutex<Vec<Handle>>>);

/// A handle that alone writes to its entities.
struct Handle {
    store: Arc<dyn EventStore>,
    incarnation: Incarnation,
    entities: Vec<(EntityKey, SequenceNr)>,
    /// The next of them.
    next: usize,
    batch: usize,
    payload: StoredPayload,
    event_nr: u64,
}

impl Handle {
    fn new(
        store: Arc<dyn EventStore>,
        incarnation: Incarnation,
        (nr, flight): (u16, Flight),
        callers: u32,
    ) -> Result<Self> {
        let own = (u32::from(nr)..ENTITIES_IN_FLIGHT).step_by(flight.batches().into());
        let entity = |nr| Ok((EntityKey::new(Account::KIND, account_id(nr))?, SequenceNr::ZERO));
        let mut entities = own.map(entity).collect::<Result<Vec<_>>>()?;
        fastrand::Rng::with_seed(7).shuffle(&mut entities);
        let (batch, payload) =
            (flight.events(callers), StoredPayload::encode(&deposited(42, 1 << 40))?);
        let event_nr = u64::from(nr) << 62;
        Ok(Self { store, incarnation, entities, next: 0, batch, payload, event_nr })
    }

    async fn append(&mut self) -> Result<()> {
        let appends = (0..self.batch).map(|_| self.next_append()).collect();
        let batch = AppendBatch { lane: Lane::new(0), incarnation: self.incarnation, appends };
        let outcomes = self.store.append(&batch).await?;
        let stored = |outcome: &AppendOutcome| matches!(outcome, AppendOutcome::Appended { .. });
        if outcomes.iter().all(stored) { Ok(()) } else { bail!("entities of its own conflict") }
    }

    fn next_append(&mut self) -> EntityAppend {
        let count = self.entities.len();
        let (entity, head) = &mut self.entities[self.next];
        let expected = *head;
        *head = head.next();
        let event = NewEvent {
            timestamp: Timestamp::from_micros(1_700_000_000_000_000),
            payload: self.payload.clone(),
            metadata: Default::default(),
        };
        self.next = (self.next + 1) % count;
        self.event_nr += 1;
        EntityAppend {
            entity: entity.clone(),
            partition: entity.partition(PartitionCount::default()),
            owned_as: None,
            expected,
            first_event_nr: self.event_nr,
            events: vec![event],
        }
    }
}

impl Target for Appends {
    async fn call(&self, _: &mut fastrand::Rng) {
        let free = self.0.lock().await.pop();
        let mut handle = free.expect("there are as many handles as callers");
        handle.append().await.expect("no one else writes to this journal");
        self.0.lock().await.push(handle);
    }
}
