use super::{
    LinkRefusal, LinkReport, LinkSettings, LinkSink, LinkStatus, link::Link,
    link_frame::PROTOCOL_VERSION,
};
use crate::transport::{PeerConnection, PeerNode, PeerTransport, TransportEvents};
use actum_persistence::store::Incarnation;
use actum_proto::link::v1::Hello;
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{task::JoinHandle, time::Instant};

/// How long [`Links::close`] waits for what is queued.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The links of a node to its peers: what is sent to each is gathered into batches, bounded, and answered for.
///
/// A message goes at once while less than two batches are on their way; what comes meanwhile goes with the next one. No peer
/// waits for another one.
pub struct Links {
    shared: Arc<LinksShared>,
    ticking: Mutex<Option<JoinHandle<()>>>,
}

/// What links share with the transport's tasks.
struct LinksShared {
    own: Arc<Hello>,
    settings: LinkSettings,
    transport: Arc<dyn PeerTransport>,
    sink: Arc<dyn LinkSink>,
    start: Instant,
    /// In the order of their peers: what is done with all of them happens in an order that can be repeated.
    links: RwLock<BTreeMap<Incarnation, Arc<Link>>>,
}

impl Links {
    /// Begins to take connections over `transport`, as the node `own` of the cluster `cluster`. It is connected with no one
    /// until [`set_peers`](Self::set_peers).
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn start(
        cluster: &str,
        own: &PeerNode,
        settings: LinkSettings,
        transport: Arc<dyn PeerTransport>,
        sink: Arc<dyn LinkSink>,
    ) -> Self {
        let own = Arc::new(Hello {
            protocol_version: PROTOCOL_VERSION,
            cluster: cluster.to_owned(),
            incarnation: own.incarnation.get(),
            node: own.name.clone(),
            message_bytes_max: settings.message_bytes_max as u64,
        });
        let start = Instant::now();
        let links = RwLock::default();
        let shared = Arc::new(LinksShared { own, settings, transport, sink, start, links });
        shared.transport.start(Arc::new(LinkEvents(Arc::downgrade(&shared))));
        let ticking = tokio::spawn(tick(Arc::downgrade(&shared), settings.heartbeat_interval / 2));
        Self { shared, ticking: Mutex::new(Some(ticking)) }
    }

    /// Who the peers are now: connects with the new ones and drops those that are not among them. The own node is skipped.
    pub fn set_peers(&self, peers: Vec<PeerNode>) {
        let own = self.shared.own.incarnation;
        let peers: BTreeMap<_, _> = peers
            .into_iter()
            .filter(|peer| peer.incarnation.get() != own)
            .map(|peer| (peer.incarnation, peer))
            .collect();
        let gone: Vec<_> = {
            let mut links = self.shared.links.write();
            let gone = links.extract_if(.., |peer, _| !peers.contains_key(peer)).collect();
            for peer in peers.values() {
                let link = links.entry(peer.incarnation).or_insert_with(|| self.shared.link(peer));
                link.set_address(peer.clone());
            }
            gone
        };
        for (peer, link) in gone {
            self.shared.transport.disconnect(peer);
            link.give_up();
        }
        for peer in peers.into_values() {
            self.shared.transport.connect(peer);
        }
    }

    /// Sends a message. Returns at once: the message is on its way, or waits for its batch. `ticket` names it if it turns out
    /// that it was not sent.
    ///
    /// # Errors
    /// [`LinkRefusal`]: nothing of it was sent.
    pub fn send(&self, to: Incarnation, ticket: u64, message: Bytes) -> Result<(), LinkRefusal> {
        let link = self.shared.links.read().get(&to).cloned();
        link.ok_or(LinkRefusal::NotConnected)?.send(ticket, message)
    }

    /// Sends a message of at most 16 KiB to all peers that are connected. It takes the place of the one before that has not gone
    /// yet, of which one at most is on its way to a peer; it counts against no bound, and it may be lost.
    pub fn send_latest(&self, message: &Bytes) {
        let links: Vec<_> = self.shared.links.read().values().cloned().collect();
        for link in links {
            link.send_latest(message.clone());
        }
    }

    /// How the links are, ordered by the incarnation of their peers.
    #[must_use]
    pub fn states(&self) -> Vec<LinkStatus> {
        let links: Vec<_> = self.shared.links.read().values().cloned().collect();
        let mut states: Vec<_> = links.iter().map(|link| link.status()).collect();
        states.sort_by_key(|state| state.peer.incarnation);
        states
    }

    /// Waits until what is queued was taken by those it is for, at most a second, and ends all connections.
    ///
    /// # Cancel safety
    /// May be called again to wait for the end.
    pub async fn close(&self) {
        let deadline = Instant::now() + LAST_WORDS;
        let is_idle = || self.shared.links.read().values().all(|link| link.is_idle());
        while !is_idle() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.shared.transport.close().await;
        self.set_peers(Vec::new());
        if let Some(ticking) = self.ticking.lock().take() {
            ticking.abort();
        }
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        if let Some(ticking) = self.ticking.lock().take() {
            ticking.abort();
        }
    }
}

impl LinksShared {
    fn link(&self, peer: &PeerNode) -> Arc<Link> {
        let (own, sink) = (self.own.clone(), self.sink.clone());
        Arc::new(Link::new(own, self.settings, peer.clone(), sink, self.start))
    }
}

/// Sends heartbeats and looks who is silent.
async fn tick(shared: Weak<LinksShared>, interval: Duration) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        let links: Vec<_> = shared.links.read().values().cloned().collect();
        for link in links {
            link.tick();
        }
    }
}

/// What the transport reports goes to the link of its peer.
struct LinkEvents(Weak<LinksShared>);

impl LinkEvents {
    fn link(&self, peer: Incarnation) -> Option<Arc<Link>> {
        self.0.upgrade()?.links.read().get(&peer).cloned()
    }

    fn report(&self, peer: Incarnation, report: LinkReport) {
        if let Some(shared) = self.0.upgrade()
            && shared.links.read().contains_key(&peer)
        {
            shared.sink.reported(peer, report);
        }
    }
}

impl TransportEvents for LinkEvents {
    fn connected(&self, peer: Incarnation, connection: Arc<dyn PeerConnection>) {
        match self.link(peer) {
            Some(link) => link.connected(connection),
            // it was dropped a moment ago
            None => connection.close(),
        }
    }

    fn received(&self, peer: Incarnation, frame: Bytes) {
        if let Some(link) = self.link(peer) {
            link.received(frame);
        }
    }

    fn outdated(&self, peer: Incarnation) {
        if let Some(link) = self.link(peer) {
            link.outdated();
        }
    }

    fn disconnected(&self, peer: Incarnation) {
        if let Some(link) = self.link(peer) {
            link.disconnected();
        }
    }

    fn refused(&self, peer: Incarnation) {
        self.report(peer, LinkReport::Refused);
    }

    fn unanswered(&self, peer: Incarnation) {
        self.report(peer, LinkReport::Silent);
    }
}
