use super::{
    AppendBatch, AppendOutcome, EntityPage, EntityRead, EntitySearch, EventDeletion, EventFilter,
    Incarnation, JournalLayout, LanePage, ListedEntity, Listing, PageLimit, Resolution, StoreError,
};
use actum_model::{EntityKey, Lane, Offset, Position, SequenceNr};
use async_trait::async_trait;

/// How many entities of a kind a store looks at, at least, to say how the kind is kept.
pub const KIND_SAMPLE: u32 = 64;

/// Keeps the journal: the ordered log of all events.
///
/// # Contract
/// * **Order.** Inside a lane positions are dense, start at 1, and are the commit order: once a reader has seen
///   position `n`, nothing is ever committed at or before `n`. Within a batch positions follow the order of the appends
///   and, within an append, of the events.
/// * **Fence.** [`append`](Self::append) commits only if the batch's incarnation was given by a claim and is not
///   revoked, checked in the same transaction by a check that conflicts with
///   [`WriterStore::revoke`](super::WriterStore::revoke).
/// * **Expected sequence number.** An append whose entity is not exactly at `expected` gets
///   [`AppendOutcome::Conflict`] and stores nothing, while the other appends of the batch are stored.
/// * **Owner.** An append that [names a role](super::EntityAppend::owned_as) gets [`AppendOutcome::NotOwned`] and stores
///   nothing, wherever its entity is, unless the batch's incarnation owns the partition in that role as
///   [`MemberStore`](crate::members::MemberStore) keeps it; the other appends of the batch are stored. It is checked in the
///   same transaction, by a check that conflicts with
///   [`release_partitions`](crate::members::MemberStore::release_partitions). Where no append of a batch names a role
///   nothing is looked up.
/// * **Atomicity.** The events of one [`EntityAppend`](super::EntityAppend) are stored all or none. When `append`
///   returns an error, nothing of the batch is stored, except after [`StoreError::OutcomeUnknown`].
/// * **Durability.** When `append` returns `Ok`, the stored events survive a crash of the process and, as far as the
///   store says so in its own documentation, of the machine.
/// * **Isolation of mistakes.** What no store may take is [`StoreError::Invalid`] before anything is done, the same in
///   every store: a batch that names an entity twice, an entity of another lane or under another partition than its
///   own, or no event for an append; a lane the journal does not have; a payload without a codec, a manifest or a
///   schema version; whatever is larger than its [bound](super::bounds). [`AppendBatch::check`] and
///   [`EventFilter::check`] find it out. A batch within the bounds is stored, whatever time-outs a store has for its
///   statements.
/// * Sequence numbers and positions never regress, whatever is deleted.
///
/// # Cancel safety
/// Dropping the future of a read has no effect. Dropping the future of an `append` leaves its outcome unknown; the
/// store stays usable.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// How the journal is divided.
    fn layout(&self) -> JournalLayout;

    /// Stores a batch in one transaction, and returns the outcome of each append, in their order.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], [`Unavailable`](StoreError::Unavailable), [`Invalid`](StoreError::Invalid),
    /// [`Corrupt`](StoreError::Corrupt): nothing was stored. [`OutcomeUnknown`](StoreError::OutcomeUnknown): ask
    /// [`resolve`](Self::resolve).
    async fn append(&self, batch: &AppendBatch) -> Result<Vec<AppendOutcome>, StoreError>;

    /// Settles a batch whose outcome is unknown: says of each append whether it is stored, in their order.
    ///
    /// It first waits until the attempt can no longer commit, so [`NotStored`](Resolution::NotStored) means: not now
    /// and not later. It compares [`EventId`](super::EventId)s, so events of another writer at the same sequence
    /// numbers are no success. An append that ended in a conflict, or was not its
    /// writer's to make, is `NotStored` too. An append whose events may have
    /// been deleted meanwhile is [`Untraceable`](Resolution::Untraceable), and the others are settled all the same.
    ///
    /// # Errors
    /// [`StoreError`] when that could not be found out now; asking again may help.
    async fn resolve(
        &self,
        batch: &AppendBatch,
    ) -> Result<Vec<Resolution<AppendOutcome>>, StoreError>;

    /// Reads a page of each of these entities, answers in their order. The limit holds for each entity.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails as a whole.
    async fn read_entities(
        &self,
        reads: &[EntityRead],
        limit: PageLimit,
    ) -> Result<Vec<EntityPage>, StoreError>;

    /// Reads a page of an entity backward: the events in front of `before`, the newest first. From the last one on if
    /// `before` lies behind the head.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails.
    async fn read_backward(
        &self,
        entity: &EntityKey,
        before: SequenceNr,
        limit: PageLimit,
    ) -> Result<EntityPage, StoreError>;

    /// Lists entities that have events, deleted ones included. Entities of the kind without any are looked at and left out,
    /// so a page may have fewer than its limit, or none, and more behind it.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the [search](EntitySearch::check) asks for what cannot be; [`StoreError`] when the
    /// read fails.
    async fn list_entities(
        &self,
        search: &EntitySearch,
    ) -> Result<Listing<ListedEntity>, StoreError>;

    /// The kinds of which the store knows an entity, in order of bytes; the first
    /// [`KINDS_LISTED_MAX`](super::bounds::KINDS_LISTED_MAX) of them.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails.
    async fn kinds(&self) -> Result<Vec<String>, StoreError>;

    /// Reads events of a lane behind `after`, in order of position.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails.
    async fn read_lane(
        &self,
        lane: Lane,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Result<LanePage, StoreError>;

    /// The position of the last event of every lane.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails.
    async fn heads(&self) -> Result<Offset, StoreError>;

    /// Whether entities of `kind` have events, deleted ones included. A store looks at the first [`KIND_SAMPLE`]
    /// entities of the kind in its order, however many there are.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails.
    async fn has_events_of(&self, kind: &str) -> Result<bool, StoreError>;

    /// Deletes events of many entities that confirmed snapshots cover. The last event of an entity or of a lane is never
    /// deleted before its number is kept elsewhere: no head moves. Deleting what is deleted already changes nothing.
    ///
    /// It need not be one transaction: a store divides it, so that others get their turn in between. After an error some
    /// of it may be done, and the same call can be repeated.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the incarnation is revoked; [`StoreError::Invalid`] when a deletion is [past the
    /// head](EventDeletion::check_head) of its entity, of which nothing is deleted then, or when there are [too
    /// many](EventDeletion::check_all).
    async fn prune_events(
        &self,
        incarnation: Incarnation,
        deletions: &[EventDeletion],
    ) -> Result<(), StoreError>;

    /// As [`prune_events`](Self::prune_events), of one entity and wherever readers are.
    ///
    /// # Errors
    /// As [`prune_events`](Self::prune_events).
    async fn delete_events(
        &self,
        incarnation: Incarnation,
        entity: &EntityKey,
        up_to: SequenceNr,
    ) -> Result<(), StoreError> {
        self.prune_events(incarnation, &[EventDeletion::new(entity, up_to)]).await
    }

    /// Finishes what is under way and closes files and connections. Later calls get
    /// [`StoreError::Unavailable`]; a second close does nothing, or what was left when the future of the first was
    /// dropped.
    async fn close(&self) {}
}
