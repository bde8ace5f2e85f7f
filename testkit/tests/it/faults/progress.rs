//! The progress of projections, and rows with it, that fail as they are asked to.

use actum_model::{EntityKey, LaneCount, Offset, PartitionCount, Position};
use actum_persistence::{
    progress::{
        Activation, DeadLetterPlace, Epoch, ExactTarget, KeepsProgress, NewProjection,
        ParkedRequest, ProgressChange, ProgressSave, ProgressStore, ProjectionId, ReadProgress,
        SaveError, Segment, SegmentClaim,
    },
    store::{JournalLayout, StoreError},
};
use actum_store_memory::{MemoryRows, MemoryTarget};
use actum_testkit::{
    Fault, FaultProgress, FaultTarget, Faults, Gate, Operation, Rates,
    conformance::{exact_target::ExactTargetFixture, progress::ProgressFixture},
};
use async_trait::async_trait;
use std::{
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
    time::Duration,
};

use crate::failing::failure;

/// Where nothing goes wrong, they are what is below them.
struct Transparent(MemoryTarget);

impl Transparent {
    async fn create() -> Self {
        Self(MemoryTarget::new())
    }

    fn target(&self) -> FaultTarget<MemoryTarget> {
        let target = FaultTarget::new(self.0.reopen());
        // going slowly is nothing wrong
        target.faults().chance(7, Rates::default().with_delayed(0.3));
        target
    }
}

#[async_trait]
impl ProgressFixture for Transparent {
    async fn open(&self) -> Arc<dyn ProgressStore> {
        self.target().progress()
    }
}

#[async_trait]
impl ExactTargetFixture for Transparent {
    type Target = FaultTarget<MemoryTarget>;

    async fn open(&self) -> FaultTarget<MemoryTarget> {
        self.target()
    }

    async fn write(&self, rows: &mut MemoryRows, key: &str, value: &str) {
        rows.insert(key, value);
    }

    async fn read(&self, rows: &mut MemoryRows, key: &str) -> Option<String> {
        rows.get(key).map(|bytes| String::from_utf8(bytes).unwrap())
    }
}

mod transparent_progress {
    use super::Transparent;

    actum_testkit::progress_conformance!(Transparent::create);
}

mod transparent_target {
    use super::Transparent;

    actum_testkit::exact_target_conformance!(Transparent::create);
}

struct Rig {
    below: MemoryTarget,
    target: FaultTarget<MemoryTarget>,
    faults: Faults,
    id: ProjectionId,
    segment: Segment,
}

impl Rig {
    async fn new() -> Self {
        let start = Offset::beginning(LaneCount::default());
        let new = NewProjection {
            id: ProjectionId::new("balances", NonZeroU32::MIN).unwrap(),
            sources: Vec::new(),
            layout: JournalLayout::default(),
            segments: Segment::divide(PartitionCount::default(), NonZeroU16::MIN),
            live_from: start.clone(),
            start,
        };
        let below = MemoryTarget::new();
        below.progress().enter(&new).await.unwrap();
        let target = FaultTarget::new(below.reopen());
        let faults = target.faults();
        Self { below, target, faults, id: new.id, segment: new.segments[0] }
    }

    fn save(&self, position: u64) -> ProgressChange {
        let progress = ReadProgress::behind(Offset::of_positions([Position::new(position)]));
        let (id, epoch) = (self.id.clone(), Epoch::default());
        ProgressChange::Save(ProgressSave::nothing(id, self.segment, epoch, progress))
    }

    /// Writes a row and commits it with a save.
    async fn commit(&self, position: u64) -> Result<(), SaveError> {
        let mut tx = self.target.begin(Duration::from_secs(10)).await?;
        let rows = FaultTarget::<MemoryTarget>::connection(&mut tx);
        rows.insert("balance", position.to_string());
        self.target.commit(tx, &self.save(position)).await
    }

