use crate::link::{
    LinkRefusal, LinkViolation,
    outgoing::{BATCH_BYTES_MAX, CHUNK_BYTES_MAX, MESSAGE_OVERHEAD_BYTES, OutBatch, Outgoing},
};
use bytes::Bytes;

const BUFFER: usize = 1 << 20;

fn outgoing(window: usize) -> Outgoing {
    Outgoing::new(BUFFER, BUFFER / 2, window)
}

fn message(bytes: usize) -> Bytes {
    vec![7; bytes].into()
}

fn next(outgoing: &mut Outgoing) -> OutBatch {
    outgoing.next_batch().expect("a batch may go")
}

#[test]
fn a_lone_message_goes_at_once_and_its_sender_waits_for_no_answer() {
    let mut outgoing = outgoing(2);
    outgoing.push(1, message(10)).unwrap();
    let out = next(&mut outgoing);
    assert_eq!((out.batch.number, out.batch.wants_answer, out.tickets), (1, false, vec![1]));
    assert!(outgoing.next_batch().is_none(), "nothing is left");
}

#[test]
fn messages_gather_only_while_as_many_batches_as_may_be_are_on_their_way() {
    let mut outgoing = outgoing(2);
    for ticket in 1..=2 {
        outgoing.push(ticket, message(1)).unwrap();
        assert_eq!(next(&mut outgoing).tickets, [ticket]);
    }
    for ticket in 3..=5 {
        outgoing.push(ticket, message(1)).unwrap();
        assert!(outgoing.next_batch().is_none());
    }
    outgoing.taken(1).unwrap();
    let out = next(&mut outgoing);
    assert_eq!((out.tickets, out.batch.wants_answer), (vec![3, 4, 5], true));
}

#[test]
fn the_last_batch_that_may_go_wants_an_answer() {
    for window in 1..=4 {
        let mut outgoing = outgoing(window);
        let mut wants_answer = false;
        for ticket in 0..window as u64 {
            outgoing.push(ticket, message(1)).unwrap();
            wants_answer = next(&mut outgoing).batch.wants_answer;
        }
        assert!(wants_answer, "else nothing would go before a heartbeat, window {window}");
    }
}

#[test]
fn a_batch_holds_no_more_than_its_bound() {
    let mut outgoing = outgoing(8);
    let count = (BATCH_BYTES_MAX / MESSAGE_OVERHEAD_BYTES) as u64 + 1;
    for ticket in 0..count {
        outgoing.push(ticket, Bytes::new()).unwrap();
    }
    assert_eq!(next(&mut outgoing).batch.messages.len() as u64, count - 1);
    assert_eq!(next(&mut outgoing).batch.messages.len(), 1);

    for ticket in 0..3 {
        outgoing.push(ticket, message(CHUNK_BYTES_MAX)).unwrap();
    }
    assert_eq!(next(&mut outgoing).tickets, [0], "two of them are just too much");
}

#[test]
fn what_is_queued_and_on_its_way_stays_within_the_buffer() {
    let mut outgoing = outgoing(1);
    let mut pushed = 0;
    while outgoing.push(pushed, message(1_000)).is_ok() {
        pushed += 1;
    }
    assert_eq!(pushed as usize, BUFFER / (1_000 + MESSAGE_OVERHEAD_BYTES));
    let out = next(&mut outgoing);
    assert_eq!(outgoing.push(0, message(1_000)), Err(LinkRefusal::Full), "it is on its way");
    assert!(outgoing.buffered_bytes() <= BUFFER);
    outgoing.taken(out.batch.number).unwrap();
    outgoing.push(0, message(1_000)).unwrap();

    while outgoing.next_batch().is_some() {
        let through = outgoing.last_number();
        outgoing.taken(through).unwrap();
    }
    assert_eq!(outgoing.buffered_bytes(), 0, "each byte was counted out again");
}

#[test]
fn a_message_that_is_too_long_is_refused() {
    let mut outgoing = outgoing(1);
    outgoing.push(1, message(BUFFER / 2)).unwrap();
    let refused = outgoing.push(2, message(BUFFER / 2 + 1));
    assert_eq!(refused, Err(LinkRefusal::TooLong { bytes_max: BUFFER / 2 }));
    outgoing.set_message_bytes_max(100);
    assert_eq!(outgoing.push(3, message(101)), Err(LinkRefusal::TooLong { bytes_max: 100 }));
}

