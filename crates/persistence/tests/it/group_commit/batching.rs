use super::writes::{append, append_of, bounded, ids, machine, state_write, store, to_write};
use actum_model::{Partition, Revision};
use actum_persistence::{
    Weight,
    group_commit::{GroupCommit, GroupCommitSettings, GroupWrite, Step, WriterScope},
    store::{CommandRecord, StateChange, StateWrite},
};

#[test]
fn nothing_submitted_is_nothing_to_do() {
    assert!(machine().next_step().is_none());
}

#[test]
fn a_single_write_goes_at_once() {
    let mut machine = machine();
    machine.submit(append(1), 10);
    assert_eq!(ids(&to_write(&mut machine)), [1]);
}

#[test]
fn while_a_batch_is_in_flight_the_next_one_gathers() {
    let mut machine = machine();
    machine.submit(append(1), 10);
    let first = to_write(&mut machine);
    for id in 2..5 {
        machine.submit(append(id), id);
        assert!(machine.next_step().is_none(), "a second batch in flight");
    }
    store(&mut machine, first);
    assert_eq!(ids(&to_write(&mut machine)), [2, 3, 4]);
}

#[test]
fn writes_go_in_the_order_of_their_submission() {
    let mut machine = bounded(3, 1000);
    let order = [9, 2, 7, 1, 8, 3, 6];
    order.iter().for_each(|id| machine.submit(append(*id), *id));
    let mut sent = Vec::new();
    while let Some(Step::Write(batch)) = machine.next_step() {
        sent.push(ids(&batch));
        store(&mut machine, batch);
    }
    assert_eq!(sent, [vec![9, 2, 7], vec![1, 8, 3], vec![6]]);
}

#[test]
fn a_batch_keeps_to_both_bounds() {
    // (events and bytes a batch may have, sizes of the events of each write, writes of each batch)
    type Case = (usize, usize, &'static [&'static [usize]], &'static [usize]);
    let cases: [Case; 8] = [
        (4, 100, &[&[1, 1], &[1, 1], &[1]], &[2, 1]),
        (4, 100, &[&[1, 1], &[1, 1, 1], &[1]], &[1, 2]),
        (4, 100, &[&[50], &[50], &[1]], &[2, 1]),
        (4, 100, &[&[50], &[51], &[1]], &[1, 2]),
        (4, 100, &[&[1, 1, 1, 1, 1], &[1]], &[1, 1]),
        (4, 100, &[&[1], &[101], &[1]], &[1, 1, 1]),
        (1, 1, &[&[0], &[0], &[5, 5]], &[1, 1, 1]),
        (4, 100, &[&[0], &[0], &[0], &[0], &[0]], &[4, 1]),
    ];
    for (events, bytes, writes, expected) in cases {
        let mut machine = bounded(events, bytes);
        for (id, sizes) in (0..).zip(writes) {
            machine.submit(append_of(id, sizes), id);
        }
        let mut batches = Vec::new();
        while let Some(Step::Write(batch)) = machine.next_step() {
            batches.push(batch.len());
            store(&mut machine, batch);
        }
        assert_eq!(batches, expected, "{events} events, {bytes} bytes: {writes:?}");
    }
}

#[test]
fn a_second_write_of_an_entity_waits_for_the_next_batch() {
    let mut machine = machine();
    for (id, ticket) in [(1, 10), (2, 20), (1, 11), (3, 30), (1, 12)] {
        machine.submit(append(id), ticket);
    }
    let mut batches = Vec::new();
    while let Some(Step::Write(batch)) = machine.next_step() {
        let settled = store(&mut machine, batch);
        batches.push(settled.iter().map(|settled| settled.ticket).collect::<Vec<_>>());
    }
    assert_eq!(batches, [vec![10, 20], vec![11, 30], vec![12]]);
}

#[test]
fn what_waits_and_what_is_pending_is_weighed() {
    let weight = |events, bytes| Weight { events, bytes };
    let mut machine = bounded(3, 1000);
    machine.submit(append_of(1, &[10, 20]), 1);
    machine.submit(append_of(2, &[5]), 2);
    machine.submit(append_of(3, &[7]), 3);
    assert_eq!((machine.waiting(), machine.pending()), (weight(4, 42), weight(4, 42)));
    let batch = to_write(&mut machine);
    assert_eq!((machine.waiting(), machine.pending()), (weight(1, 7), weight(4, 42)));
    store(&mut machine, batch);
    assert_eq!((machine.waiting(), machine.pending()), (weight(1, 7), weight(1, 7)));
    let batch = to_write(&mut machine);
    store(&mut machine, batch);
    assert_eq!((machine.waiting(), machine.pending()), (Weight::ZERO, Weight::ZERO));
}

#[test]
fn metadata_and_remembered_commands_weigh_too() {
    let mut append = append_of(1, &[10]);
    append.events[0].metadata = b"12345".as_slice().into();
    assert_eq!(append.weight(), Weight { events: 1, bytes: 15 });
    assert_eq!(state_write(1).weight(), Weight { events: 1, bytes: 10 });
    let record = b"123".as_slice().into();
    let command =
        CommandRecord { revision: Revision::new(1), id_hash: 1, uptime_seconds: 0, record };
    let commands = vec![command];
    let deleted = StateWrite { change: StateChange::Delete, commands, ..state_write(1) };
    assert_eq!(deleted.weight(), Weight { events: 2, bytes: 3 });
}

#[test]
fn every_result_carries_the_partition_of_its_entity() {
    let mut machine = machine();
    for (ticket, partition) in [(1, 5), (2, 6), (3, 5)] {
        let partition = Partition::new(partition);
        machine
            .submit(actum_persistence::store::EntityAppend { partition, ..append(ticket) }, ticket);
    }
    let batch = to_write(&mut machine);
    let settled = store(&mut machine, batch);
    let partitions: Vec<u16> = settled.iter().map(|settled| settled.partition.nr()).collect();
    assert_eq!(partitions, [5, 6, 5]);
}

#[test]
fn durable_states_are_grouped_the_same_way() {
    let settings = GroupCommitSettings::default().with_batch_events_max(2);
    let mut machine = GroupCommit::<StateWrite, u32>::new(WriterScope::States, &settings);
    (0..3).for_each(|id| machine.submit(state_write(id), id));
    let Some(Step::Write(batch)) = machine.next_step() else { panic!("nothing to write") };
    assert_eq!(batch.len(), 2);
}

#[test]
#[should_panic(expected = "a batch finishes that was written")]
fn finishing_a_batch_that_was_not_written_is_a_bug() {
    machine().finished(vec![append(1)], Ok(vec![]));
}

#[test]
#[should_panic(expected = "the batch that was handed out comes back")]
fn giving_another_batch_back_is_a_bug() {
    let mut machine = machine();
    machine.submit(append(1), 1);
    to_write(&mut machine);
    machine.finished(vec![], Ok(vec![]));
}
