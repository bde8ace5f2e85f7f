//! Certificates, the secret, and those who have neither.

use crate::{
    certificates::{Authority, SECRET, files, settings},
    recorder::{Reported, TestNode, connect, peer},
};
use actum_cluster::{
    link::LinkReport,
    transport::{ClusterSecret, LinkSecurity, TransportSettings},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};
use tracing::{Event, Level, Metadata, Subscriber, span};

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);

fn plain_secret(secret: [u8; 32]) -> TransportSettings {
    let security = LinkSecurity::loopback_only().with_secret(ClusterSecret::new(secret));
    TransportSettings::default().with_security(security)
}

/// Sends a message there and back.
async fn exchange(a: &TestNode, b: &TestNode) {
    a.send(b, 1, "there");
    assert_eq!(timeout(SOON, b.seen.message()).await.expect("it arrives soon"), "there");
    b.send(a, 1, "back");
    assert_eq!(timeout(SOON, a.seen.message()).await.expect("it arrives soon"), "back");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_with_certificates_and_the_secret_are_connected() {
    let (dir, authority) = (tempfile::tempdir().expect("a directory"), Authority::new());
    authority.write(dir.path(), "127.0.0.1", &[&authority]);
    let a = TestNode::over_tcp(200, settings(dir.path())).await;
    let b = TestNode::over_tcp(201, settings(dir.path())).await;
    timeout(SOON, connect(&[&a, &b])).await.expect("they are connected soon");
    exchange(&a, &b).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_may_be_for_a_name_that_all_nodes_have() {
    let (dir, authority) = (tempfile::tempdir().expect("a directory"), Authority::new());
    authority.write(dir.path(), "bank.internal", &[&authority]);
    let named = files(dir.path()).with_peer_name("bank.internal");
    let security = LinkSecurity::tls(named, ClusterSecret::new(SECRET));
    let settings = TransportSettings::default().with_security(security);
    let a = TestNode::over_tcp(205, settings.clone()).await;
    let b = TestNode::over_tcp(206, settings).await;
    timeout(SOON, connect(&[&a, &b])).await.expect("they are connected soon");
    exchange(&a, &b).await;
}

/// Lets a node of these settings and one of others meet, and makes sure that neither takes the other one.
async fn never_connected(nr: u64, good: TransportSettings, bad: TransportSettings) {
    let a = TestNode::over_tcp(nr, good).await;
    let b = TestNode::over_tcp(nr + 1, bad).await;
    a.links.set_peers(vec![b.own.clone()]);
    b.links.set_peers(vec![a.own.clone()]);
    // each of them has dialled several times
    let turned_away = async {
        for _ in 0..4 {
            a.seen.wait_for(Reported::Link(nr + 1, LinkReport::Silent)).await;
            b.seen.wait_for(Reported::Link(nr, LinkReport::Silent)).await;
        }
    };
    timeout(SOON, turned_away).await.expect("they are turned away soon");
    for (one, other) in [(&a, &b), (&b, &a)] {
        let status = one.status(other);
        assert_eq!((status.connected_for, status.counts.connections_ended), (None, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_without_one_of_both_is_never_connected() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
    let [good, foreign] = [0, 1].map(|nr: usize| dirs[nr].path());
    let (authority, other) = (Authority::new(), Authority::new());
    authority.write(good, "127.0.0.1", &[&authority]);
    // it trusts the cluster, and the cluster does not trust it
    other.write(foreign, "127.0.0.1", &[&authority]);
    let another_secret =
        LinkSecurity::tls(files(good), ClusterSecret::new("what they know elsewhere"));
    for (nr, bad) in [
        (210, settings(foreign)),
        (214, TransportSettings::default().with_security(another_secret)),
        (216, plain_secret(SECRET)),
        (218, TransportSettings::default()),
    ] {
        // one that does not know TLS waits for an answer as long as it may
        let soon = Duration::from_millis(300);
        let (good, bad) =
            (settings(good).with_handshake_timeout(soon), bad.with_handshake_timeout(soon));
        never_connected(nr, good, bad).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_certificates_the_secret_decides() {
    never_connected(220, plain_secret([1; 32]), plain_secret([2; 32])).await;
    never_connected(222, plain_secret([1; 32]), TransportSettings::default()).await;
    let a = TestNode::over_tcp(224, plain_secret([1; 32])).await;
    let b = TestNode::over_tcp(225, plain_secret([1; 32])).await;
    timeout(SOON, connect(&[&a, &b])).await.expect("they are connected soon");
    exchange(&a, &b).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_dialled_beyond_loopback_without_certificates() {
    let a = TestNode::over_tcp(230, plain_secret(SECRET)).await;
    let mut beyond = peer(231);
    // an address that never answers: who dials it waits
    beyond.address = "192.0.2.1:7400".to_owned();
    a.links.set_peers(vec![beyond]);
    let start = Instant::now();
    timeout(SOON, a.seen.wait_for(Reported::Link(231, LinkReport::Silent))).await.expect("soon");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

/// Connects with a node, says this, and waits until it is ended.
async fn connect_and_say(address: String, says: &'static [u8]) -> Duration {
    let start = Instant::now();
    let mut socket = TcpStream::connect(address).await.expect("it listens");
    let _ = socket.write_all(says).await;
    let _ = socket.read_to_end(&mut Vec::new()).await;
    start.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_connections_are_ended_in_time_whatever_they_say_and_hold_no_one_up() {
    let (dir, authority) = (tempfile::tempdir().expect("a directory"), Authority::new());
    authority.write(dir.path(), "127.0.0.1", &[&authority]);
    for (nr, settings) in [(240, settings(dir.path())), (250, plain_secret(SECRET))] {
        let settings = settings.with_handshake_timeout(Duration::from_secs(3));
        let a = TestNode::over_tcp(nr, settings.clone()).await;
        let b = TestNode::over_tcp(nr + 1, settings).await;
        let connections: Vec<_> = (0..60)
            .map(|nr| {
                let says: &[u8] = [&b""[..], b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"][nr % 3];
                tokio::spawn(connect_and_say(a.own.address.clone(), says))
            })
            .collect();
        let start = Instant::now();
        timeout(SOON, connect(&[&a, &b])).await.expect("they are connected soon");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        exchange(&a, &b).await;
        for connection in connections {
            let took = timeout(SOON, connection).await.expect("it is ended").expect("no panic");
            assert!(took < Duration::from_secs(5), "{took:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_too_many_say_nothing_the_oldest_is_ended_so_that_peers_come_through() {
    let patient = plain_secret(SECRET)
        .with_handshake_timeout(Duration::from_secs(60))
        .with_handshakes_max(10);
    let a = TestNode::over_tcp(260, patient.clone()).await;
    let mut silent = Vec::new();
    for _ in 0..30 {
        silent.push(TcpStream::connect(&a.own.address).await.expect("it listens"));
    }
    for socket in &mut silent[..20] {
        let end = timeout(SOON, socket.read_to_end(&mut Vec::new())).await;
        assert!(end.is_ok(), "the oldest ones are ended");
    }
    let b = TestNode::over_tcp(261, patient).await;
    timeout(SOON, connect(&[&a, &b])).await.expect("they are connected soon");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_replaced_while_messages_go_and_nothing_is_lost() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
    let (old, new) = (Authority::new(), Authority::new());
    let write = |signs: &Authority, trusted: &[&Authority]| {
        for dir in &dirs {
            signs.write(dir.path(), "127.0.0.1", trusted);
        }
    };
    write(&old, &[&old]);
    let a = TestNode::over_tcp(270, settings(dirs[0].path())).await;
    let b = TestNode::over_tcp(271, settings(dirs[1].path())).await;
    timeout(SOON, connect(&[&a, &b])).await.expect("they are connected soon");
    let mut sent = 0u64;
    for (signs, trusted) in [(&old, vec![&old, &new]), (&new, vec![&old, &new]), (&new, vec![&new])]
    {
        write(signs, &trusted);
        // both have looked at their files several times, and have replaced what they had
        let (ended, looked) = (a.status(&b).counts.connections_ended, Instant::now());
        let replaced = async {
            while a.status(&b).counts.connections_ended == ended
                || looked.elapsed() < Duration::from_secs(1)
            {
                for (one, other) in [(&a, &b), (&b, &a)] {
                    one.send(other, sent, sent.to_le_bytes().to_vec());
                }
                sent += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(SOON, replaced).await.expect("the connection is replaced soon");
    }
    let arrived = async {
        for node in [&a, &b] {
            for nr in 0..sent {
                let message = |seen: &Reported| match seen {
                    Reported::Message(_, message) => Some(message.clone()),
                    Reported::Link(_, LinkReport::Heard) => None,
                    other => panic!("{other:?}"),
                };
                assert_eq!(node.seen.next(message).await, nr.to_le_bytes().as_slice());
            }
        }
    };
    timeout(SOON, arrived).await.expect("all arrive");
}

/// Counts the warnings that connections were refused.
#[derive(Clone, Default)]
struct Warnings(Arc<AtomicUsize>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN && metadata.target().contains("transport_shared")
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, _event: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

#[tokio::test]
async fn connections_of_one_kind_are_logged_once() {
    let warnings = Warnings::default();
    let _logging = tracing::subscriber::set_default(warnings.clone());
    let a = TestNode::over_tcp(280, plain_secret(SECRET)).await;
    for _ in 0..20 {
        connect_and_say(a.own.address.clone(), b"GET / HTTP/1.1\r\n\r\n").await;
    }
    assert_eq!(warnings.0.load(Ordering::Relaxed), 1);
}
