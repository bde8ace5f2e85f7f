use actum_model::{DecodeError, EventSourced, Payload, StoredPayload};
use actum_persistence::serializer::{EncodeError, Serializer};
use std::fmt;

/// When snapshots of a kind are taken, and what is kept besides them.
///
/// Snapshots are disposable: one that cannot be read is passed over, and the events are replayed.
///
/// # Examples
/// ```
/// use actum_runtime::settings::{EntitySettings, SnapshotSettings};
/// # use actum_model::{EventSourced, Payload};
/// # fn example<Account: EventSourced + Payload>() -> EntitySettings<Account> {
///
/// // recovery reads at most about a hundred events; the state needs a codec, as every `Payload`
/// let snapshots = SnapshotSettings::every(100).with_snapshot_on_passivation(true);
/// EntitySettings::<Account>::default().with_snapshots(snapshots)
/// # }
/// ```
pub struct SnapshotSettings<E> {
    pub(crate) every: u64,
    pub(crate) on_passivation: bool,
    pub(crate) keep: u32,
    pub(crate) delete_events: bool,
    pub(crate) encode: fn(&Serializer, &E) -> Result<StoredPayload, EncodeError>,
    pub(crate) decode: fn(&Serializer, &StoredPayload) -> Result<E, DecodeError>,
}

impl<E: EventSourced + Payload> SnapshotSettings<E> {
    /// Takes a snapshot whenever `events` events, at least 1, have come since the last one. Keeps the newest two and all
    /// events.
    #[must_use]
    pub fn every(events: u64) -> Self {
        Self {
            every: events,
            on_passivation: false,
            keep: 2,
            delete_events: false,
            encode: |serializer, state| serializer.encode(state),
            decode: |serializer, stored| serializer.decode(stored),
        }
    }
}

impl<E> SnapshotSettings<E> {
    /// Also takes a snapshot when the entity leaves memory and has events since the last one; off by default.
    #[must_use]
    pub fn with_snapshot_on_passivation(mut self, on: bool) -> Self {
        self.on_passivation = on;
        self
    }

    /// Keeps the newest `snapshots` of an entity, at least 1; 2 by default, so that an unreadable one is no loss.
    #[must_use]
    pub fn with_snapshots_kept(mut self, snapshots: u32) -> Self {
        self.keep = snapshots;
        self
    }

    /// Deletes the events that the oldest kept snapshot covers; off by default. What is deleted is gone for projections too.
    ///
    /// Events go only once as many snapshots are there as are to be kept, and the oldest of them was read back from the store
    /// and decoded. One that cannot be decoded is reported and deleted, and the events stay. An entity whose events were
    /// deleted needs its snapshots: a kind that had this on cannot be registered without snapshots any more.
    #[must_use]
    pub fn with_events_deleted(mut self, delete: bool) -> Self {
        self.delete_events = delete;
        self
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.every == 0 {
            problems.push("snapshots must be at least 1 event apart".to_owned());
        }
        if self.keep == 0 {
            problems.push("at least 1 snapshot must be kept".to_owned());
        }
        problems
    }
}

impl<E> Clone for SnapshotSettings<E> {
    fn clone(&self) -> Self {
        let Self { every, on_passivation, keep, delete_events, encode, decode } = *self;
        Self { every, on_passivation, keep, delete_events, encode, decode }
    }
}

impl<E> fmt::Debug for SnapshotSettings<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotSettings")
            .field("every", &self.every)
            .field("on_passivation", &self.on_passivation)
            .field("keep", &self.keep)
            .field("delete_events", &self.delete_events)
            .finish_non_exhaustive()
    }
}
