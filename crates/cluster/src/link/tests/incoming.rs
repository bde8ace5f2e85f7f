use crate::link::{LinkViolation, incoming::Incoming};
use actum_proto::link::v1::{Batch, Chunk};
use bytes::Bytes;

const LONGEST: usize = 1_000;

fn batch(number: u64, messages: &[&'static [u8]], chunks: Vec<Chunk>) -> Batch {
    let messages = messages.iter().map(|message| Bytes::from_static(message)).collect();
    Batch { number, wants_answer: false, messages, chunks }
}

fn chunk(total_bytes: u64, offset: u64, data: &'static [u8]) -> Chunk {
    Chunk { total_bytes, offset, data: Bytes::from_static(data) }
}

#[test]
fn batches_are_taken_in_their_order_only() {
    let mut incoming = Incoming::new(LONGEST);
    assert_eq!(incoming.take(batch(1, &[b"a", b"b"], vec![])).unwrap(), ["a", "b"]);
    for got in [0, 1, 3, u64::MAX] {
        let refused = incoming.take(batch(got, &[b"a"], vec![]));
        assert_eq!(refused, Err(LinkViolation::OutOfOrder { expected: 2, got }));
    }
    assert_eq!(incoming.take(batch(2, &[b"c"], vec![])).unwrap(), ["c"]);
}

#[test]
fn a_long_message_is_put_together_from_its_pieces() {
    let mut incoming = Incoming::new(LONGEST);
    let nothing: [&str; 0] = [];
    assert_eq!(incoming.take(batch(1, &[], vec![chunk(6, 0, b"ab")])).unwrap(), nothing);
    assert_eq!(incoming.partial_bytes(), 2);
    assert_eq!(incoming.take(batch(2, &[b"x"], vec![chunk(6, 2, b"cd")])).unwrap(), ["x"]);
    let last = vec![chunk(6, 4, b"ef"), chunk(2, 0, b"g")];
    assert_eq!(incoming.take(batch(3, &[], last)).unwrap(), ["abcdef"]);
    assert_eq!(incoming.take(batch(4, &[], vec![chunk(2, 1, b"h")])).unwrap(), ["gh"]);
    assert_eq!(incoming.partial_bytes(), 0);
}

#[test]
fn pieces_that_do_not_go_on_are_refused() {
    for (first, second) in [
        (chunk(6, 1, b"ab"), None),
        (chunk(6, 0, b""), None),
        (chunk(0, 0, b""), None),
        (chunk(1, 0, b"ab"), None),
        (chunk(6, u64::MAX, b"ab"), None),
        (chunk(6, 0, b"ab"), Some(chunk(6, 0, b"ab"))),
        (chunk(6, 0, b"ab"), Some(chunk(6, 3, b"c"))),
        (chunk(6, 0, b"ab"), Some(chunk(7, 2, b"c"))),
        (chunk(6, 0, b"ab"), Some(chunk(6, 2, b"cdefg"))),
        (chunk(6, 0, b"ab"), Some(chunk(6, 2, b""))),
    ] {
        let mut incoming = Incoming::new(LONGEST);
        let last = second.clone().unwrap_or_else(|| first.clone());
        let (offset, total_bytes) = (last.offset, last.total_bytes);
        let chunks = [Some(first), second].into_iter().flatten().collect();
        let refused = incoming.take(batch(1, &[], chunks));
        assert_eq!(refused, Err(LinkViolation::MisplacedChunk { offset, total_bytes }));
    }
}

#[test]
fn no_memory_is_set_aside_for_a_message_that_is_too_long() {
    let mut incoming = Incoming::new(LONGEST);
    for bytes in [LONGEST as u64 + 1, u64::MAX] {
        let refused = incoming.take(batch(1, &[], vec![chunk(bytes, 0, b"a")]));
        assert_eq!(refused, Err(LinkViolation::TooLong { bytes, bytes_max: LONGEST }));
    }
    let long: &'static [u8] = &[0; LONGEST + 1];
    let refused = incoming.take(batch(1, &[long], vec![]));
    assert!(matches!(refused, Err(LinkViolation::TooLong { .. })));
    assert!(incoming.take(batch(1, &[&long[1..]], vec![])).is_ok());
}
