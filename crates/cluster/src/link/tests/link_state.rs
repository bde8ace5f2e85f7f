use crate::{
    link::{
        LinkRefusal, LinkSettings, LinkViolation,
        link_frame::PROTOCOL_VERSION,
        link_phase::ANSWERS_MAX,
        link_state::{LinkEnd, LinkSight, LinkState},
    },
    transport::{PeerConnection, PeerNode},
};
use actum_persistence::store::Incarnation;
use actum_proto::link::v1::{Heartbeat, Hello, link_frame::Content};
use bytes::Bytes;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A connection that only notes whether it was closed.
#[derive(Debug, Default)]
struct Noting {
    closed: AtomicBool,
}

impl PeerConnection for Noting {
    fn send(&self, _frame: Bytes) -> bool {
        true
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

const OWN: u64 = 1;
const PEER: u64 = 2;

fn hello(incarnation: u64) -> Hello {
    Hello {
        protocol_version: PROTOCOL_VERSION,
        cluster: "bank".to_owned(),
        incarnation,
        node: format!("node-{incarnation}"),
        message_bytes_max: 1 << 20,
    }
}

fn state() -> LinkState {
    let peer = PeerNode::new(Incarnation::new(PEER), "node-2", "localhost:1");
    LinkState::new(Arc::new(hello(OWN)), LinkSettings::default(), peer)
}

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A link that is up, and its connection.
fn up() -> (LinkState, Arc<Noting>) {
    let (mut state, connection) = (state(), Arc::new(Noting::default()));
    state.connected(connection.clone(), at(0));
    state.hello(&hello(PEER), at(0)).unwrap();
    assert!(matches!(content(&mut state, 0), Some(Content::Hello(_))));
    assert!(matches!(content(&mut state, 0), Some(Content::Heartbeat(_))));
    assert!(state.next_frame(at(0)).is_none());
    (state, connection)
}

fn content(state: &mut LinkState, millis: u64) -> Option<Content> {
    state.next_frame(at(millis)).expect("a frame is due").content
}

fn is_closed(connection: &Noting) -> bool {
    connection.closed.load(Ordering::Relaxed)
}

#[test]
fn messages_are_refused_until_the_peer_has_greeted() {
    let mut state = state();
    assert_eq!(state.push(1, Bytes::new()), Err(LinkRefusal::NotConnected));
    state.connected(Arc::new(Noting::default()), at(0));
    assert_eq!(state.push(1, Bytes::new()), Err(LinkRefusal::NotConnected));
    assert_eq!(state.expects_messages(), Err(LinkViolation::NoHello));
    state.hello(&hello(PEER), at(0)).unwrap();
    state.push(1, Bytes::new()).unwrap();
    assert!(matches!(content(&mut state, 0), Some(Content::Hello(_))), "it greets first");
    assert!(matches!(content(&mut state, 0), Some(Content::Batch(_))));
}

#[test]
fn a_greeting_of_another_cluster_version_or_node_is_refused_with_both_values() {
    let (mut cluster, mut version, mut node, mut life) =
        (hello(PEER), hello(PEER), hello(PEER), hello(PEER));
    cluster.cluster = "shop".to_owned();
    version.protocol_version = 7;
    node.node = "other".to_owned();
    life.incarnation = 9;
    for (hello, text) in [
        (cluster, "it is of the cluster `shop`, and this one is `bank`"),
        (version, "it speaks version 7 of the protocol of links, and this one 1"),
        (node, "it says that it is `other@2`, and this is the link of `node-2@2`"),
        (life, "it says that it is `node-2@9`, and this is the link of `node-2@2`"),
    ] {
        let mut state = state();
        state.connected(Arc::new(Noting::default()), at(0));
        assert_eq!(state.hello(&hello, at(0)).unwrap_err().to_string(), text);
        assert_eq!(state.push(1, Bytes::new()), Err(LinkRefusal::NotConnected));
    }
    let (mut state, _) = up();
    assert_eq!(state.hello(&hello(PEER), at(0)), Err(LinkViolation::SecondHello));
}

#[test]
fn no_message_goes_that_is_longer_than_the_peer_takes() {
    let (mut state, _) = up();
    let long = Bytes::from(vec![0; (1 << 20) + 1]);
    assert_eq!(state.push(1, long), Err(LinkRefusal::TooLong { bytes_max: 1 << 20 }));
}

#[test]
fn what_was_taken_is_said_at_once_only_where_the_peer_waits_for_it() {
    let (mut state, _) = up();
    state.has_taken(1, false, 1);
    assert!(state.next_frame(at(1)).is_none());
    state.has_taken(2, true, 1);
    let frame = state.next_frame(at(1)).expect("an answer");
    assert_eq!((frame.taken_through, frame.content.is_none()), (2, true));
    assert!(state.next_frame(at(1)).is_none(), "it is said once");
    state.has_taken(3, true, 1);
    state.push(1, Bytes::new()).unwrap();
    let frame = state.next_frame(at(1)).expect("a batch");
    assert!(matches!((frame.taken_through, frame.content), (3, Some(Content::Batch(_)))));
    assert!(state.next_frame(at(1)).is_none(), "it went with the batch");
}

#[test]
fn heartbeats_go_at_their_interval_and_measure_the_round_trip() {
    let (mut state, _) = up();
    assert!(state.next_frame(at(199)).is_none());
    let Some(Content::Heartbeat(beat)) = content(&mut state, 200) else { panic!("no heartbeat") };
    assert_eq!((beat.sent_micros, beat.echo_micros), (200_000, None));
    // sent at 200, there for 20 ms, back at 225
    let heartbeat = Heartbeat { sent_micros: 77, echo_micros: Some(200_000), held_micros: 20_000 };
    state.heartbeat(&heartbeat, at(225));
    let status = state.status(0, at(225));
    assert_eq!(status.round_trip, Some(at(5)));
    assert_eq!(status.batches_on_their_way_max, 7);
    let Some(Content::Heartbeat(beat)) = content(&mut state, 400) else { panic!("no heartbeat") };
    assert_eq!((beat.echo_micros, beat.held_micros), (Some(77), 175_000));
    // whatever a peer says, nothing overflows
    let from_the_future =
        Heartbeat { sent_micros: u64::MAX, echo_micros: Some(u64::MAX), held_micros: u64::MAX };
    state.heartbeat(&from_the_future, at(401));
    assert_eq!(state.status(0, at(401)).round_trip, Some(at(5)));
}

#[test]
fn a_peer_that_sends_nothing_is_silent_once_and_then_lost() {
    let (mut state, _) = up();
    assert_eq!(state.look(at(999)), LinkSight::Fine);
    assert_eq!(state.look(at(1_000)), LinkSight::Silent);
    assert_eq!(state.look(at(1_100)), LinkSight::Fine, "it was reported");
    assert!(state.heard(1, at(1_200)));
    assert_eq!(state.look(at(2_200)), LinkSight::Silent);
    assert_eq!(state.look(at(4_200)), LinkSight::Lost);
    assert_eq!(state.look(at(4_300)), LinkSight::Lost, "until it has ended");
    state.disconnected(at(4_300));
    assert_eq!(state.look(at(9_999)), LinkSight::Fine);
}

/// What the peer says when it has read the heartbeat that was sent then.
fn echo(millis: u64) -> Heartbeat {
    Heartbeat { sent_micros: 1, echo_micros: Some(1_000 * millis), held_micros: 0 }
}

#[test]
fn a_peer_that_sends_and_does_not_read_is_lost() {
    let (mut state, _) = up();
    state.heartbeat(&echo(1_000), at(1_001));
    for millis in (1_001..7_000).step_by(100) {
        state.heard(1, at(millis));
        // the same one again shows nothing
        state.heartbeat(&echo(1_000), at(millis));
        assert_eq!(state.look(at(millis)), LinkSight::Fine);
    }
    state.heard(1, at(7_000));
    assert_eq!(state.look(at(7_000)), LinkSight::Lost);
}

#[test]
fn a_peer_that_does_not_read_is_answered_so_and_so_often_and_no_more() {
    let (mut state, _) = up();
    let mut answers = 0;
    for number in 1..=u64::from(ANSWERS_MAX) + 10 {
        state.has_taken(number, true, 1);
        answers += u32::from(state.next_frame(at(1)).is_some());
    }
    assert_eq!(answers, ANSWERS_MAX);
    state.heartbeat(&echo(0), at(2));
    assert!(state.next_frame(at(2)).is_none(), "that shows nothing");
    state.heartbeat(&echo(1), at(2));
    let frame = state.next_frame(at(2)).expect("it reads");
    assert_eq!(frame.taken_through, u64::from(ANSWERS_MAX) + 10);
}

#[test]
fn that_a_peer_is_heard_is_reported_at_the_interval_of_heartbeats() {
    let (mut state, _) = up();
    let reported = (0..1_000).filter(|millis| state.heard(1, at(*millis))).count();
    assert_eq!(reported, 5);
}

#[test]
fn the_end_of_a_link_says_what_was_not_sent() {
    let (mut state, _) = up();
    for ticket in 1..=5 {
        state.push(ticket, Bytes::new()).unwrap();
        let _ = state.next_frame(at(1));
    }
    let end = state.disconnected(at(2));
    assert_eq!(end, LinkEnd { not_sent: vec![3, 4, 5], was_up: true });
    assert_eq!(state.disconnected(at(3)), LinkEnd::default(), "it has ended once");
    assert_eq!(state.push(6, Bytes::new()), Err(LinkRefusal::NotConnected));
}

#[test]
fn what_a_broken_connection_did_not_take_is_not_sent() {
    let (mut state, connection) = up();
    let connection: Arc<dyn PeerConnection> = connection;
    assert_eq!(state.not_sent(&connection, vec![1]), [0; 0], "the end is still to come");
    assert_eq!(state.disconnected(at(1)).not_sent, [1]);
    assert_eq!(state.not_sent(&connection, vec![2]), [2], "the end was before");
}

#[test]
fn a_connection_that_is_replaced_is_left_when_nothing_is_under_way_and_nothing_is_lost() {
    let (mut state, connection) = up();
    state.push(1, Bytes::new()).unwrap();
    assert!(matches!(content(&mut state, 1), Some(Content::Batch(_))));
    state.outdated(at(1));
    state.push(2, Bytes::new()).unwrap();
    assert!(state.next_frame(at(1)).is_none(), "a batch is on its way, and none is begun");
    state.expects_messages().unwrap();
    state.peer_has_taken(1).unwrap();
    assert!(matches!(content(&mut state, 1), Some(Content::Goodbye(_))));
    assert!(!is_closed(&connection), "the peer may still send");
    state.goodbye(at(2));
    assert!(is_closed(&connection));
    assert_eq!(state.expects_messages(), Err(LinkViolation::AfterGoodbye));

    assert_eq!(state.disconnected(at(3)), LinkEnd::default());
    state.push(3, Bytes::new()).unwrap();
    state.connected(Arc::new(Noting::default()), at(4));
    state.push(4, Bytes::new()).unwrap();
    assert!(matches!(content(&mut state, 4), Some(Content::Hello(_))));
    state.hello(&hello(PEER), at(5)).unwrap();
    assert_eq!(state.next_frame(at(5)).expect("a batch").tickets, [2, 3, 4]);
}

#[test]
fn who_says_goodbye_last_leaves_it_to_the_other_one_to_close() {
    let (mut state, connection) = up();
    state.goodbye(at(1));
    assert!(matches!(content(&mut state, 1), Some(Content::Goodbye(_))));
    assert!(!is_closed(&connection), "its last word would be lost");
    assert_eq!(state.disconnected(at(3)), LinkEnd::default());
}

#[test]
fn a_connection_that_is_not_left_or_replaced_in_time_is_lost() {
    let (mut state, _) = up();
    state.outdated(at(1));
    state.heard(1, at(2_900));
    assert_eq!(state.look(at(3_000)), LinkSight::Fine);
    assert_eq!(state.look(at(3_001)), LinkSight::Lost);

    let (mut state, _) = up();
    state.push(1, Bytes::new()).unwrap();
    state.goodbye(at(1));
    assert!(matches!(content(&mut state, 1), Some(Content::Goodbye(_))));
    state.disconnected(at(2));
    assert_eq!(state.look(at(3_001)), LinkSight::Fine);
    let end = LinkEnd { not_sent: vec![1], was_up: true };
    assert_eq!(state.look(at(3_002)), LinkSight::NotRenewed(end));
    assert_eq!(state.push(2, Bytes::new()), Err(LinkRefusal::NotConnected));
}
