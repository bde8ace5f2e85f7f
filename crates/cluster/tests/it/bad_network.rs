//! Encrypted links over a network that breaks.

use crate::{
    certificates::{Authority, settings},
    recorder::{Reported, TestNode},
};
use actum_cluster::{
    link::{LinkReport, LinkSettings},
    transport::PeerNode,
};
use actum_testkit::TcpProxy;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, timeout};

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);

/// Two nodes, each of which reaches the other one through a proxy.
struct BadNetwork {
    a: TestNode,
    b: TestNode,
    proxies: [TcpProxy; 2],
    _certificates: TempDir,
}

impl BadNetwork {
    async fn start(nr: u64) -> Self {
        let (dir, authority) = (tempfile::tempdir().expect("a directory"), Authority::new());
        authority.write(dir.path(), "127.0.0.1", &[&authority]);
        let links = LinkSettings::default()
            .with_heartbeat_interval(Duration::from_millis(50))
            .with_silent_after(Duration::from_millis(300))
            .with_lost_after(Duration::from_millis(900));
        let node = |nr| TestNode::with("127.0.0.1:0", nr, settings(dir.path()), links);
        let (a, b) = (node(nr).await, node(nr + 1).await);
        let proxies =
            [&a, &b].map(|node| TcpProxy::start(node.own.address.parse().expect("an address")));
        let seen_as = |node: &TestNode, proxy: &TcpProxy| PeerNode {
            address: proxy.address().to_string(),
            ..node.own.clone()
        };
        a.links.set_peers(vec![seen_as(&b, &proxies[1])]);
        b.links.set_peers(vec![seen_as(&a, &proxies[0])]);
        let network = Self { a, b, proxies, _certificates: dir };
        network.wait_connected().await;
        network
    }

    async fn wait_connected(&self) {
        let both = async {
            self.a.wait_connected(&self.b).await;
            self.b.wait_connected(&self.a).await;
        };
        timeout(SOON, both).await.expect("they are connected soon");
    }

    fn all(&self, change: impl Fn(&TcpProxy)) {
        self.proxies.iter().for_each(change);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_long_way_more_batches_are_under_way() {
    let network = BadNetwork::start(400).await;
    assert_eq!(network.a.status(&network.b).batches_on_their_way_max, 2);
    network.all(|proxy| proxy.delay(Duration::from_millis(10)));
    // the shortest of the last sixteen counts
    let measured = async {
        let both_ways = Duration::from_millis(19);
        while network.a.status(&network.b).round_trip.is_none_or(|took| took < both_ways) {
            network.a.seen.wait_for(Reported::Link(401, LinkReport::Heard)).await;
        }
    };
    timeout(SOON, measured).await.expect("it is measured soon");
    assert_eq!(network.a.status(&network.b).batches_on_their_way_max, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_come_back_and_nothing_arrives_twice_or_in_another_order() {
    let network = BadNetwork::start(410).await;
    let (a, b) = (&network.a, &network.b);
    let (mut sent, mut last) = (0u64, None);
    for _ in 0..5 {
        for _ in 0..50 {
            // refused while there is no connection
            let message = sent.to_le_bytes().to_vec();
            if a.links.send(b.own.incarnation, sent, message.into()).is_ok() {
                sent += 1;
            }
        }
        network.all(TcpProxy::cut);
        timeout(SOON, a.seen.wait_for(Reported::Lost(411))).await.expect("it is noticed soon");
        network.wait_connected().await;
    }
    a.send(b, sent, "the end");
    loop {
        let message = timeout(SOON, b.seen.message()).await.expect("it arrives soon");
        if message == "the end" {
            break;
        }
        let nr = u64::from_le_bytes(message[..].try_into().expect("eight bytes"));
        assert!(last.is_none_or(|last| nr > last), "{nr} behind {last:?}");
        last = Some(nr);
    }
    assert!(a.status(b).counts.connections_ended >= 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_swallows_everything_is_noticed_by_both_sides_and_comes_back() {
    let network = BadNetwork::start(420).await;
    let (a, b) = (&network.a, &network.b);
    network.all(|proxy| proxy.stall(true));
    let start = Instant::now();
    for ticket in 0..10 {
        a.send(b, ticket, "swallowed");
    }
    for (node, peer) in [(a, 421), (b, 420)] {
        let noticed = async {
            node.seen.wait_for(Reported::Link(peer, LinkReport::Silent)).await;
            node.seen.wait_for(Reported::Lost(peer)).await;
        };
        timeout(SOON, noticed).await.expect("it is noticed");
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    network.all(|proxy| proxy.stall(false));
    network.wait_connected().await;
    a.send(b, 1, "again");
    let again = async { while b.seen.message().await != "again" {} };
    timeout(SOON, again).await.expect("it arrives soon");
}
