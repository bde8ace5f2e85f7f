//! Links over a network in memory, in virtual time.

use crate::recorder::{Reported, TestNode, connect, peer};
use actum_cluster::{
    link::{LinkRefusal, LinkReport},
    transport::MemoryNetwork,
};
use actum_persistence::store::Incarnation;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::Instant;

const NOT_CONNECTED: Result<(), LinkRefusal> = Err(LinkRefusal::NotConnected);

fn id(nr: u64) -> Incarnation {
    Incarnation::new(nr)
}

async fn two_nodes() -> (MemoryNetwork, TestNode, TestNode) {
    let network = MemoryNetwork::new();
    let (a, b) = (TestNode::in_memory(&network, 1), TestNode::in_memory(&network, 2));
    connect(&[&a, &b]).await;
    (network, a, b)
}

#[tokio::test(start_paused = true)]
async fn messages_arrive_in_their_order_in_both_directions() {
    let (_, a, b) = two_nodes().await;
    for nr in 0..1_000u64 {
        a.send(&b, nr, nr.to_le_bytes().to_vec());
        b.send(&a, nr, nr.to_be_bytes().to_vec());
    }
    for nr in 0..1_000u64 {
        assert_eq!(b.seen.message().await, nr.to_le_bytes().as_slice());
        assert_eq!(a.seen.message().await, nr.to_be_bytes().as_slice());
    }
    let status = a.status(&b);
    assert_eq!((status.counts.messages_sent, status.counts.messages_received), (1_000, 1_000));
    assert!(status.counts.batches_sent < 20, "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lone_message_waits_for_no_timer_and_a_round_trip_takes_two_frames() {
    let (_, a, b) = two_nodes().await;
    let (before, start) = (a.status(&b).counts, Instant::now());
    a.send(&b, 1, "ask");
    assert_eq!(b.seen.message().await, "ask");
    b.send(&a, 1, "answer");
    assert_eq!(a.seen.message().await, "answer");
    assert_eq!(start.elapsed(), Duration::ZERO);
    let status = a.status(&b);
    assert_eq!(status.counts.batches_sent - before.batches_sent, 1);
    assert_eq!(status.buffered_bytes, 0, "that it was taken came with the answer");
    assert_eq!(b.status(&a).batches_on_their_way, 1, "this is said with the next frame");
}

#[tokio::test(start_paused = true)]
async fn a_message_of_megabytes_arrives_whole_and_is_overtaken_by_small_ones() {
    let (network, a, b) = two_nodes().await;
    network.set_delay(Duration::from_millis(1));
    let long: Bytes = (0..5_000_000u32).map(|nr| nr as u8).collect();
    a.send(&b, 1, long.clone());
    a.send(&b, 2, "small");
    assert_eq!(b.seen.message().await, "small");
    assert!(b.status(&a).partial_bytes > 0);
    assert_eq!(b.seen.message().await, long);
    assert_eq!(b.status(&a).partial_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_costs_no_more_than_its_buffer_and_holds_up_no_other() {
    let (network, a, b) = two_nodes().await;
    let c = TestNode::in_memory(&network, 3);
    connect(&[&a, &b, &c]).await;
    network.cut_both(id(1), id(2));
    let mut tickets = Vec::new();
    let message = Bytes::from(vec![0; 60_000]);
    let refused = loop {
        let ticket = tickets.len() as u64;
        match a.links.send(id(2), ticket, message.clone()) {
            Ok(()) => tickets.push(ticket),
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, LinkRefusal::Full);
    let status = a.status(&b);
    assert!(status.buffered_bytes <= 16 << 20 && status.buffered_bytes > 15 << 20);
    assert_eq!((status.batches_on_their_way, status.counts.refused), (2, 1));
    let start = Instant::now();
    a.send(&c, 1, "for another one");
    assert_eq!(c.seen.message().await, "for another one");
    assert_eq!(start.elapsed(), Duration::ZERO);

    // it is dialled again after a while, and who sent learns what was not sent
    let not_sent = a.seen.next(|reported| match reported {
        Reported::NotSent(2, tickets) => Some(tickets.clone()),
        _ => None,
    });
    assert_eq!(not_sent.await, tickets[2..], "two batches of one were on their way");
    a.seen.wait_for(Reported::Lost(2)).await;
    assert!(start.elapsed() <= Duration::from_millis(3_500), "{:?}", start.elapsed());
    network.heal();
    a.wait_connected(&b).await;
    a.send(&b, 1, "again");
    assert_eq!(b.seen.message().await, "again", "nothing of the old connection comes");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_was_killed_is_lost_at_once_and_refuses_whenever_it_is_dialled() {
    let (network, a, _b) = two_nodes().await;
    let start = Instant::now();
    network.kill(id(2));
    a.seen.wait_for(Reported::Lost(2)).await;
    assert_eq!(a.links.send(id(2), 1, Bytes::new()), NOT_CONNECTED);
    for _ in 0..3 {
        a.seen.wait_for(Reported::Link(2, LinkReport::Refused)).await;
    }
    assert!(start.elapsed() <= Duration::from_millis(200), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn both_sides_of_a_cut_find_out_even_if_it_is_of_one_way() {
    let (network, a, b) = two_nodes().await;
    network.cut(id(1), id(2));
    let start = Instant::now();
    b.seen.wait_for(Reported::Link(1, LinkReport::Silent)).await;
    assert!(start.elapsed() <= Duration::from_millis(1_400), "{:?}", start.elapsed());
    a.seen.wait_for(Reported::Lost(2)).await;
    a.seen.wait_for(Reported::Link(2, LinkReport::Silent)).await;
    network.heal();
    a.wait_connected(&b).await;
}

#[tokio::test(start_paused = true)]
async fn peers_that_live_are_heard_all_the_time() {
    let (_, a, _b) = two_nodes().await;
    a.seen.rest();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let rest = a.seen.rest();
    assert!(rest.iter().all(|seen| *seen == Reported::Link(2, LinkReport::Heard)), "{rest:?}");
    assert!((45..=51).contains(&rest.len()), "{} times in 10 s", rest.len());
}

#[tokio::test(start_paused = true)]
async fn the_round_trip_is_measured_and_lets_more_batches_go() {
    let (network, a, b) = two_nodes().await;
    network.set_delay(Duration::from_millis(2));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let status = a.status(&b);
    assert_eq!(status.round_trip, Some(Duration::from_millis(4)));
    assert_eq!(status.batches_on_their_way_max, 6);
}

#[tokio::test(start_paused = true)]
async fn a_node_of_another_cluster_is_never_connected() {
    let network = MemoryNetwork::new();
    let a = TestNode::in_memory(&network, 1);
    let b = TestNode::of_cluster("shop", &network, 2);
    a.links.set_peers(vec![b.own.clone()]);
    b.links.set_peers(vec![a.own.clone()]);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let status = a.status(&b);
    assert_eq!(status.connected_for, None);
    assert!(status.counts.connections_ended > 5, "it is tried again");
    assert_eq!(a.links.send(id(2), 1, Bytes::new()), NOT_CONNECTED);
    assert!(!a.seen.rest().contains(&Reported::Lost(2)), "nothing could be lost");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_no_member_any_more_is_dropped_with_what_waits_for_it() {
    let (network, a, b) = two_nodes().await;
    network.cut_both(id(1), id(2));
    for ticket in 0..5 {
        a.send(&b, ticket, "lost");
    }
    a.links.set_peers(vec![a.own.clone()]);
    a.seen.wait_for(Reported::NotSent(2, vec![2, 3, 4])).await;
    a.seen.wait_for(Reported::Lost(2)).await;
    assert_eq!(a.links.states(), []);
    assert_eq!(a.links.send(id(2), 1, Bytes::new()), NOT_CONNECTED);
    b.seen.wait_for(Reported::Lost(1)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(a.seen.rest(), [], "it is not dialled any more");
}

#[tokio::test(start_paused = true)]
async fn a_newer_life_of_a_node_is_a_peer_of_its_own() {
    let (network, a, b) = two_nodes().await;
    network.isolate(id(2));
    let mut newer = peer(3);
    newer.name = b.own.name.clone();
    let transport = network.transport(newer.incarnation);
    let c = TestNode::start("bank", newer, transport, Default::default());
    connect(&[&a, &c]).await;
    a.send(&c, 1, "to the newer one");
    assert_eq!(c.seen.message().await, "to the newer one");
    a.seen.wait_for(Reported::Lost(2)).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_panics_over_a_message_goes_on_with_another_connection() {
    let (_network, a, b) = two_nodes().await;
    b.seen.panic_once();
    a.send(&b, 1, "poison");
    a.seen.wait_for(Reported::Lost(2)).await;
    a.wait_connected(&b).await;
    a.send(&b, 2, "fine");
    assert_eq!(b.seen.message().await, "fine");
}

#[tokio::test(start_paused = true)]
async fn closing_waits_until_what_is_queued_was_taken() {
    let (network, a, b) = two_nodes().await;
    network.set_delay(Duration::from_millis(5));
    for nr in 0..100u64 {
        a.send(&b, nr, vec![0; 50_000]);
    }
    a.links.close().await;
    assert!(!a.seen.rest().iter().any(|seen| matches!(seen, Reported::NotSent(..))));
    for _ in 0..100 {
        b.seen.message().await;
    }
    b.seen.wait_for(Reported::Link(1, LinkReport::Refused)).await;
}

#[tokio::test(start_paused = true)]
async fn closing_waits_no_longer_than_a_second_for_a_peer_that_takes_nothing() {
    let (network, a, b) = two_nodes().await;
    network.cut_both(id(1), id(2));
    a.send(&b, 1, "never taken");
    let start = Instant::now();
    a.links.close().await;
    assert!(start.elapsed() <= Duration::from_millis(1_010), "{:?}", start.elapsed());
    a.seen.wait_for(Reported::Lost(2)).await;
    assert_eq!(a.links.send(id(2), 1, Bytes::new()), NOT_CONNECTED);
}

#[tokio::test(start_paused = true)]
async fn connections_that_are_renewed_lose_nothing_and_refuse_nothing() {
    let (network, a, b) = two_nodes().await;
    network.set_delay(Duration::from_millis(3));
    let mut sent = 0u64;
    for round in 0..50 {
        for _ in 0..40 {
            a.send(&b, sent, sent.to_le_bytes().to_vec());
            b.send(&a, sent, sent.to_le_bytes().to_vec());
            sent += 1;
        }
        if round % 10 == 5 {
            a.send(&b, u64::MAX, vec![0; 300_000]);
            network.renew(id(1 + round / 10 % 2));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for node in [&a, &b] {
        for nr in 0..sent {
            let small = |seen: &Reported| match seen {
                Reported::Message(_, message) if message.len() == 8 => Some(message.clone()),
                Reported::Message(..) | Reported::Link(_, LinkReport::Heard) => None,
                other => panic!("{other:?}"),
            };
            assert_eq!(node.seen.next(small).await, nr.to_le_bytes().as_slice());
        }
    }
    assert_eq!(a.status(&b).counts.connections_ended, 5);
}
