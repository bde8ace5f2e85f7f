use crate::transport::{PeerNode, handshake::Admittance, sessions::SessionConnection};
use actum_persistence::store::Incarnation;
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};
use tokio::{sync::watch, task::JoinHandle};

/// Which peers a node wants a connection with, and how that stands.
///
/// Both sides of a pair dial: a member that is dead must be seen to refuse by each of the others. When two connections cross,
/// the one stays that the younger one has dialled.
pub(super) struct PeerTable {
    own: Incarnation,
    peers: Mutex<HashMap<Incarnation, TablePeer>>,
}

struct TablePeer {
    node: PeerNode,
    standing: watch::Sender<PeerStanding>,
    connection: Option<Arc<SessionConnection>>,
    dialling: Option<JoinHandle<()>>,
}

/// How it stands with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeerStanding {
    /// There is no connection.
    Apart,
    /// The peer was dialled, and the introduction is under way.
    Introducing,
    /// There is a connection.
    Connected,
}

impl PeerTable {
    pub(super) fn new(own: Incarnation) -> Self {
        Self { own, peers: Mutex::default() }
    }

    /// Wants a connection with a peer, which `dial` begins to dial unless it is wanted already.
    pub(super) fn want(&self, node: PeerNode, dial: impl FnOnce() -> JoinHandle<()>) {
        let mut peers = self.peers.lock();
        if let Some(peer) = peers.get_mut(&node.incarnation) {
            peer.node = node;
            return;
        }
        let standing = watch::Sender::new(PeerStanding::Apart);
        let incarnation = node.incarnation;
        let peer = TablePeer { node, standing, connection: None, dialling: Some(dial()) };
        peers.insert(incarnation, peer);
    }

    /// Wants it no more. Returns its connection, and what dials it.
    pub(super) fn drop_peer(
        &self,
        peer: Incarnation,
    ) -> (Option<Arc<SessionConnection>>, Option<JoinHandle<()>>) {
        let peer = self.peers.lock().remove(&peer);
        peer.map_or((None, None), |peer| (peer.connection, peer.dialling))
    }

    pub(super) fn all(&self) -> Vec<Incarnation> {
        self.peers.lock().keys().copied().collect()
    }

    pub(super) fn node(&self, peer: Incarnation) -> Option<PeerNode> {
        self.peers.lock().get(&peer).map(|peer| peer.node.clone())
    }

    pub(super) fn connection(&self, peer: Incarnation) -> Option<Arc<SessionConnection>> {
        self.peers.lock().get(&peer)?.connection.clone()
    }

    /// Waits until there is no connection with a peer; `None` if none is wanted.
    pub(super) async fn is_apart(&self, peer: Incarnation) -> Option<()> {
        let mut standing = self.peers.lock().get(&peer)?.standing.subscribe();
        standing.wait_for(|standing| *standing == PeerStanding::Apart).await.ok()?;
        Some(())
    }

    /// The introduction begins on a connection that was dialled; `None` if there is one already, or none is wanted.
    pub(super) fn introducing(&self, peer: Incarnation) -> Option<IntroducingPeer<'_>> {
        let peers = self.peers.lock();
        let standing = &peers.get(&peer)?.standing;
        if *standing.borrow() != PeerStanding::Apart {
            return None;
        }
        standing.send_replace(PeerStanding::Introducing);
        Some(IntroducingPeer { table: self, peer })
    }

    /// Whether a connection is taken that this peer has dialled.
    pub(super) fn admit(&self, peer: Incarnation) -> Admittance {
        match self.peers.lock().get(&peer) {
            None => Admittance::UnknownMember,
            Some(found)
                if *found.standing.borrow() == PeerStanding::Introducing && self.own > peer =>
            {
                Admittance::Busy
            }
            // one that is there has broken, as its peer knows
            Some(_) => Admittance::Admitted,
        }
    }

    /// Takes a connection, unless there is one, or none is wanted any more.
    pub(super) fn take(&self, connection: &Arc<SessionConnection>) -> bool {
        let mut peers = self.peers.lock();
        let Some(peer) = peers.get_mut(&connection.peer()) else { return false };
        if peer.connection.is_some() {
            return false;
        }
        peer.connection = Some(connection.clone());
        peer.standing.send_replace(PeerStanding::Connected);
        true
    }

    /// A connection is over.
    pub(super) fn over(&self, connection: &Arc<SessionConnection>) {
        let mut peers = self.peers.lock();
        if let Some(peer) = peers.get_mut(&connection.peer())
            && peer.connection.as_ref().is_some_and(|taken| Arc::ptr_eq(taken, connection))
        {
            peer.connection = None;
            peer.standing.send_replace(PeerStanding::Apart);
        }
    }
}

/// The introduction to a peer that was dialled, until it has ended one way or the other.
pub(super) struct IntroducingPeer<'a> {
    table: &'a PeerTable,
    peer: Incarnation,
}

impl Drop for IntroducingPeer<'_> {
    fn drop(&mut self) {
        if let Some(peer) = self.table.peers.lock().get(&self.peer) {
            peer.standing.send_if_modified(|standing| {
                let is_open = *standing == PeerStanding::Introducing;
                if is_open {
                    *standing = PeerStanding::Apart;
                }
                is_open
            });
        }
    }
}
