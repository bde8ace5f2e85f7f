use crate::transport::{PeerNode, handshake::Admittance, sessions::SessionConnection};
use actum_persistence::store::Incarnation;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{sync::watch, task::JoinHandle};

/// Which peers a node wants a connection with, and how that stands.
///
/// Both sides of a pair dial: a member that is dead must be seen to refuse by each of the others. A node introduces itself to a
/// peer on one connection at a time, whichever side has dialled it; of two that cross the one stays that the younger node has
/// dialled.
pub(super) struct PeerTable {
    own: Incarnation,
    peers: Mutex<HashMap<Incarnation, TablePeer>>,
    introductions: AtomicU64,
}

struct TablePeer {
    node: PeerNode,
    standing: watch::Sender<PeerStanding>,
    connection: Option<Arc<SessionConnection>>,
    /// The introduction on a connection that will replace this one.
    replaced_by: Option<IntroductionNr>,
    dialling: Option<JoinHandle<()>>,
}

/// Tells introductions apart.
type IntroductionNr = u64;

/// How it stands with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeerStanding {
    /// There is no connection.
    Apart,
    /// The introduction is under way on a connection that one of both has dialled.
    Introducing { nr: IntroductionNr, has_dialled: bool },
    /// There is a connection.
    Connected,
}

impl PeerTable {
    pub(super) fn new(own: Incarnation) -> Self {
        Self { own, peers: Mutex::default(), introductions: AtomicU64::new(0) }
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
        let (connection, replaced_by, dialling) = (None, None, Some(dial()));
        let peer = TablePeer { node, standing, connection, replaced_by, dialling };
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

    /// The introduction begins on a connection that this node has dialled; `None` if one is under way on another connection or
    /// has ended well, or none is wanted.
    pub(super) fn introducing(&self, peer: Incarnation) -> Option<IntroducingPeer<'_>> {
        let peers = self.peers.lock();
        let standing = &peers.get(&peer)?.standing;
        if *standing.borrow() != PeerStanding::Apart {
            return None;
        }
        let nr = self.next_introduction();
        standing.send_replace(PeerStanding::Introducing { nr, has_dialled: true });
        Some(self.introduction(peer, nr))
    }

    /// Whether a connection is taken that this peer has dialled. If it is, no other one is begun until it is taken or dropped.
    pub(super) fn admit(&self, peer: Incarnation) -> (Admittance, Option<IntroducingPeer<'_>>) {
        let mut peers = self.peers.lock();
        let Some(found) = peers.get_mut(&peer) else { return (Admittance::UnknownMember, None) };
        let standing = *found.standing.borrow();
        let nr = self.next_introduction();
        match standing {
            PeerStanding::Introducing { has_dialled: true, .. } if self.own > peer => {
                return (Admittance::Busy, None);
            }
            // the one that is there has broken, as its peer knows
            PeerStanding::Connected => found.replaced_by = Some(nr),
            PeerStanding::Apart | PeerStanding::Introducing { .. } => {
                found.standing.send_replace(PeerStanding::Introducing { nr, has_dialled: false });
            }
        }
        (Admittance::Admitted, Some(self.introduction(peer, nr)))
    }

    fn introduction(&self, peer: Incarnation, nr: IntroductionNr) -> IntroducingPeer<'_> {
        IntroducingPeer { table: self, peer, nr, taken: Mutex::default() }
    }

    fn next_introduction(&self) -> IntroductionNr {
        self.introductions.fetch_add(1, Ordering::Relaxed)
    }

    /// A connection is over.
    pub(super) fn over(&self, connection: &Arc<SessionConnection>) {
        let mut peers = self.peers.lock();
        if let Some(peer) = peers.get_mut(&connection.peer())
            && peer.connection.as_ref().is_some_and(|taken| Arc::ptr_eq(taken, connection))
        {
            peer.connection = None;
            peer.standing.send_replace(match peer.replaced_by.take() {
                Some(nr) => PeerStanding::Introducing { nr, has_dialled: false },
                None => PeerStanding::Apart,
            });
        }
    }
}

