use super::model_journal::ModelJournal;
use crate::segment::{
    Backoff, Batch, BatchOutcome, FailedBy, OnFailure, SegmentMachine, SegmentRules, SegmentStep,
    Surrounding,
};
use actum_model::{EntityKey, Lane, LaneCount, Offset, Partition, Position, SequenceNr, Timestamp};
use actum_persistence::{
    progress::{
        DeadLetter, DeadLetterPlace, ParkedEntity, ParkedRequest, ProjectionId, ReadProgress,
        Segment, StoredSegment,
    },
    store::PageLimit,
};
use std::{num::NonZeroU32, time::Duration};

const AROUND: Surrounding =
    Surrounding { now: Duration::ZERO, wall: Timestamp::from_micros(0), chance: 0.0 };

/// A segment that has read a journal of one event, and holds that back.
fn machine(journal: &ModelJournal, parked: &[ParkedEntity]) -> SegmentMachine {
    let rules = SegmentRules {
        batch: PageLimit::default(),
        batch_interval: Duration::ZERO,
        retries: 3,
        backoff: Backoff::AWAY,
        unavailable: Backoff::AWAY,
        on_failure: OnFailure::ParkEntity,
        on_unknown: OnFailure::ParkEntity,
        parked_max: 10,
        parked_in_row_max: 10,
        latest_only: false,
        is_exact: true,
        save_interval: Duration::ZERO,
    };
    let segment = Segment::new(Partition::new(0), Partition::new(9)).unwrap();
    let stored = StoredSegment::new(segment, ReadProgress::behind(journal.heads()));
    let id = ProjectionId::new("balances", NonZeroU32::MIN).unwrap();
    SegmentMachine::new(id, stored, parked, LaneCount::default(), rules, Duration::ZERO)
}

fn journal_of_one() -> ModelJournal {
    let mut journal = ModelJournal::new(LaneCount::default());
    journal.append(1);
    journal
}

fn entity() -> EntityKey {
    EntityKey::new("account", "a1").unwrap()
}

fn parked() -> ParkedEntity {
    ParkedEntity {
        entity: entity(),
        partition: Partition::new(1),
        lane: Lane::new(0),
        from: SequenceNr::new(1),
        position: Position::new(1),
        error: "poison".into(),
        attempts: 4,
        parked_at: Timestamp::default(),
        request: Some(ParkedRequest::Replay),
    }
}

fn letter(journal: &ModelJournal) -> DeadLetter {
    let event = journal.events_of(&entity()).next().unwrap();
    DeadLetter {
        place: DeadLetterPlace { lane: Lane::new(0), position: Position::new(1) },
        entity: entity(),
        partition: Partition::new(1),
        sequence_nr: SequenceNr::new(1),
        event_id: event.event.event_id,
        manifest: "deposited".into(),
        error: "poison".into(),
        attempts: 4,
        skipped_at: Timestamp::default(),
        is_requested: true,
    }
}

/// Reads what is replayed; returns it.
fn read(machine: &mut SegmentMachine, journal: &ModelJournal, heads: &Offset) -> Batch {
    let step = machine.next(Duration::ZERO, heads);
    let SegmentStep::ReadEntity { entity, after, .. } = step else { panic!("{step:?}") };
    machine.read_entity(journal.read_entity(&entity, after, 1), AROUND);
    let step = machine.next(Duration::ZERO, heads);
    let SegmentStep::Handle(batch) = step else { panic!("{step:?}") };
    batch
}

/// The replay fails, and what is kept is read again before that is saved; it is not tried again.
fn fails_once(parked: &[ParkedEntity], letters: &[DeadLetter]) {
    let journal = journal_of_one();
    let heads = journal.heads();
    let mut machine = machine(&journal, parked);
    machine.requested(parked.to_vec(), letters.to_vec());
    let batch = read(&mut machine, &journal, &heads);
    let failed = BatchOutcome::Failed { at: 0, error: "poison".into(), cause: FailedBy::Handler };
    machine.ended(&batch, failed, AROUND);
    machine.requested(parked.to_vec(), letters.to_vec());
    let step = machine.next(Duration::ZERO, &heads);
    let SegmentStep::Save(save) = step else { panic!("{step:?}") };
    assert_eq!(save.parked.len() + save.dead_letters.len(), 1);
    machine.saved(&save, Duration::ZERO);
    let step = machine.next(Duration::ZERO, &heads);
    assert!(matches!(step, SegmentStep::Idle { .. }), "{step:?}");
    machine.requested(parked.to_vec(), letters.to_vec());
    read(&mut machine, &journal, &heads);
}

#[test]
fn a_parked_entity_whose_replay_has_failed_is_replayed_again_when_that_is_asked_again() {
    fails_once(&[parked()], &[]);
}

#[test]
fn a_dead_letter_whose_replay_has_failed_is_replayed_again_when_that_is_asked_again() {
    fails_once(&[], &[letter(&journal_of_one())]);
}
