use actum_host::{cell::FoundState, partition::Found};
use actum_persistence::store::{PageLimit, StoreError, StoredEvent};
use bytes::Bytes;
use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What one permit stands for: a semaphore counts to 2^32.
const UNIT_BYTES: usize = 1024;

/// The bytes that may be in memory between the store and the entities that recover: what readers hold, and what they have
/// brought and no entity has taken in yet.
///
/// Each read acquires an equal share before it starts, divides it among its entities as the limit of their pages, and gives
/// back what the answers do not take. An event or a snapshot that is larger than its part goes over the bound; so the
/// number of entities in one read follows the size of the answers.
pub(super) struct ReadRoom {
    room: Arc<Semaphore>,
    share_units: u32,
    /// How large an answer may be expected to be: the largest of the last reads.
    expected: AtomicUsize,
}

/// Room for one read.
pub(super) struct Share(OwnedSemaphorePermit);

/// What an answer holds of the room until an entity has taken it in.
pub(crate) struct HeldRoom(
    #[expect(dead_code, reason = "held until it is dropped")] OwnedSemaphorePermit,
);

impl ReadRoom {
    /// Room for `bytes_max` bytes, divided among `readers`.
    pub(super) fn new(bytes_max: usize, readers: u32) -> Self {
        let readers = readers.max(1);
        let units = (bytes_max / UNIT_BYTES).min(Semaphore::MAX_PERMITS);
        let share = u32::try_from(units / readers as usize).unwrap_or(u32::MAX).max(1);
        let room = Arc::new(Semaphore::new(share as usize * readers as usize));
        Self { room, share_units: share, expected: AtomicUsize::new(0) }
    }

    /// Waits for the room of one read.
    pub(super) async fn share(&self) -> Share {
        let acquired = Arc::clone(&self.room).acquire_many_owned(self.share_units).await;
        Share(acquired.expect("the room is never closed"))
    }

    /// How many entities the next read is for, at most.
    pub(super) fn entities(&self, batch_max: NonZeroU32) -> usize {
        let expected = self.expected.load(Ordering::Relaxed).max(1);
        (self.share_bytes() / expected).clamp(1, batch_max.get() as usize)
    }

    /// The limit of each page of a read for `entities`.
    pub(super) fn page(&self, page: PageLimit, entities: usize) -> PageLimit {
        page.with_bytes(page.bytes.min(self.share_bytes() / entities.max(1)).max(1))
    }

    /// Divides a share among the answers of a read, in their order; what they do not take is given back.
    pub(super) fn divide(
        &self,
        mut share: Share,
        answers: &[Result<Found, StoreError>],
    ) -> Vec<HeldRoom> {
        let sizes = || answers.iter().map(|answer| answer.as_ref().map_or(0, bytes_of));
        let largest = sizes().max().unwrap_or(0);
        // falls slowly: large entities come back
        let before = self.expected.load(Ordering::Relaxed);
        self.expected.store(largest.max(before / 2), Ordering::Relaxed);
        let mut part = |bytes: usize| {
            let units = bytes.div_ceil(UNIT_BYTES).min(share.0.num_permits());
            HeldRoom(share.0.split(units).expect("no more is split off than there is"))
        };
        sizes().map(&mut part).collect()
    }

    fn share_bytes(&self) -> usize {
        self.share_units as usize * UNIT_BYTES
    }
}

/// What an answer takes in memory, as far as it can be large.
fn bytes_of(found: &Found) -> usize {
    match found {
        Found::Events(recovered) => {
            let snapshot = recovered.snapshot.as_ref();
            let snapshot = snapshot.map_or(0, |s| s.state.bytes.len() + s.recent_commands.len());
            let event = |event: &StoredEvent| event.payload.bytes.len() + event.metadata.len();
            snapshot + recovered.page.events.iter().map(event).sum::<usize>()
        }
        Found::State(FoundState::Record(record)) => record.as_ref().map_or(0, |record| {
            let state = record.state.as_ref().map_or(0, |state| state.bytes.len());
            state + record.recent_commands.len() + size_of_val(&record.commands[..])
        }),
        Found::State(FoundState::Commands(commands)) => size_of_val(&commands[..]),
        Found::Record { found, .. } => {
            found.as_ref().ok().and_then(Option::as_ref).map_or(0, Bytes::len)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::{EntityKey, SequenceNr, StoredPayload, Timestamp};
    use actum_persistence::store::{EntityPage, Recovered, Snapshot};
    use bytes::Bytes;

    fn answer(bytes: usize) -> Result<Found, StoreError> {
        let snapshot = Snapshot {
            entity: EntityKey::new("account", "a").unwrap(),
            sequence_nr: SequenceNr::new(1),
            timestamp: Timestamp::default(),
            state: StoredPayload {
                codec: "utf8".into(),
                manifest: "account".into(),
                schema_version: 1,
                bytes: Bytes::from(vec![0; bytes]),
            },
            recent_commands: Bytes::new(),
        };
        Ok(Found::Events(Recovered::new(Some(snapshot), EntityPage::default())))
    }

    const MAX: NonZeroU32 = NonZeroU32::new(64).unwrap();

    #[tokio::test]
    async fn what_is_brought_and_not_taken_in_keeps_its_room() {
        let room = ReadRoom::new(64 << 10, 2);
        let (first, second) = (room.share().await, room.share().await);
        assert_eq!(room.room.available_permits(), 0);
        let held = room.divide(first, &[answer(10 << 10), answer(1), answer(0)]);
        assert_eq!(room.room.available_permits(), 32 - 11);
        drop(second);
        assert_eq!(room.room.available_permits(), 64 - 11);
        drop(held);
        assert_eq!(room.room.available_permits(), 64);
    }

    #[tokio::test]
    async fn pages_and_entities_of_a_read_follow_its_share() {
        let room = ReadRoom::new(1 << 20, 4);
        let page = PageLimit::default().with_bytes(1 << 20);
        assert_eq!(room.entities(MAX), 64);
        assert_eq!(room.page(page, 64).bytes, 4 << 10);
        assert_eq!(room.page(page.with_bytes(100), 64).bytes, 100);
        // snapshots are larger than that: the next read is for fewer
        let share = room.share().await;
        drop(room.divide(share, &[answer(64 << 10), answer(70 << 10)]));
        assert_eq!(room.entities(MAX), 3);
        let share = room.share().await;
        drop(room.divide(share, &[answer(1 << 30)]));
        assert_eq!(room.entities(MAX), 1);
        for _ in 0..40 {
            let share = room.share().await;
            drop(room.divide(share, &[answer(100)]));
        }
        assert_eq!(room.entities(MAX), 64);
    }
}
