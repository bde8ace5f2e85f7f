use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::store::Stores;
use async_trait::async_trait;
use std::time::Duration;

/// One journal under test, and what the suite must be able to do to it.
///
/// It is created empty, with the layout a case asks for, and dropped after the case. Failures of the fixture itself
/// panic.
///
/// # How a holder dies
/// The suite takes a writer slot, calls [`kill`](Self::kill), lets the lease pass with [`pass_time`](Self::pass_time),
/// and expects that the slot can be claimed, or taken from the holder as it is seen. A store that goes by leases alone
/// does nothing special in `kill`; one that sees the death of a process by itself, by a lock on a file say, must see it
/// there.
#[async_trait]
pub trait StoreFixture: Send + Sync + 'static {
    /// Whether the journal can be had on this machine; true by default. Where it cannot, because there is no server
    /// say, the fixture returns that and the cases are skipped.
    fn is_available(&self) -> bool {
        true
    }

    /// Opens the journal, as one more process would: what it returns shares no memory of its own with what earlier
    /// calls returned, those are not closed, and both can be used side by side.
    async fn open(&self) -> Stores;

    /// Ends the life of `stores` as a killed process would: nothing is closed and no slot released. The suite hands
    /// over its last clone; the default drops it.
    async fn kill(&self, stores: Stores) {
        drop(stores);
    }

    /// Lets time pass on the clock of the store's leases; the default waits. It is called with some ten milliseconds,
    /// from a runtime of one thread, so that tokio's clock may be paused and advanced.
    async fn pass_time(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Makes `lane` look as if all events up to `to` had been written and deleted: the next one gets the position
    /// behind it. Called while nothing is open.
    async fn advance_lane(&self, lane: Lane, to: Position);

    /// Damages the row of a snapshot that is stored, so that it cannot be read. False where there are no rows that
    /// could be damaged, as in memory; then the cases that need it are skipped. Called while nothing is open.
    async fn damage_snapshot(&self, _entity: &EntityKey, _sequence_nr: SequenceNr) -> bool {
        false
    }

    /// As [`damage_snapshot`](Self::damage_snapshot), the row of a durable state that is no tombstone: a part of its
    /// payload is lost.
    async fn damage_state(&self, _entity: &EntityKey) -> bool {
        false
    }

    /// Makes `entity`, which was never written, look as if it had got all events up to `to` and they had been deleted:
    /// `to` is its head and its floor. Called while nothing is open.
    async fn advance_entity(&self, entity: &EntityKey, to: SequenceNr);
}