#[test]
fn small_messages_go_between_the_pieces_of_a_long_one() {
    let mut outgoing = outgoing(100);
    outgoing.push(1, message(5 * CHUNK_BYTES_MAX)).unwrap();
    for ticket in 2..6 {
        outgoing.push(ticket, message(10)).unwrap();
    }
    let first = next(&mut outgoing);
    assert_eq!(first.tickets, [2, 3, 4, 5]);
    assert!(!first.batch.chunks.is_empty(), "the long one goes on, too");
    outgoing.push(6, message(10)).unwrap();
    assert_eq!(next(&mut outgoing).tickets, [6]);
    let mut tickets = Vec::new();
    while let Some(out) = outgoing.next_batch() {
        tickets.extend(out.tickets);
    }
    assert_eq!(tickets, [1]);
    for through in 1..=outgoing.last_number() {
        outgoing.taken(through).unwrap();
    }
    assert_eq!(outgoing.buffered_bytes(), 0);
}

#[test]
fn long_messages_go_one_after_another() {
    let mut outgoing = outgoing(100);
    for ticket in 1..=3 {
        outgoing.push(ticket, message(CHUNK_BYTES_MAX * 3 / 2)).unwrap();
    }
    let mut offsets = Vec::new();
    while let Some(out) = outgoing.next_batch() {
        offsets.extend(out.batch.chunks.iter().map(|chunk| (chunk.offset, chunk.data.len())));
    }
    let mut held = 0;
    for (offset, bytes) in offsets {
        assert_eq!(offset as usize, held, "at most one is under way");
        held = (held + bytes) % (CHUNK_BYTES_MAX * 3 / 2);
    }
}

#[test]
fn a_peer_cannot_take_what_was_never_sent() {
    let mut outgoing = outgoing(2);
    assert_eq!(outgoing.taken(1), Err(LinkViolation::NeverSent { sent: 0, got: 1 }));
    outgoing.push(1, message(1)).unwrap();
    next(&mut outgoing);
    outgoing.taken(1).unwrap();
    outgoing.taken(0).unwrap();
    assert_eq!(outgoing.taken(2), Err(LinkViolation::NeverSent { sent: 1, got: 2 }));
}

#[test]
fn what_is_given_up_is_what_has_not_gone_whole() {
    let mut outgoing = outgoing(1);
    outgoing.push(1, message(1)).unwrap();
    outgoing.push(2, message(3 * CHUNK_BYTES_MAX)).unwrap();
    assert_eq!(next(&mut outgoing).tickets, [1]);
    outgoing.push(3, message(1)).unwrap();
    assert_eq!(outgoing.give_up(), [3, 2]);
    assert_eq!(outgoing.buffered_bytes(), 0);
    outgoing.push(4, message(1)).unwrap();
    assert_eq!(next(&mut outgoing).batch.number, 1, "the next connection counts from one");
}

#[test]
fn a_long_message_begins_again_on_the_next_connection() {
    let mut outgoing = outgoing(1);
    outgoing.push(1, message(3 * CHUNK_BYTES_MAX)).unwrap();
    assert!(next(&mut outgoing).tickets.is_empty());
    outgoing.taken(1).unwrap();
    outgoing.begin_again();
    outgoing.set_window(9);
    let again = next(&mut outgoing);
    assert_eq!((again.batch.number, again.batch.chunks[0].offset), (1, 0));
    while outgoing.next_batch().is_some() {}
    outgoing.taken(outgoing.last_number()).unwrap();
    assert_eq!(outgoing.buffered_bytes(), 0);
}

#[test]
fn of_latest_messages_one_is_on_its_way_and_one_waits_and_neither_counts_against_the_bound() {
    let mut outgoing = outgoing(4);
    outgoing.set_latest(message(1));
    let out = next(&mut outgoing);
    assert_eq!((out.batch.messages.len(), out.tickets.len()), (1, 0));
    assert!(out.batch.wants_answer, "else the next one would wait for a heartbeat");
    outgoing.set_latest(message(2));
    outgoing.set_latest(message(3));
    assert!(outgoing.next_batch().is_none(), "one is on its way");
    assert_eq!(outgoing.buffered_bytes(), 0);
    outgoing.push(1, message(10)).unwrap();
    assert_eq!(next(&mut outgoing).batch.messages, [message(10)], "others go meanwhile");
    outgoing.taken(1).unwrap();
    assert_eq!(next(&mut outgoing).batch.messages, [message(3)]);
    outgoing.begin_again();
    outgoing.set_latest(message(4));
    assert_eq!(next(&mut outgoing).batch.messages, [message(4)], "on another connection");
    outgoing.set_latest(message(5));
    assert!(outgoing.give_up().is_empty());
    assert!(outgoing.next_batch().is_none());
}