    /// What was committed: the row and the progress.
    async fn kept(&self) -> (Option<String>, u64) {
        let row = self.below.row("balance").map(|bytes| String::from_utf8(bytes).unwrap());
        let loaded = self.below.progress().load(&self.id).await.unwrap().unwrap();
        (row, loaded.segments[0].progress.offset().positions()[0].get())
    }
}

#[tokio::test]
async fn every_call_for_progress_can_fail() {
    let rig = Rig::new().await;
    let before = rig.below.progress().load(&rig.id).await.unwrap();
    let faults = Faults::new();
    let store = FaultProgress::scripted(rig.below.progress(), &faults).progress();
    Operation::PROGRESS.iter().for_each(|one| faults.always(*one, Fault::unavailable()));
    let (id, segment, epoch) = (&rig.id, rig.segment, Epoch::default());
    let stored = before.clone().unwrap();
    let new = NewProjection {
        id: id.clone(),
        sources: Vec::new(),
        layout: JournalLayout::default(),
        segments: vec![segment],
        start: stored.live_from.clone(),
        live_from: stored.live_from.clone(),
    };
    let (projection, runner) = (id.clone(), "a".into());
    let claim = SegmentClaim { projection, segment, runner, epoch, replaces: None };
    let seen = [(segment, epoch)];
    let entity = EntityKey::new("account", "1").unwrap();
    let place = DeadLetterPlace { lane: actum_model::Lane::new(0), position: Position::new(1) };
    let answers: [Result<(), SaveError>; 18] = [
        store.enter(&new).await.map(drop).map_err(SaveError::from),
        store.load(id).await.map(drop).map_err(SaveError::from),
        store.projections().await.map(drop).map_err(SaveError::from),
        store.activate(&Activation::of(&stored, None)).await,
        store.delete(id).await.map_err(SaveError::from),
        store.set_paused(id, true).await.map_err(SaveError::from),
        store.renew(id, "a", &[]).await.map_err(SaveError::from),
        store.leave(id, "a").await.map_err(SaveError::from),
        store.claim(&claim).await.map(drop).map_err(SaveError::from),
        store.release(id, segment, epoch).await,
        store.stop(id, segment, epoch, "it hurts").await,
        store.change(&rig.save(40)).await,
        store.divide(id, &seen, &stored.segments).await,
        store.parked(id, segment, None, 1).await.map(drop).map_err(SaveError::from),
        store
            .request(id, Some(&entity), ParkedRequest::Replay)
            .await
            .map(drop)
            .map_err(SaveError::from),
        store.dead_letters(id, segment, false, None, 1).await.map(drop).map_err(SaveError::from),
        store.request_letter(id, Some(place)).await.map(drop).map_err(SaveError::from),
        store.discard_letter(id, None).await.map(drop).map_err(SaveError::from),
    ];
    for (answer, operation) in answers.iter().zip(Operation::PROGRESS) {
        let is_unavailable =
            matches!(answer, Err(SaveError::Store(StoreError::Unavailable { .. })));
        assert!(is_unavailable, "{operation:?}: {answer:?}");
        assert_eq!(faults.calls(operation), 1, "{operation:?}");
    }
    assert_eq!(rig.below.progress().load(id).await.unwrap(), before);
}

#[tokio::test]
async fn a_save_whose_outcome_is_unknown_is_kept_or_not_as_it_was_scripted() {
    let rig = Rig::new().await;
    let store = rig.target.progress();
    for (position, fault, kept) in [
        (40, Fault::unknown_uncommitted(), 0),
        (41, Fault::unknown_committed(), 41),
        (42, Fault::unavailable(), 41),
    ] {
        rig.faults.next(Operation::ChangeProgress, fault);
        let saved = store.change(&rig.save(position)).await;
        assert!(matches!(saved, Err(SaveError::Store(_))), "{saved:?}");
        assert_eq!(rig.kept().await, (None, kept));
    }
    store.change(&rig.save(43)).await.unwrap();
    assert_eq!(rig.kept().await, (None, 43));
}

