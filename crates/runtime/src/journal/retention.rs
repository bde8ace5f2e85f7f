use crate::journal_readers::JournalReaders;
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::{
    panics::log_safely,
    serializer::Serializer,
    store::{
        EventDeletion, Incarnation, Snapshot, SnapshotDeletion, SnapshotFit, StoreError, Stores,
    },
};
use std::{fmt, num::NonZeroU32, slice};

/// What is kept of the entities of one kind once a snapshot is confirmed.
pub(crate) struct Retention {
    pub(crate) keep_snapshots: NonZeroU32,
    pub(crate) delete_events: bool,
    /// Decodes a snapshot as a recovery would.
    pub(crate) decode: Decode,
}

/// Decodes a snapshot of a kind, state and remembered commands; says why it cannot be done.
pub(crate) type Decode = Box<dyn Fn(&Serializer, &Snapshot) -> Result<(), String> + Send + Sync>;

/// Finds what a snapshot that was just saved makes superfluous.
///
/// Events go only behind a snapshot that was read back from the store, decoded, and found to cover an event of this journal.
/// So both are checked in the store: the one just saved, before it counts as kept, and the oldest that is kept, which
/// recovery may have to begin at once its events are gone.
pub(crate) struct Tidying<'a> {
    pub(crate) retention: &'a Retention,
    pub(crate) serializer: &'a Serializer,
    pub(crate) stores: &'a Stores,
    pub(crate) readers: &'a JournalReaders,
}

/// What the snapshots of many entities have made superfluous.
#[derive(Default)]
pub(crate) struct Superfluous {
    snapshots: Vec<SnapshotDeletion>,
    events: Vec<EventDeletion>,
}

/// How many unreadable snapshots of an entity are deleted after one was saved; the rest after the next one.
const UNREADABLE_MAX: usize = 8;

/// Whether recovery can begin at a snapshot in the store.
enum Stored {
    Usable,
    Unreadable(String),
    Unfit(SnapshotFit),
}

/// The outcome of checking a snapshot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    /// Recovery can begin at it.
    Usable,
    /// It can be read, and is not of this journal: nothing relies on it.
    Unfit,
    /// It could not be read, and was deleted, so that it never counts as kept.
    Deleted,
}

impl Tidying<'_> {
    /// Adds to `superfluous` what snapshots of `entity` up to the one just saved, `newest`, cover.
    ///
    /// Any of the kept snapshots can be recovered from: only what the oldest of them covers goes, and only when there are
    /// as many as are to be kept; no event from `needed_from` on, since those hold replies that are promised to retries;
    /// and none that a reader of the journal has not read.
    pub(crate) async fn find(
        &self,
        entity: &EntityKey,
        newest: SequenceNr,
        needed_from: Option<SequenceNr>,
        superfluous: &mut Superfluous,
    ) -> Result<(), StoreError> {
        if self.retention.delete_events && self.check(entity, newest).await? != Check::Usable {
            return Ok(());
        }
        for _ in 0..UNREADABLE_MAX {
            let keep = self.retention.keep_snapshots;
            // not those behind the newest: they are ahead of the journal, or of a writer that has taken over
            let kept = self.stores.snapshots.list(entity, newest, keep).await?;
            let Some(&oldest) = kept.get(keep.get() as usize - 1) else { return Ok(()) };
            let known = !self.retention.delete_events || oldest == newest;
            let check = if known { Check::Usable } else { self.check(entity, oldest).await? };
            match check {
                Check::Usable => {
                    self.add(entity, oldest, needed_from, superfluous);
                    return Ok(());
                }
                Check::Unfit => return Ok(()), // newer ones will take its place
                Check::Deleted => {}
            }
        }
        Ok(())
    }

    fn add(
        &self,
        entity: &EntityKey,
        oldest: SequenceNr,
        needed_from: Option<SequenceNr>,
        Superfluous { snapshots, events }: &mut Superfluous,
    ) {
        snapshots.push(SnapshotDeletion::new(entity, SequenceNr::ZERO..=oldest.previous()));
        let up_to = needed_from.map_or(oldest, |needed| oldest.min(needed.previous()));
        if self.retention.delete_events && up_to > SequenceNr::ZERO {
            let lane = self.stores.events.layout().lane_of(entity);
            let read_to = self.readers.read_to(lane);
            events.push(EventDeletion::new(entity, up_to).with_read_to(read_to));
        }
    }

    async fn check(&self, entity: &EntityKey, nr: SequenceNr) -> Result<Check, StoreError> {
        let reason = match self.read_back(entity, nr).await? {
            Stored::Usable => return Ok(Check::Usable),
            Stored::Unfit(unfit) => {
                let reason = unfit.to_string();
                log_safely(|| {
                    tracing::warn!(
                        %entity, sequence_nr = %nr, reason,
                        "snapshot does not fit the journal, events kept"
                    );
                });
                return Ok(Check::Unfit);
            }
            Stored::Unreadable(reason) => reason,
        };
        log_safely(|| {
            tracing::warn!(
                %entity, sequence_nr = %nr, reason,
                "snapshot unreadable, it is deleted and its events are kept"
            );
        });
        self.stores.snapshots.delete(entity, nr..=nr).await?;
        Ok(Check::Deleted)
    }

    async fn read_back(&self, entity: &EntityKey, nr: SequenceNr) -> Result<Stored, StoreError> {
        let snapshot = match self.stores.snapshots.load(entity, nr).await {
            Ok(Some(snapshot)) if snapshot.sequence_nr == nr => snapshot,
            Ok(_) => return Ok(Stored::Unreadable("the store cannot read it back".to_owned())),
            Err(error @ StoreError::Corrupt { .. }) => {
                return Ok(Stored::Unreadable(error.to_string()));
            }
            Err(error) => return Err(error),
        };
        if let Err(reason) = (self.retention.decode)(self.serializer, &snapshot) {
            return Ok(Stored::Unreadable(reason));
        }
        Ok(match snapshot.fit_in(&*self.stores.events).await? {
            SnapshotFit::Fits => Stored::Usable,
            unfit => Stored::Unfit(unfit),
        })
    }
}

impl Superfluous {
    /// Deletes it: snapshots first, so that none is left whose events are gone.
    pub(crate) async fn delete(
        self,
        stores: &Stores,
        incarnation: Incarnation,
    ) -> Result<(), StoreError> {
        if self.snapshots.is_empty() {
            return Ok(()); // no entity loses events and keeps all its snapshots
        }
        stores.snapshots.prune_snapshots(&self.snapshots).await?;
        if self.events.is_empty() {
            return Ok(());
        }
        match stores.events.prune_events(incarnation, &self.events).await {
            // it is about one of them: the others need not stay for it
            Err(error @ StoreError::Invalid { .. }) if self.events.len() > 1 => {
                for one in &self.events {
                    let deleted = stores.events.prune_events(incarnation, slice::from_ref(one));
                    match deleted.await {
                        Ok(()) | Err(StoreError::Invalid { .. }) => {}
                        Err(other) => return Err(other),
                    }
                }
                Err(error)
            }
            deleted => deleted,
        }
    }

    /// Of how many entities it is, at most.
    pub(crate) fn entities(&self) -> usize {
        self.snapshots.len()
    }
}

impl fmt::Debug for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retention")
            .field("keep_snapshots", &self.keep_snapshots)
            .field("delete_events", &self.delete_events)
            .finish_non_exhaustive()
    }
}
