//! Events are appended to streams that no entity owns: through the writers of the lanes, under the promises of entities.

mod appending;
mod bounds;
mod ending;
mod grouping;
mod outcomes;
mod refusals;
mod waiting;

use crate::rig::{Rig, key};
use actum_model::SequenceNr;
use actum_persistence::codec::Json;
use actum_runtime::{AppendError, AppendOptions, Expected, Receipt, Runtime, StreamWriter};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::task::JoinHandle;

const KIND: &str = "ledger";
const SECOND: Duration = Duration::from_secs(1);

/// What happens in a ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Booked(u64);

actum_model::payload!(Json: Booked = "booked");

fn ledger(engine: &Runtime, id: &str) -> StreamWriter {
    engine.stream_writer(Ok(key(KIND, id)))
}

fn at(nr: u64) -> Expected {
    Expected::Nr(SequenceNr::new(nr))
}

fn booked(amounts: impl IntoIterator<Item = u64>) -> Vec<Booked> {
    amounts.into_iter().map(Booked).collect()
}

async fn append(
    ledger: &StreamWriter,
    expected: Expected,
    amounts: impl IntoIterator<Item = u64>,
) -> Result<Receipt, AppendError> {
    ledger.append(expected, &booked(amounts), &AppendOptions::default()).await
}

fn within(timeout: Duration) -> AppendOptions {
    AppendOptions { timeout: Some(timeout), ..AppendOptions::default() }
}

/// Appends in a task of its own.
fn appending(
    ledger: &StreamWriter,
    expected: Expected,
    amount: u64,
) -> JoinHandle<Result<Receipt, AppendError>> {
    appending_within(ledger, expected, amount, Duration::from_hours(1))
}

fn appending_within(
    ledger: &StreamWriter,
    expected: Expected,
    amount: u64,
    timeout: Duration,
) -> JoinHandle<Result<Receipt, AppendError>> {
    let ledger = ledger.clone();
    let append = async move { ledger.append(expected, &[Booked(amount)], &within(timeout)).await };
    tokio::spawn(append)
}

/// The amounts that the journal has of a ledger; their numbers are contiguous.
async fn amounts(rig: &Rig, id: &str) -> Vec<u64> {
    let stored = rig.stored(KIND, id).await;
    for (event, nr) in stored.iter().zip(1..) {
        assert_eq!(event.sequence_nr.get(), nr);
    }
    stored.iter().map(|event| event.payload.decode::<Booked>().unwrap().0).collect()
}
