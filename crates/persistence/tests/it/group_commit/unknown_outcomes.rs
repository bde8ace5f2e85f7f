use super::writes::{
    Machine, all, append, appended, id_of, ids, machine, to_resolve, to_write, unavailable,
    unknown, words,
};
use actum_model::Lane;
use actum_persistence::{
    group_commit::{CommitError, GroupCommit, GroupCommitSettings, WriterScope},
    store::{
        EntityAppend, Incarnation,
        Resolution::{NotStored, Stored, Untraceable},
        StoreError,
    },
};

/// A machine whose batch of the writes 1 to 3 has an unknown outcome, while write 4 waits.
fn in_doubt(mut machine: Machine) -> (Machine, Vec<EntityAppend>) {
    (1..4).for_each(|id| machine.submit(append(id), id));
    let batch = to_write(&mut machine);
    machine.submit(append(4), 4);
    assert!(machine.finished(batch, Err(unknown())).is_empty(), "nothing is settled yet");
    let (batch, attempt) = to_resolve(&mut machine);
    assert_eq!(attempt, 1);
    (machine, batch)
}

#[test]
fn the_same_batch_is_resolved_before_anything_else_is_written() {
    let (mut machine, batch) = in_doubt(machine());
    assert_eq!(ids(&batch), [1, 2, 3]);
    assert_eq!(batch.iter().map(|append| append.first_event_nr).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(machine.next_step().is_none(), "something else while a batch is being resolved");
    assert_eq!(machine.pending().events, 4);
}

#[test]
fn what_is_stored_succeeds_and_what_is_not_failed_cleanly() {
    let (mut machine, batch) = in_doubt(machine());
    let settled =
        machine.resolved(batch, Ok(vec![Stored(appended(5)), NotStored, Stored(appended(6))]));
    let expected = [(1, "at 5"), (2, "unavailable"), (3, "at 6")];
    assert_eq!(words(&settled), expected.map(|(ticket, word)| (ticket, word.to_owned())));
    let Err(CommitError::Store(error @ StoreError::Unavailable { source, .. })) =
        &settled[1].result
    else {
        panic!("{settled:?}")
    };
    assert!(!error.maybe_written());
    assert_eq!(source.to_string(), "the connection broke");
    assert_eq!(ids(&to_write(&mut machine)), [4]);
}

#[test]
fn what_no_one_can_find_out_any_more_ends_at_once_and_the_others_are_settled() {
    let (mut machine, batch) = in_doubt(machine());
    let gone = Untraceable { why: "the events of account/2 were deleted".to_owned() };
    let settled = machine.resolved(batch, Ok(vec![Stored(appended(5)), gone, NotStored]));
    let expected = [(1, "at 5"), (2, "unknown"), (3, "unavailable")];
    assert_eq!(words(&settled), expected.map(|(ticket, word)| (ticket, word.to_owned())));
    let Err(CommitError::Store(StoreError::OutcomeUnknown { source, .. })) = &settled[1].result
    else {
        panic!("{settled:?}")
    };
    let why = "the connection broke; then the events of account/2 were deleted";
    assert_eq!(source.to_string(), why);
    assert_eq!(ids(&to_write(&mut machine)), [4], "nothing is asked again");
}

#[test]
fn resolving_is_tried_again_until_it_succeeds() {
    let (mut machine, mut batch) = in_doubt(machine());
    for failed in 1..5 {
        machine.resolved(batch, Err(unavailable()));
        let attempt;
        (batch, attempt) = to_resolve(&mut machine);
        assert_eq!(attempt, failed + 1);
    }
    let settled = machine.resolved(batch, Ok(vec![Stored(appended(9)); 3]));
    assert_eq!(words(&settled), all(1..4, "at 9"));
}

#[test]
fn after_the_last_attempt_every_write_is_of_unknown_outcome() {
    for attempts in [1, 2, 10] {
        let settings = GroupCommitSettings::default().with_resolve_attempts_max(attempts);
        let (mut machine, mut batch) =
            in_doubt(GroupCommit::new(WriterScope::Lane(Lane::new(0)), &settings));
        for _ in 1..attempts {
            machine.resolved(batch, Err(unavailable()));
            (batch, _) = to_resolve(&mut machine);
        }
        machine.submit(append(5), 5);
        let settled = machine.resolved(batch, Err(unavailable()));
        assert_eq!(words(&settled), all(1..4, "unknown"), "{attempts} attempts");
        let Err(CommitError::Store(StoreError::OutcomeUnknown { source, .. })) = &settled[0].result
        else {
            panic!("{settled:?}")
        };
        assert_eq!(
            source.to_string(),
            "the connection broke",
            "the first error is the one that explains it"
        );
        let next = ids(&to_write(&mut machine));
        assert_eq!(next.last(), Some(&5), "the next batch goes on");
    }
}

#[test]
fn every_error_of_resolving_leaves_the_outcome_open() {
    for error in [unknown(), unavailable(), StoreError::invalid("no"), StoreError::corrupt("oh")] {
        let (mut machine, batch) = in_doubt(machine());
        assert_eq!(words(&machine.resolved(batch, Err(error))), all([4], "unavailable"));
        let (batch, _) = to_resolve(&mut machine);
        assert_eq!(batch.iter().map(id_of).collect::<Vec<_>>(), [1, 2, 3]);
    }
}

#[test]
fn resolving_in_a_store_that_is_lost_is_not_tried_again() {
    for error in [StoreError::lost("gone"), StoreError::Fenced { incarnation: Incarnation::new(1) }]
    {
        let (mut machine, batch) = in_doubt(machine());
        assert_eq!(words(&machine.resolved(batch, Err(error))), all(1..4, "unknown"));
        assert_eq!(ids(&to_write(&mut machine)), [4], "the store says to the others what it is");
    }
}

#[test]
fn a_later_batch_in_doubt_has_all_its_attempts() {
    let settings = GroupCommitSettings::default().with_resolve_attempts_max(2);
    let (mut machine, batch) =
        in_doubt(GroupCommit::new(WriterScope::Lane(Lane::new(0)), &settings));
    machine.resolved(batch, Err(unavailable()));
    let (batch, _) = to_resolve(&mut machine);
    machine.resolved(batch, Err(unavailable()));
    machine.submit(append(5), 5);
    let batch = to_write(&mut machine);
    machine.finished(batch, Err(unknown()));
    let (batch, attempt) = to_resolve(&mut machine);
    assert_eq!(attempt, 1);
    assert!(machine.resolved(batch, Err(unavailable())).is_empty(), "one attempt is left");
}

#[test]
#[should_panic(expected = "a batch is resolved whose outcome is unknown")]
fn resolving_a_batch_that_is_being_written_is_a_bug() {
    let mut machine = machine();
    machine.submit(append(1), 1);
    let batch = to_write(&mut machine);
    machine.resolved(batch, Ok(vec![NotStored]));
}

#[test]
#[should_panic(expected = "a batch that is being resolved does not finish")]
fn finishing_a_batch_that_is_being_resolved_is_a_bug() {
    let (mut machine, batch) = in_doubt(machine());
    machine.finished(batch, Ok(vec![appended(1); 3]));
}