#[tokio::test]
async fn a_transaction_that_cannot_begin_writes_nothing() {
    let rig = Rig::new().await;
    rig.faults.next(Operation::BeginTransaction, Fault::unavailable());
    let failed = rig.commit(40).await;
    assert!(matches!(failed, Err(SaveError::Store(StoreError::Unavailable { .. }))), "{failed:?}");
    assert_eq!(rig.kept().await, (None, 0));
    rig.commit(40).await.unwrap();
    assert_eq!(rig.kept().await, (Some("40".to_owned()), 40));
}

#[tokio::test]
async fn a_commit_fails_before_or_after_it_is_done() {
    let rig = Rig::new().await;
    for fault in [Fault::unavailable(), Fault::unknown_uncommitted()] {
        rig.faults.next(Operation::CommitTransaction, fault);
        let failed = rig.commit(40).await;
        assert!(matches!(failed, Err(SaveError::Store(_))), "{failed:?}");
        assert_eq!(rig.kept().await, (None, 0));
    }
    rig.faults.next(Operation::CommitTransaction, Fault::unknown_committed());
    let failed = rig.commit(41).await;
    let is_unknown = matches!(failed, Err(SaveError::Store(StoreError::OutcomeUnknown { .. })));
    assert!(is_unknown, "{failed:?}");
    assert_eq!(rig.kept().await, (Some("41".to_owned()), 41));
}

#[tokio::test]
async fn a_broken_transaction_keeps_nothing() {
    let rig = Rig::new().await;
    rig.faults.next(Operation::CommitTransaction, Fault::broken_transaction());
    let broken = rig.commit(40).await;
    assert!(matches!(broken, Err(SaveError::Broken { cause: None })), "{broken:?}");
    assert_eq!(rig.kept().await, (None, 0));
    let text = failure(|| {
        Faults::new().next(Operation::ChangeProgress, Fault::broken_transaction());
    });
    assert!(text.starts_with("ChangeProgress cannot have the fault"), "{text}");
}

#[tokio::test]
async fn a_commit_hangs_before_and_after_it_is_done() {
    let rig = Arc::new(Rig::new().await);
    let (before, after) = (Gate::closed(), Gate::closed());
    let fault = Fault::none().held_before(&before).held_after(&after);
    rig.faults.next(Operation::CommitTransaction, fault);
    let commit = tokio::spawn({
        let rig = Arc::clone(&rig);
        async move { rig.commit(40).await }
    });
    held(&before).await;
    assert_eq!(rig.kept().await, (None, 0));
    let other = rig.target.progress().load(&rig.id).await;
    assert!(other.unwrap().is_some(), "it keeps no one else waiting");
    before.open();
    held(&after).await;
    assert_eq!(rig.kept().await, (Some("40".to_owned()), 40));
    assert!(!commit.is_finished());
    after.open();
    commit.await.unwrap().unwrap();
}

/// Waits until a call is held there, for as long as one may take.
async fn held(gate: &Gate) {
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, gate.held(1)).await.expect("the call is not held");
}

#[tokio::test]
async fn calls_fail_at_their_rates() {
    let rig = Rig::new().await;
    rig.faults.chance(7, Rates::default().with_progress_fails(1.0));
    assert!(rig.target.progress().load(&rig.id).await.is_err());
    assert!(rig.target.begin(Duration::from_secs(10)).await.is_err());
    rig.faults.chance(7, Rates::default().with_progress_unknown(1.0));
    assert!(rig.target.progress().load(&rig.id).await.is_ok(), "a read has no outcome");
    let mut done = 0;
    for position in 1..=100 {
        let failed = rig.commit(position).await;
        let is_unknown = matches!(failed, Err(SaveError::Store(StoreError::OutcomeUnknown { .. })));
        assert!(is_unknown, "{failed:?}");
        let (row, progress) = rig.kept().await;
        assert_eq!(row.unwrap_or_else(|| "0".to_owned()), progress.to_string());
        done += u64::from(progress == position);
    }
    assert!((20..=80).contains(&done), "about half of them are done: {done}");
}
