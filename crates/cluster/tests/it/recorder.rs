//! A node that notes what its links report.

use actum_cluster::{
    link::{LinkReport, LinkSettings, LinkSink, LinkStatus, Links},
    transport::{
        MemoryNetwork, PeerNode, PeerTransport, RactorTransport, TransportListener,
        TransportSettings,
    },
};
use actum_persistence::store::Incarnation;
use bytes::Bytes;
use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::Notify;

/// What a link has reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reported {
    Message(u64, Bytes),
    NotSent(u64, Vec<u64>),
    Lost(u64),
    Link(u64, LinkReport),
}

/// Notes everything, in its order.
#[derive(Default)]
pub(crate) struct Recorder {
    reported: Mutex<VecDeque<Reported>>,
    changed: Notify,
    panics: Mutex<bool>,
}

impl Recorder {
    fn note(&self, reported: Reported) {
        self.reported.lock().push_back(reported);
        self.changed.notify_one();
    }

    /// Panics at the next message.
    pub(crate) fn panic_once(&self) {
        *self.panics.lock() = true;
    }

    /// The next report for which this returns something; those before it are forgotten.
    pub(crate) async fn next<T>(&self, wanted: impl Fn(&Reported) -> Option<T>) -> T {
        loop {
            while let Some(reported) = self.pop() {
                if let Some(found) = wanted(&reported) {
                    return found;
                }
            }
            self.changed.notified().await;
        }
    }

    fn pop(&self) -> Option<Reported> {
        self.reported.lock().pop_front()
    }

    /// The next message.
    pub(crate) async fn message(&self) -> Bytes {
        self.next(|reported| match reported {
            Reported::Message(_, message) => Some(message.clone()),
            _ => None,
        })
        .await
    }

    /// Waits for this report.
    pub(crate) async fn wait_for(&self, wanted: Reported) {
        self.next(|reported| (*reported == wanted).then_some(())).await;
    }

    /// What has been reported and was not asked for yet.
    pub(crate) fn rest(&self) -> Vec<Reported> {
        self.reported.lock().drain(..).collect()
    }
}

impl LinkSink for Recorder {
    fn received(&self, from: Incarnation, message: Bytes) {
        assert!(!std::mem::take(&mut *self.panics.lock()), "as the test wants it");
        self.note(Reported::Message(from.get(), message));
    }

    fn not_sent(&self, to: Incarnation, tickets: Vec<u64>) {
        self.note(Reported::NotSent(to.get(), tickets));
    }

    fn lost(&self, to: Incarnation) {
        self.note(Reported::Lost(to.get()));
    }

    fn reported(&self, peer: Incarnation, report: LinkReport) {
        self.note(Reported::Link(peer.get(), report));
    }
}

/// A node of the cluster `bank`.
pub(crate) struct TestNode {
    pub(crate) own: PeerNode,
    pub(crate) links: Links,
    pub(crate) seen: Arc<Recorder>,
}

impl TestNode {
    pub(crate) fn in_memory(network: &MemoryNetwork, nr: u64) -> Self {
        Self::of_cluster("bank", network, nr)
    }

    pub(crate) fn of_cluster(cluster: &str, network: &MemoryNetwork, nr: u64) -> Self {
        let own = peer(nr);
        let transport = network.transport(own.incarnation);
        Self::start(cluster, own, transport, LinkSettings::default())
    }

    /// A node that listens at a free port of loopback.
    pub(crate) async fn over_tcp(nr: u64, settings: TransportSettings) -> Self {
        Self::at("127.0.0.1:0", nr, settings).await
    }

    pub(crate) async fn at(address: &str, nr: u64, settings: TransportSettings) -> Self {
        Self::with(address, nr, settings, LinkSettings::default()).await
    }

    pub(crate) async fn with(
        address: &str,
        nr: u64,
        settings: TransportSettings,
        links: LinkSettings,
    ) -> Self {
        let listener = TransportListener::bind(address).await.expect("it listens");
        let own = PeerNode { address: listener.address().to_string(), ..peer(nr) };
        let transport = RactorTransport::new(own.clone(), listener, settings);
        let transport = Arc::new(transport.expect("certificates can be used"));
        Self::start("bank", own, transport, links)
    }

    pub(crate) fn start(
        cluster: &str,
        own: PeerNode,
        transport: Arc<dyn PeerTransport>,
        settings: LinkSettings,
    ) -> Self {
        let seen = Arc::new(Recorder::default());
        let links = Links::start(cluster, &own, settings, transport, seen.clone());
        Self { own, links, seen }
    }

    pub(crate) fn send(&self, to: &Self, ticket: u64, message: impl Into<Bytes>) {
        self.links.send(to.own.incarnation, ticket, message.into()).expect("it is sent");
    }

    /// How the link to this peer is.
    pub(crate) fn status(&self, peer: &Self) -> LinkStatus {
        let states = self.links.states();
        let is_of = |state: &LinkStatus| state.peer.incarnation == peer.own.incarnation;
        states.into_iter().find(is_of).expect("a link to the peer")
    }

    /// Waits until messages can be sent to this peer.
    pub(crate) async fn wait_connected(&self, peer: &Self) {
        while self.status(peer).connected_for.is_none() {
            self.seen.changed.notified().await;
        }
    }
}

pub(crate) fn peer(nr: u64) -> PeerNode {
    PeerNode::new(Incarnation::new(nr), format!("node-{nr}"), format!("node-{nr}:7400"))
}

/// Introduces these nodes to each other and waits until all are connected.
pub(crate) async fn connect(nodes: &[&TestNode]) {
    let peers: Vec<_> = nodes.iter().map(|node| node.own.clone()).collect();
    for node in nodes {
        node.links.set_peers(peers.clone());
    }
    for one in nodes {
        for other in nodes.iter().filter(|other| other.own != one.own) {
            one.wait_connected(other).await;
        }
    }
}
