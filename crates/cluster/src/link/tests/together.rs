//! What goes into one side comes out at the other one, whatever is sent and in whatever turns.

use crate::link::{incoming::Incoming, link_frame, outgoing::Outgoing};
use actum_proto::link::v1::link_frame::Content;
use bytes::Bytes;
use proptest::{
    prelude::{Strategy, any, prop},
    prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use std::collections::VecDeque;

const LONGEST: usize = 300_000;
const BUFFER: usize = 1 << 20;

/// A message that differs from others.
fn message(ticket: u64, bytes: usize) -> Bytes {
    let mut message = vec![ticket as u8; bytes.max(16)];
    let end = message.len() - 8;
    message[end..].copy_from_slice(&ticket.to_le_bytes());
    message.into()
}

/// How long messages are: mostly short ones.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![8 => 0..2_000usize, 1 => 0..LONGEST], 1..40)
}

proptest! {
    #[test]
    fn every_message_arrives_once_and_in_the_order_of_its_size(
        sizes in sizes(),
        window in 1usize..9,
        turns in prop::collection::vec(any::<bool>(), 0..200),
    ) {
        let (mut outgoing, mut incoming) = (Outgoing::new(BUFFER, LONGEST, window), Incoming::new(LONGEST));
        let (mut wire, mut arrived) = (VecDeque::new(), Vec::new());
        let (mut small, mut long) = (Vec::new(), Vec::new());
        let mut sizes = sizes.into_iter().enumerate();
        let mut turns = turns.into_iter();
        loop {
            if turns.next().unwrap_or(true) && let Some((ticket, bytes)) = sizes.next() {
                let message = message(ticket as u64, bytes);
                let is_small = message.len() <= 64 << 10;
                if outgoing.push(ticket as u64, message.clone()).is_ok() {
                    if is_small { small.push(message) } else { long.push(message) }
                }
            }
            while let Some(out) = outgoing.next_batch() {
                wire.push_back(link_frame::encode(0, Some(Content::Batch(out.batch))));
            }
            prop_assert!(wire.len() <= window);
            prop_assert!(outgoing.buffered_bytes() <= BUFFER + 64 * 64);
            let Some(frame) = wire.pop_front() else {
                if sizes.len() == 0 { break }
                continue;
            };
            prop_assert!(frame.len() <= 200 << 10, "a frame of {} bytes", frame.len());
            let Some(Content::Batch(batch)) = link_frame::decode(frame).unwrap().content else {
                panic!("another content")
            };
            let number = batch.number;
            arrived.extend(incoming.take(batch).unwrap());
            outgoing.taken(number).unwrap();
        }
        prop_assert_eq!(outgoing.buffered_bytes(), 0);
        let (arrived_small, arrived_long): (Vec<_>, Vec<_>) =
            arrived.into_iter().partition(|message| message.len() <= 64 << 10);
        prop_assert_eq!(arrived_small, small);
        prop_assert_eq!(arrived_long, long);
    }

    #[test]
    fn no_bytes_of_a_peer_make_a_decoder_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let _ = link_frame::decode(bytes.into());
        // and what is nearly right
        let mut outgoing = Outgoing::new(BUFFER, LONGEST, 1);
        outgoing.push(1, message(1, 10)).unwrap();
        outgoing.push(2, message(2, 70_000)).unwrap();
        let out = outgoing.next_batch().unwrap();
        let mut frame = link_frame::encode(7, Some(Content::Batch(out.batch))).to_vec();
        for (at, byte) in flips {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        if let Ok(frame) = link_frame::decode(frame.into())
            && let Some(Content::Batch(batch)) = frame.content
        {
            let _ = Incoming::new(LONGEST).take(batch);
        }
    }
}
