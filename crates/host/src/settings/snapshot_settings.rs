use actum_model::{DecodeError, EventSourced, Payload, StoredPayload};
use actum_persistence::{
    serializer::{EncodeError, Serializer},
    settings_check::SettingsCheck,
};
use std::fmt;

/// Encodes a state.
pub type EncodeState<E> = fn(&Serializer, &E) -> Result<StoredPayload, EncodeError>;

/// When snapshots of a kind are taken, and what is kept besides them.
///
/// Snapshots are disposable: one that cannot be read is skipped, and the events are replayed.
///
/// # Examples
/// ```
/// # use actum_model::{EventSourced, Payload};
/// # use actum_host as actum;
/// use actum::settings::{EntitySettings, SnapshotSettings};
/// # fn example<Account: EventSourced + Payload>() -> EntitySettings<Account> {
///
/// // recovery reads at most about a hundred events; the state is a `Payload`
/// let snapshots = SnapshotSettings::every(100)
///     .with_snapshot_on_passivation(true);
/// EntitySettings::<Account>::default().with_snapshots(snapshots)
/// # }
/// ```
#[non_exhaustive]
pub struct SnapshotSettings<E> {
    /// After how many events since the last snapshot another one is taken; 1,000 by default, at least 1.
    pub every: u64,
    /// Whether a snapshot is also taken when the entity leaves memory and has events since the last one; false by
    /// default.
    pub snapshot_on_passivation: bool,
    /// How many snapshots of an entity are kept, the newest ones; 2 by default, so that an unreadable one is no loss,
    /// at least 1.
    pub snapshots_kept: u32,
    /// Whether the events that the oldest kept snapshot covers are deleted; false by default. What is deleted is gone for
    /// every later reader.
    ///
    /// Events go only once as many snapshots are there as are to be kept, and the oldest of them was read back from the
    /// store and decoded. One that cannot be decoded is reported and deleted, and the events stay. An entity whose events
    /// were deleted needs its snapshots: a kind that had this on cannot be registered without snapshots any more.
    pub events_deleted: bool,
    pub encode: EncodeState<E>,
    pub decode: fn(&Serializer, &StoredPayload) -> Result<E, DecodeError>,
}

impl<E: EventSourced + Payload> SnapshotSettings<E> {
    /// The default settings with [`every`](field@Self::every) set.
    #[must_use]
    pub fn every(events: u64) -> Self {
        Self::default().with_every(events)
    }
}

impl<E: EventSourced + Payload> Default for SnapshotSettings<E> {
    fn default() -> Self {
        Self {
            every: 1_000,
            snapshot_on_passivation: false,
            snapshots_kept: 2,
            events_deleted: false,
            encode: |serializer, state| serializer.encode(state),
            decode: |serializer, stored| serializer.decode(stored),
        }
    }
}

impl<E> SnapshotSettings<E> {
    /// Sets [`every`](field@Self::every).
    #[must_use]
    pub fn with_every(self, events: u64) -> Self {
        Self { every: events, ..self }
    }

    /// Sets [`snapshot_on_passivation`](Self::snapshot_on_passivation).
    #[must_use]
    pub fn with_snapshot_on_passivation(self, on: bool) -> Self {
        Self { snapshot_on_passivation: on, ..self }
    }

    /// Sets [`snapshots_kept`](Self::snapshots_kept).
    #[must_use]
    pub fn with_snapshots_kept(self, snapshots: u32) -> Self {
        Self { snapshots_kept: snapshots, ..self }
    }

    /// Sets [`events_deleted`](Self::events_deleted).
    #[must_use]
    pub fn with_events_deleted(self, deleted: bool) -> Self {
        Self { events_deleted: deleted, ..self }
    }

    pub(super) fn check(&self, check: &mut SettingsCheck) {
        check.number("snapshots.every", self.every, 1..);
        check.number("snapshots.snapshots_kept", self.snapshots_kept, 1..);
    }
}

impl<E> Clone for SnapshotSettings<E> {
    fn clone(&self) -> Self {
        let Self { every, snapshot_on_passivation, snapshots_kept, events_deleted, encode, decode } =
            *self;
        Self { every, snapshot_on_passivation, snapshots_kept, events_deleted, encode, decode }
    }
}

impl<E> fmt::Debug for SnapshotSettings<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotSettings")
            .field("every", &self.every)
            .field("snapshot_on_passivation", &self.snapshot_on_passivation)
            .field("snapshots_kept", &self.snapshots_kept)
            .field("events_deleted", &self.events_deleted)
            .finish_non_exhaustive()
    }
}