/// An introduction to a peer, until it has ended one way or the other.
pub(super) struct IntroducingPeer<'a> {
    table: &'a PeerTable,
    peer: Incarnation,
    nr: IntroductionNr,
    /// The connection it is about, once it was taken and until its session has begun.
    taken: Mutex<Option<Arc<SessionConnection>>>,
}

impl IntroducingPeer<'_> {
    /// Takes the connection that it is about. Not if another introduction has taken its place, or none is wanted any more.
    pub(super) fn take(&self, connection: &Arc<SessionConnection>) -> bool {
        let mut peers = self.table.peers.lock();
        let Some(peer) = peers.get_mut(&self.peer) else { return false };
        if !self.is_current(*peer.standing.borrow()) {
            return false;
        }
        peer.connection = Some(connection.clone());
        peer.standing.send_replace(PeerStanding::Connected);
        *self.taken.lock() = Some(connection.clone());
        true
    }

    /// The session has begun: from now on the connection ends with it.
    pub(super) fn begun(self) {
        *self.taken.lock() = None;
    }

    fn is_current(&self, standing: PeerStanding) -> bool {
        matches!(standing, PeerStanding::Introducing { nr, .. } if nr == self.nr)
    }
}

impl Drop for IntroducingPeer<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.taken.get_mut().take() {
            self.table.over(&connection);
        }
        let mut peers = self.table.peers.lock();
        let Some(peer) = peers.get_mut(&self.peer) else { return };
        if peer.replaced_by == Some(self.nr) {
            peer.replaced_by = None;
        }
        peer.standing.send_if_modified(|standing| {
            let is_current = self.is_current(*standing);
            if is_current {
                *standing = PeerStanding::Apart;
            }
            is_current
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{IntroducingPeer, PeerTable};
    use crate::transport::{
        PeerNode,
        handshake::{Admittance, Introduced},
        sessions::SessionConnection,
    };
    use actum_persistence::store::Incarnation;
    use std::sync::Arc;

    const OLDER: Incarnation = Incarnation::new(1);
    const YOUNGER: Incarnation = Incarnation::new(2);

    fn table(own: Incarnation, peer: Incarnation) -> PeerTable {
        let table = PeerTable::new(own);
        table.want(PeerNode::new(peer, "peer", "peer:1"), || tokio::spawn(async {}));
        table
    }

    fn connection(peer: Incarnation, key: &str) -> Arc<SessionConnection> {
        let (key, name, cookie) = (key.to_owned(), String::new(), String::new());
        Arc::new(SessionConnection::new(
            Introduced { incarnation: peer, name, gateway: 1, key, cookie },
            0,
        ))
    }

    /// One side dials the other one, step by step, as the handshake does.
    struct Dial<'a> {
        key: &'static str,
        dialler: &'a PeerTable,
        acceptor: &'a PeerTable,
        dialling: Option<IntroducingPeer<'a>>,
        accepting: Option<IntroducingPeer<'a>>,
        step: usize,
        replaced: usize,
    }

    impl<'a> Dial<'a> {
        fn new(key: &'static str, dialler: &'a PeerTable, acceptor: &'a PeerTable) -> Self {
            let (dialling, accepting) = (None, None);
            Self { key, dialler, acceptor, dialling, accepting, step: 0, replaced: 0 }
        }

        fn step(&mut self) {
            self.step += 1;
            match self.step {
                1 => self.dialling = self.dialler.introducing(self.acceptor.own),
                2 if self.dialling.is_some() => {
                    let (admittance, accepting) = self.acceptor.admit(self.dialler.own);
                    assert_eq!(accepting.is_some(), admittance == Admittance::Admitted);
                    self.accepting = accepting;
                }
                3 => {
                    let confirms = self.accepting.is_some()
                        && self.dialling.as_ref().is_some_and(|dialling| {
                            dialling.take(&connection(self.acceptor.own, self.key))
                        });
                    match self.dialling.take() {
                        Some(dialling) if confirms => dialling.begun(),
                        _ => self.accepting = None,
                    }
                }
                4 => {
                    let Some(accepting) = self.accepting.take() else { return };
                    if let Some(old) = self.acceptor.connection(self.dialler.own) {
                        self.replaced += 1;
                        self.acceptor.over(&old);
                    }
                    if accepting.take(&connection(self.dialler.own, self.key)) {
                        accepting.begun();
                    }
                }
                _ => {}
            }
        }
    }

    fn key(table: &PeerTable, peer: Incarnation) -> Option<String> {
        table.connection(peer).map(|connection| connection.key().to_owned())
    }

    #[tokio::test]
    async fn two_that_dial_each_other_end_with_one_connection_in_whatever_turns() {
        for turns in 0u32..1 << 8 {
            if turns.count_ones() != 4 {
                continue;
            }
            let (older, younger) = (table(OLDER, YOUNGER), table(YOUNGER, OLDER));
            let mut of_older = Dial::new("of the older", &older, &younger);
            let mut of_younger = Dial::new("of the younger", &younger, &older);
            for turn in 0..8 {
                if turns >> turn & 1 == 1 { of_older.step() } else { of_younger.step() }
            }
            assert_eq!((of_older.replaced, of_younger.replaced), (0, 0), "{turns:08b}");
            let keys = (key(&older, YOUNGER), key(&younger, OLDER));
            assert_eq!(keys.0, keys.1, "{turns:08b}");
            assert!(keys.0.is_some(), "{turns:08b}");
        }
    }

    #[tokio::test]
    async fn of_two_connections_that_cross_that_of_the_younger_stays() {
        let (older, younger) = (table(OLDER, YOUNGER), table(YOUNGER, OLDER));
        let mut of_older = Dial::new("of the older", &older, &younger);
        let mut of_younger = Dial::new("of the younger", &younger, &older);
        for _ in 0..4 {
            of_older.step();
            of_younger.step();
        }
        assert_eq!(key(&older, YOUNGER).as_deref(), Some("of the younger"));
    }

    #[tokio::test]
    async fn a_peer_that_dials_again_replaces_a_connection_that_has_broken_for_it() {
        let (older, younger) = (table(OLDER, YOUNGER), table(YOUNGER, OLDER));
        let mut first = Dial::new("first", &younger, &older);
        (0..4).for_each(|_| first.step());
        younger.over(&younger.connection(OLDER).expect("a connection"));
        let mut second = Dial::new("second", &younger, &older);
        (0..4).for_each(|_| second.step());
        assert_eq!(second.replaced, 1);
        assert_eq!(key(&older, YOUNGER).as_deref(), Some("second"));
        assert_eq!(key(&younger, OLDER).as_deref(), Some("second"));
    }

    #[tokio::test]
    async fn an_introduction_that_ends_in_between_leaves_the_way_free() {
        for steps in 1..=3 {
            let (older, younger) = (table(OLDER, YOUNGER), table(YOUNGER, OLDER));
            let mut broken = Dial::new("broken", &older, &younger);
            (0..steps).for_each(|_| broken.step());
            drop(broken);
            if let Some(open) = older.connection(YOUNGER) {
                older.over(&open);
            }
            let mut next = Dial::new("next", &younger, &older);
            (0..4).for_each(|_| next.step());
            assert_eq!(key(&older, YOUNGER).as_deref(), Some("next"), "after {steps}");
        }
    }

    #[tokio::test]
    async fn a_taken_connection_whose_session_never_begins_is_given_up() {
        let older = table(OLDER, YOUNGER);
        let introducing = older.introducing(YOUNGER).expect("no one else");
        assert!(introducing.take(&connection(YOUNGER, "taken")));
        assert!(older.introducing(YOUNGER).is_none());
        drop(introducing);
        assert!(older.connection(YOUNGER).is_none());
        assert!(older.introducing(YOUNGER).is_some());
    }

    #[tokio::test]
    async fn who_is_not_wanted_is_not_admitted() {
        let older = table(OLDER, YOUNGER);
        older.drop_peer(YOUNGER);
        assert_eq!(older.admit(YOUNGER).0, Admittance::UnknownMember);
        assert!(older.introducing(YOUNGER).is_none());
    }
}
