//! Projections, and what they cannot handle.

use super::ProgressFixture;
use crate::conformance::sample::{entity, timestamp};
use actum_model::{
    EntityKey, Lane, LaneCount, Offset, Partition, PartitionCount, Position, SequenceNr,
};
use actum_persistence::{
    progress::{
        DeadLetter, DeadLetterPlace, LastRead, NewProjection, ParkedEntity, ProgressChange,
        ProgressSave, ProgressStore, ProjectionId, ReadProgress, Rewind, SaveError, SeenOwner,
        Segment, SegmentClaim, StoredProjection, StoredSegment,
    },
    store::{EventId, Incarnation, JournalLayout},
};
use std::{fmt::Debug, num::NonZeroU32, sync::Arc};

/// A projection of a store, as the cases use it.
#[derive(Clone)]
pub(crate) struct TestProjection {
    pub(crate) store: Arc<dyn ProgressStore>,
    pub(crate) id: ProjectionId,
}

/// All that is kept of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Everything {
    stored: Option<StoredProjection>,
    parked: Vec<ParkedEntity>,
    dead_letters: Vec<DeadLetter>,
}

impl TestProjection {
    /// Opens the store and enters the projection `balances`.
    pub(crate) async fn enter(fixture: &dyn ProgressFixture) -> Self {
        Self::enter_in(&fixture.open().await, &new_projection("balances", 1)).await
    }

    pub(crate) async fn enter_in(store: &Arc<dyn ProgressStore>, new: &NewProjection) -> Self {
        store.enter(new).await.expect("a projection can be entered");
        Self { store: Arc::clone(store), id: new.id.clone() }
    }

    /// The same projection through another handle.
    pub(crate) async fn reopen(&self, fixture: &dyn ProgressFixture) -> Self {
        Self { store: fixture.open().await, id: self.id.clone() }
    }

    pub(crate) async fn load(&self) -> StoredProjection {
        let loaded = self.store.load(&self.id).await.expect("a projection can be loaded");
        loaded.expect("it was entered")
    }

    pub(crate) async fn segment(&self, segment: Segment) -> StoredSegment {
        let segments = self.load().await.segments;
        segments.into_iter().find(|one| one.segment == segment).expect("the segment is there")
    }

    pub(crate) async fn everything(&self) -> Everything {
        Everything {
            stored: self.store.load(&self.id).await.expect("a projection can be loaded"),
            parked: self.parked(everywhere()).await,
            dead_letters: self.dead_letters(everywhere()).await,
        }
    }

    pub(crate) async fn parked(&self, segment: Segment) -> Vec<ParkedEntity> {
        let parked = self.store.parked(&self.id, segment, None, u32::MAX).await;
        parked.expect("parked entities can be listed")
    }

    pub(crate) async fn dead_letters(&self, segment: Segment) -> Vec<DeadLetter> {
        let letters = self.store.dead_letters(&self.id, segment, false, None, u32::MAX).await;
        letters.expect("dead letters can be listed")
    }

    pub(crate) async fn renew(&self, runner: &str) {
        self.store.renew(&self.id, runner, &[]).await.expect("a runner can renew");
    }

    /// Claims a segment as it is: the owner is taken for dead.
    pub(crate) async fn claim(&self, segment: Segment, runner: &str) -> StoredSegment {
        self.renew(runner).await;
        let claim = self.claim_as_seen(&self.load().await, segment, runner);
        let claimed = self.store.claim(&claim).await.expect("a segment can be claimed");
        claimed.expect("the claim is right")
    }

    /// A claim of a segment as it is in `seen`.
    pub(crate) fn claim_as_seen(
        &self,
        seen: &StoredProjection,
        segment: Segment,
        runner: &str,
    ) -> SegmentClaim {
        let found = seen.segments.iter().find(|one| one.segment == segment);
        let found = found.expect("the segment is there");
        let renewal = |name: &str| {
            let row = seen.runners.iter().find(|row| &*row.name == name);
            row.map(|row| row.renewal)
        };
        let owner = found.owner.clone();
        SegmentClaim {
            projection: self.id.clone(),
            segment,
            runner: runner.into(),
            epoch: found.epoch,
            replaces: owner.map(|name| SeenOwner { renewal: renewal(&name), name }),
        }
    }

    /// A save of a segment that changes nothing.
    pub(crate) fn save_of(&self, held: &StoredSegment) -> ProgressSave {
        let progress = held.progress.clone();
        ProgressSave {
            saved_at: held.saved_at,
            ..ProgressSave::nothing(self.id.clone(), held.segment, held.epoch, progress)
        }
    }

