//! Frames as they travel: nodes of other releases read and write these bytes.

use crate::link::link_frame::{decode, encode};
use actum_proto::link::v1::{Batch, Chunk, Goodbye, Heartbeat, Hello, link_frame::Content};
use bytes::Bytes;

fn frames() -> Vec<(u64, Option<Content>, &'static str)> {
    let hello = Hello {
        protocol_version: 1,
        cluster: "bank".to_owned(),
        incarnation: 300,
        node: "a".to_owned(),
        message_bytes_max: 8 << 20,
    };
    let batch = Batch {
        number: 9,
        wants_answer: true,
        messages: vec![Bytes::from_static(b"xy"), Bytes::new()],
        chunks: vec![Chunk { total_bytes: 70_000, offset: 65_536, data: Bytes::from_static(b"z") }],
    };
    let heartbeat = Heartbeat { sent_micros: 5, echo_micros: Some(0), held_micros: 7 };
    vec![
        (0, Some(Content::Hello(hello)), "12130801120462616e6b18ac022201612880808004"),
        (8, Some(Content::Batch(batch)), "08081a17080910011a0278791a00220b08f0a20410808004 1a017a"),
        (0, Some(Content::Heartbeat(heartbeat)), "2206080510001807"),
        (0, Some(Content::Goodbye(Goodbye {})), "2a00"),
        (8, None, "0808"),
    ]
}

#[test]
fn frames_are_these_bytes_for_ever() {
    for (taken_through, content, hex) in frames() {
        let bytes = encode(taken_through, content.clone());
        let written: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(written, hex.replace(' ', ""), "{content:?}");
        let read = decode(bytes).expect("it can be read");
        assert_eq!((read.taken_through, read.content), (taken_through, content));
    }
}

#[test]
fn a_frame_of_a_later_release_is_a_sign_of_life() {
    // field 15, which there is not yet, and field 1
    let frame =
        decode(Bytes::from_static(&[0x7a, 0x01, 0x00, 0x08, 0x03])).expect("it can be read");
    assert_eq!((frame.taken_through, frame.content), (3, None));
}
