//! Streams of events without entities: appended to, read, and decided about.

mod projected;
mod reading;
mod sources;
mod subscribed;
mod takeover;
mod transacting;
mod unlucky;

use crate::counter::Counter;
use actum::{DecodeError, Engine, Json, MemoryStore, Payload, StoredPayload, Stream};
use actum_testkit::{FaultStore, Faults};
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, time::Duration};

const SECOND: Duration = Duration::from_secs(1);

/// What happens in a ledger, in cents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Booked(i64);

/// As it was at first, in euros.
#[derive(Serialize, Deserialize)]
struct BookedEuros {
    euros: i64,
}

actum::payload!(Json: BookedEuros = "booked");

impl Payload for Booked {
    type Codec = Json;
    const MANIFEST: &'static str = "booked";
    const SCHEMA_VERSION: u32 = 2;

    fn upcast(stored: &StoredPayload) -> Result<Self, DecodeError> {
        match stored.schema_version {
            1 => Ok(Self(stored.decode_as::<BookedEuros, Json>()?.euros * 100)),
            _ => Err(stored.unreadable::<Self>()),
        }
    }
}

/// An engine over a journal in memory, and what goes wrong in that.
struct Rig {
    faults: Faults,
    engine: Engine,
}

impl Rig {
    async fn start() -> Self {
        let faults = Faults::new();
        let store = FaultStore::scripted(MemoryStore::new(), &faults);
        let builder = Engine::builder("ledgers").store(store).entity::<Counter>(());
        Self { faults, engine: builder.start().await.unwrap() }
    }

    fn ledger(&self) -> Stream<Booked> {
        self.engine.stream("ledger", "2026-11")
    }
}

fn add(balance: &mut i64, booked: &Booked) {
    *balance += booked.0;
}

/// Books this much, whatever the balance is.
fn book(amount: i64) -> impl Fn(&i64) -> Result<Vec<Booked>, Infallible> {
    move |_| Ok(vec![Booked(amount)])
}

/// All that is booked, with contiguous numbers.
async fn amounts(ledger: &Stream<Booked>) -> Vec<i64> {
    let (mut history, mut amounts) = (ledger.history(), Vec::new());
    while let Some(recorded) = history.next().await.unwrap() {
        amounts.push(recorded.event.0);
        assert_eq!(recorded.sequence_nr.get(), amounts.len() as u64);
    }
    amounts
}