    pub(crate) async fn save(&self, save: ProgressSave) {
        self.store.change(&ProgressChange::Save(save)).await.expect("the epoch is right");
    }

    /// A rewind to `to` of what was seen.
    pub(crate) fn rewind_of(&self, seen: &StoredProjection, to: Offset) -> Rewind {
        Rewind {
            projection: self.id.clone(),
            live_from: to.clone(),
            to,
            seen: seen.segments.iter().map(|one| (one.segment, one.epoch)).collect(),
        }
    }
}

/// A projection of a journal of two lanes, in two segments.
pub(crate) fn new_projection(name: &str, version: u32) -> NewProjection {
    NewProjection {
        id: projection_id(name, version),
        sources: vec!["account".to_owned(), "transfer".to_owned()],
        layout: JournalLayout {
            lanes: LaneCount::new(2).expect("there is a lane"),
            partitions: PartitionCount::default(),
        },
        segments: vec![left(), right()],
        start: offset([3, 5]),
        live_from: offset([7, 8]),
    }
}

pub(crate) fn projection_id(name: &str, version: u32) -> ProjectionId {
    let version = NonZeroU32::new(version).expect("versions begin with 1");
    ProjectionId::new(name, version).expect("the name is valid")
}

pub(crate) fn segment(first: u16, last: u16) -> Segment {
    Segment::new(Partition::new(first), Partition::new(last)).expect("it has a partition")
}

/// The segment of the lower partitions.
pub(crate) fn left() -> Segment {
    segment(0, 127)
}

/// The segment of the upper partitions.
pub(crate) fn right() -> Segment {
    segment(128, 255)
}

/// All partitions.
pub(crate) fn everywhere() -> Segment {
    segment(0, u16::MAX)
}

pub(crate) fn offset(positions: impl IntoIterator<Item = u64>) -> Offset {
    Offset::of_positions(positions.into_iter().map(Position::new).collect::<Vec<_>>())
}

/// What has read the first lane up to `position`, and has met an event there.
pub(crate) fn progress_at(position: u64) -> ReadProgress {
    let mut progress = ReadProgress::behind(offset([3, 5]));
    let event_id = EventId { incarnation: Incarnation::new(2), nr: position * 10 };
    progress.met(Lane::new(0), LastRead { position: Position::new(position), event_id });
    progress
}

/// An account that is parked, in a partition of this number.
pub(crate) fn parked(id: &str, partition: u16) -> ParkedEntity {
    parked_entity(entity("account", id), partition)
}

pub(crate) fn parked_entity(entity: EntityKey, partition: u16) -> ParkedEntity {
    ParkedEntity {
        entity,
        partition: Partition::new(partition),
        lane: Lane::new(partition % 2),
        from: SequenceNr::new(17),
        position: Position::new(170),
        error: "the balance is negative".into(),
        attempts: 4,
        parked_at: timestamp(),
        request: None,
    }
}

/// A dead letter at this place, of an entity in a partition of this number.
pub(crate) fn dead_letter(lane: u16, position: u64, partition: u16) -> DeadLetter {
    DeadLetter {
        place: place(lane, position),
        entity: entity("account", "acc-9"),
        partition: Partition::new(partition),
        sequence_nr: SequenceNr::new(23),
        event_id: EventId { incarnation: Incarnation::new(2), nr: 230 },
        manifest: "account.deposited".into(),
        error: "there is no such currency".into(),
        attempts: 3,
        skipped_at: timestamp(),
        is_requested: false,
    }
}

pub(crate) fn place(lane: u16, position: u64) -> DeadLetterPlace {
    DeadLetterPlace { lane: Lane::new(lane), position: Position::new(position) }
}

/// Panics unless `result` says that the epoch is another one.
#[track_caller]
pub(crate) fn assert_stale<T: Debug>(result: Result<T, SaveError>) {
    match result {
        Err(SaveError::Stale) => {}
        other => panic!("the epoch is another one, but the store says {other:?}"),
    }
}

/// Whether a change was kept, or was stale. It is made again while the store says that it cannot at the moment: nothing was
/// kept then.
macro_rules! is_kept {
    ($call:expr) => {
        loop {
            match $call.await {
                Ok(()) => break true,
                Err(actum_persistence::progress::SaveError::Stale) => break false,
                Err(actum_persistence::progress::SaveError::Store(
                    actum_persistence::store::StoreError::Unavailable { .. },
                )) => tokio::task::yield_now().await,
                Err(error) => panic!("a change fails with {error}"),
            }
        }
    };
}
pub(crate) use is_kept;
