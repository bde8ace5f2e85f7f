use super::writes::{all, append, machine, to_resolve, to_write, unknown, words};
use actum_persistence::{Weight, store::StoreError};

#[test]
fn what_waits_was_never_written() {
    let mut machine = machine();
    (1..4).for_each(|id| machine.submit(append(id), id));
    assert_eq!(words(&machine.abandon()), all(1..4, "unavailable"));
    assert_eq!(machine.pending(), Weight::ZERO);
    assert!(machine.next_step().is_none());
}

#[test]
fn what_is_in_flight_is_of_unknown_outcome() {
    let mut machine = machine();
    (1..3).for_each(|id| machine.submit(append(id), id));
    to_write(&mut machine);
    machine.submit(append(3), 3);
    let expected = [all(1..3, "unknown"), all([3], "unavailable")].concat();
    assert_eq!(words(&machine.abandon()), expected);
    assert_eq!(machine.pending(), Weight::ZERO);
}

#[test]
fn what_is_being_resolved_is_of_unknown_outcome() {
    let mut machine = machine();
    machine.submit(append(1), 1);
    let batch = to_write(&mut machine);
    machine.finished(batch, Err(unknown()));
    to_resolve(&mut machine);
    assert_eq!(words(&machine.abandon()), all([1], "unknown"));
}

#[test]
fn halves_that_wait_were_never_written() {
    let mut machine = machine();
    (0..4).for_each(|id| machine.submit(append(id), id));
    let batch = to_write(&mut machine);
    machine.finished(batch, Err(StoreError::invalid("no")));
    to_write(&mut machine);
    let expected = [all(0..2, "unknown"), all(2..4, "unavailable")].concat();
    assert_eq!(words(&machine.abandon()), expected);
    // no half of the past bounds a later batch
    (0..9).for_each(|id| machine.submit(append(id), id));
    assert_eq!(to_write(&mut machine).len(), 9);
}

#[test]
fn nothing_is_abandoned_twice() {
    let mut machine = machine();
    machine.submit(append(1), 1);
    assert_eq!(machine.abandon().len(), 1);
    assert!(machine.abandon().is_empty());
}
