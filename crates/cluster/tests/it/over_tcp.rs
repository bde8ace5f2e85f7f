//! Links over sessions of ractor_cluster and real sockets, in one process.

use crate::recorder::{Reported, TestNode, connect};
use actum_cluster::{
    link::{LinkRefusal, LinkReport},
    transport::TransportSettings,
};
use bytes::Bytes;
use std::time::Duration;
use tokio::time::timeout;

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);

async fn two_nodes(nr: u64) -> (TestNode, TestNode) {
    let a = TestNode::over_tcp(nr, TransportSettings::default()).await;
    let b = TestNode::over_tcp(nr + 1, TransportSettings::default()).await;
    timeout(SOON, connect(&[&a, &b])).await.expect("they are connected soon");
    (a, b)
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_all_sizes_arrive_in_both_directions() {
    let (a, b) = two_nodes(100).await;
    let long: Bytes = (0..3_000_000u32).map(|nr| (nr / 7) as u8).collect();
    for nr in 0..500u64 {
        a.send(&b, nr, nr.to_le_bytes().to_vec());
        b.send(&a, nr, nr.to_be_bytes().to_vec());
    }
    a.send(&b, 500, long.clone());
    let exchange = async {
        for nr in 0..500u64 {
            assert_eq!(b.seen.message().await, nr.to_le_bytes().as_slice());
            assert_eq!(a.seen.message().await, nr.to_be_bytes().as_slice());
        }
        assert_eq!(b.seen.message().await, long);
    };
    timeout(SOON, exchange).await.expect("all arrive soon");
    assert_eq!(a.status(&b).counts.connections_ended, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_closes_is_lost_at_once_and_refuses_from_then_on() {
    let (a, b) = two_nodes(110).await;
    let (a_nr, b_nr) = (a.own.incarnation.get(), b.own.incarnation.get());
    timeout(SOON, b.links.close()).await.expect("it closes soon");
    b.seen.wait_for(Reported::Lost(a_nr)).await;
    let lost = async {
        a.seen.wait_for(Reported::Lost(b_nr)).await;
        for _ in 0..3 {
            a.seen.wait_for(Reported::Link(b_nr, LinkReport::Refused)).await;
        }
    };
    timeout(SOON, lost).await.expect("it refuses soon");
    let refused = a.links.send(b.own.incarnation, 1, Bytes::new());
    assert_eq!(refused, Err(LinkRefusal::NotConnected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_life_at_the_same_address_is_connected_and_the_older_one_is_refused() {
    let (a, b) = two_nodes(120).await;
    let address = b.own.address.clone();
    b.links.close().await;
    let newer = TestNode::at(&address, 129, TransportSettings::default()).await;
    let refused = a.seen.wait_for(Reported::Link(b.own.incarnation.get(), LinkReport::Refused));
    timeout(SOON, refused).await.expect("another life answers");
    timeout(SOON, connect(&[&a, &newer])).await.expect("they are connected soon");
    a.send(&newer, 1, "to the newer one");
    assert_eq!(timeout(SOON, newer.seen.message()).await.expect("soon"), "to the newer one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_not_taken_that_is_not_wanted_and_is_when_it_is() {
    let a = TestNode::over_tcp(130, TransportSettings::default()).await;
    let b = TestNode::over_tcp(131, TransportSettings::default()).await;
    b.links.set_peers(vec![a.own.clone()]);
    let early = timeout(Duration::from_millis(300), b.wait_connected(&a)).await;
    assert!(early.is_err(), "it is taken as soon as anyone dials");
    a.links.set_peers(vec![b.own.clone()]);
    timeout(SOON, b.wait_connected(&a)).await.expect("they are connected soon");
    a.links.set_peers(vec![]);
    let lost = b.seen.wait_for(Reported::Lost(130));
    timeout(SOON, lost).await.expect("it is dropped soon");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_nodes_that_begin_at_once_are_all_connected_with_each_other() {
    let mut nodes = Vec::new();
    for nr in 140..145 {
        nodes.push(TestNode::over_tcp(nr, TransportSettings::default()).await);
    }
    let nodes: Vec<_> = nodes.iter().collect();
    timeout(SOON, connect(&nodes)).await.expect("they are connected soon");
    for one in &nodes {
        for other in nodes.iter().filter(|other| other.own != one.own) {
            one.send(other, 1, one.own.name.clone());
        }
    }
    for node in &nodes {
        for _ in 0..4 {
            timeout(SOON, node.seen.message()).await.expect("all arrive soon");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_of_many_threads_go_in_batches_whose_order_holds() {
    const EACH: u64 = 3_000;
    let (a, b) = two_nodes(150).await;
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let (a, b) = (&a, &b);
            scope.spawn(move || {
                for nr in 0..EACH {
                    let message = [thread.to_le_bytes(), nr.to_le_bytes()].concat();
                    a.send(b, nr, message);
                }
            });
        }
    });
    let mut next = [0u64; 4];
    for _ in 0..4 * EACH {
        let message = timeout(SOON, b.seen.message()).await.expect("all arrive soon");
        let (thread, nr) = message.split_at(8);
        let next = &mut next[usize::from(thread[0])];
        assert_eq!(nr, next.to_le_bytes(), "in the order of their thread");
        *next += 1;
    }
    assert_eq!(a.status(&b).counts.connections_ended, 0);
}
