use super::writes::{
    all, append, appended, machine, state_write, to_write, unavailable, unknown, word, words,
};
use actum_model::{Revision, SequenceNr};
use actum_persistence::{
    group_commit::{CommitError, GroupCommit, GroupCommitSettings, Step, WriterScope},
    store::{AppendOutcome, Incarnation, Resolution::Stored, StateOutcome, StateWrite, StoreError},
};

#[test]
fn each_write_gets_its_own_outcome() {
    let mut machine = machine();
    (1..5).for_each(|id| machine.submit(append(id), id));
    let batch = to_write(&mut machine);
    let conflict = AppendOutcome::Conflict { actual: SequenceNr::new(7) };
    let outcomes = vec![appended(41), conflict, AppendOutcome::NotOwned, appended(42)];
    let settled = machine.finished(batch, Ok(outcomes));
    let expected = [(1, "at 41"), (2, "conflict 7"), (3, "not owned"), (4, "at 42")];
    assert_eq!(words(&settled), expected.map(|(ticket, word)| (ticket, word.to_owned())));
    assert!(machine.next_step().is_none());
}

#[test]
fn a_failure_of_the_batch_fails_each_of_its_writes_and_no_other() {
    let incarnation = Incarnation::new(3);
    let failures = [
        (StoreError::Fenced { incarnation }, "fenced"),
        (unavailable(), "unavailable"),
        (StoreError::corrupt("a hole"), "corrupt"),
    ];
    for (error, expected) in failures {
        let mut machine = machine();
        (1..4).for_each(|id| machine.submit(append(id), id));
        let batch = to_write(&mut machine);
        machine.submit(append(4), 4);
        let settled = machine.finished(batch, Err(error));
        assert_eq!(words(&settled), all(1..4, expected));
        let next = to_write(&mut machine);
        let settled = machine.finished(next, Ok(vec![appended(1)]));
        assert_eq!(words(&settled), all([4], "at 1"), "after {expected}");
    }
}

#[test]
fn the_wrong_number_of_outcomes_is_corrupt() {
    for count in [0, 1, 3] {
        let mut machine = machine();
        (1..3).for_each(|id| machine.submit(append(id), id));
        let batch = to_write(&mut machine);
        let settled = machine.finished(batch, Ok(vec![appended(1); count]));
        assert_eq!(words(&settled), all(1..3, "corrupt"), "{count} outcomes");
        let Err(CommitError::Store(error)) = &settled[0].result else { panic!("{settled:?}") };
        let expected =
            format!("the store holds corrupt data: {count} outcomes of a batch of 2 writes");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn the_wrong_number_of_resolved_outcomes_is_corrupt() {
    for count in [0, 1, 3] {
        let mut machine = machine();
        (1..3).for_each(|id| machine.submit(append(id), id));
        let batch = to_write(&mut machine);
        machine.finished(batch, Err(unknown()));
        let Some(Step::Resolve { writes, .. }) = machine.next_step() else { panic!("no resolve") };
        let settled = machine.resolved(writes, Ok(vec![Stored(appended(1)); count]));
        assert_eq!(words(&settled), all(1..3, "corrupt"), "{count} outcomes");
    }
}

#[test]
fn a_state_is_written_or_in_conflict_at_its_revision_or_not_owned() {
    let mut machine =
        GroupCommit::<StateWrite, u32>::new(WriterScope::States, &GroupCommitSettings::default());
    (1..4).for_each(|id| machine.submit(state_write(id), id));
    let Some(Step::Write(batch)) = machine.next_step() else { panic!("nothing to write") };
    let conflict = StateOutcome::Conflict { actual: Revision::new(8) };
    let outcomes = vec![StateOutcome::Written, conflict, StateOutcome::NotOwned];
    let settled = machine.finished(batch, Ok(outcomes));
    assert_eq!(word(&settled[0].result), "written");
    assert_eq!(word(&settled[1].result), "conflict 8");
    assert_eq!(word(&settled[2].result), "not owned");
}

#[test]
fn errors_read_well() {
    let conflict = CommitError::Conflict { actual: SequenceNr::new(7) };
    assert_eq!(conflict.to_string(), "the journal has the entity at 7");
    let store = CommitError::from(unavailable());
    assert_eq!(store.to_string(), "the store is unavailable: appending");
}
