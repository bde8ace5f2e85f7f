use super::writes::{Machine, all, append, id_of, ids, machine, store, to_write, words};
use actum_persistence::{
    group_commit::Step,
    store::{EntityAppend, StoreError},
};

fn refused() -> StoreError {
    StoreError::invalid("an event without a name")
}

/// A store that refuses batches with one of the writes `bad`; what was settled, and how many batches it took.
fn run(machine: &mut Machine, bad: impl Fn(u32) -> bool) -> (Vec<(u32, String)>, usize) {
    let (mut settled, mut batches) = (Vec::new(), 0);
    while let Some(Step::Write(batch)) = machine.next_step() {
        batches += 1;
        settled.extend(words(&if batch.iter().any(|append| bad(id_of(append))) {
            machine.finished(batch, Err(refused()))
        } else {
            store(machine, batch)
        }));
    }
    (settled, batches)
}

#[test]
fn a_write_that_is_refused_fails_alone() {
    for bad in 0..100 {
        let mut machine = machine();
        (0..100).for_each(|id| machine.submit(append(id), id));
        let (settled, batches) = run(&mut machine, |id| id == bad);
        let expect = |id| (id, if id == bad { "invalid" } else { "at 1" }.to_owned());
        assert_eq!(settled, (0..100).map(expect).collect::<Vec<_>>());
        assert!(batches <= 15, "{batches} batches to find one bad write of 100");
    }
}

#[test]
fn many_refused_writes_are_bounded_work() {
    let mut machine = machine();
    (0..64).for_each(|id| machine.submit(append(id), id));
    let (settled, batches) = run(&mut machine, |_| true);
    assert_eq!(settled, all(0..64, "invalid"));
    assert_eq!(batches, 127, "a binary tree of 64 leaves");
}

#[test]
fn a_single_refused_write_is_not_sent_again() {
    let mut machine = machine();
    machine.submit(append(1), 1);
    assert_eq!(run(&mut machine, |_| true), (all([1], "invalid"), 1));
}

#[test]
fn later_writes_go_after_the_halves() {
    let mut machine = machine();
    (0..4).for_each(|id| machine.submit(append(id), id));
    let batch = to_write(&mut machine);
    machine.submit(append(9), 9);
    assert!(machine.finished(batch, Err(refused())).is_empty(), "nothing is settled yet");
    let weight = machine.pending();
    assert_eq!((weight.events, weight.bytes), (5, 5));
    let mut sent = Vec::new();
    while let Some(Step::Write(batch)) = machine.next_step() {
        sent.push(ids(&batch));
        store(&mut machine, batch);
    }
    assert_eq!(sent, [vec![0, 1], vec![2, 3], vec![9]]);
}

#[test]
fn another_failure_between_the_halves_settles_that_half_only() {
    let mut machine = machine();
    (0..4).for_each(|id| machine.submit(append(id), id));
    let batch = to_write(&mut machine);
    machine.finished(batch, Err(refused()));
    let half: Vec<EntityAppend> = to_write(&mut machine);
    let settled = machine.finished(half, Err(super::writes::unavailable()));
    assert_eq!(words(&settled), all(0..2, "unavailable"));
    assert_eq!(run(&mut machine, |_| false), (all(2..4, "at 1"), 1));
}
