use super::{
    memory_connection::{FramesIn, MemoryConnection},
    network_ways::NetworkWays,
};
use crate::transport::{PeerConnection, TransportEvents};
use actum_persistence::store::Incarnation;
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};
use tokio::{runtime::Handle, sync::watch};

/// The nodes of a network and their connections.
#[derive(Debug)]
pub(super) struct NetworkNodes {
    pub(super) ways: Arc<NetworkWays>,
    state: Mutex<NetworkState>,
    /// Counts the ends of connections.
    ended: watch::Sender<u64>,
}

impl Default for NetworkNodes {
    fn default() -> Self {
        let (ways, state) = (Arc::default(), Mutex::default());
        Self { ways, state, ended: watch::Sender::new(0) }
    }
}

#[derive(Debug, Default)]
struct NetworkState {
    nodes: BTreeMap<Incarnation, NetworkNode>,
    connections: BTreeMap<(Incarnation, Incarnation), NetworkLink>,
}

/// A node that listens.
struct NetworkNode {
    events: Arc<dyn TransportEvents>,
    /// Where its tasks run.
    runtime: Handle,
    wanted: BTreeSet<Incarnation>,
}

impl fmt::Debug for NetworkNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkNode").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

/// A connection, until both of its ends have been reported as ended.
#[derive(Debug)]
struct NetworkLink {
    connection: Arc<MemoryConnection>,
    ends: usize,
}

/// What an attempt to connect has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialled {
    /// There is a connection, or the other side does not want one yet.
    Done,
    /// The peer does not listen.
    Refused,
    /// The way is cut.
    Unanswered,
}

impl NetworkNodes {
    pub(super) fn others(&self, node: Incarnation) -> Vec<Incarnation> {
        self.state.lock().nodes.keys().copied().filter(|other| *other != node).collect()
    }

    pub(super) fn kill(&self, node: Incarnation) {
        let mut state = self.state.lock();
        state.nodes.remove(&node);
        state.close_where(|one, other| one == node || other == node);
    }

    pub(super) fn renew(&self, node: Incarnation) {
        let (events, peers) = {
            let state = self.state.lock();
            let Some(events) = state.nodes.get(&node).map(|node| node.events.clone()) else {
                return;
            };
            let pairs = state.connections.keys();
            let peers: Vec<_> = pairs.filter_map(|both| other_of(*both, node)).collect();
            (events, peers)
        };
        for peer in peers {
            events.outdated(peer);
        }
    }

    pub(super) fn listen(&self, node: Incarnation, events: Arc<dyn TransportEvents>) {
        let (wanted, runtime) = (BTreeSet::new(), Handle::current());
        self.state.lock().nodes.insert(node, NetworkNode { events, runtime, wanted });
    }

    /// Notes that `node` wants a connection with `peer`; returns whether it does so for the first time.
    pub(super) fn want(&self, node: Incarnation, peer: Incarnation) -> bool {
        let mut state = self.state.lock();
        state.nodes.get_mut(&node).is_some_and(|node| node.wanted.insert(peer))
    }

    pub(super) fn does_want(&self, node: Incarnation, peer: Incarnation) -> bool {
        self.state.lock().wants(node, peer)
    }

    pub(super) fn drop_peer(&self, node: Incarnation, peer: Incarnation) {
        let mut state = self.state.lock();
        if let Some(node) = state.nodes.get_mut(&node) {
            node.wanted.remove(&peer);
        }
        state.close_where(|one, other| (one, other) == pair(node, peer));
    }

    /// Dials `to`, and reports what that shows.
    pub(super) fn dial(self: &Arc<Self>, from: Incarnation, to: Incarnation) {
        let mut state = self.state.lock();
        let (dialled, begun) = state.dial(&self.ways, from, to);
        let events = state.nodes.get(&from).map(|node| node.events.clone());
        drop(state);
        for BegunEnd { end, frames, node, peer, events, runtime } in begun {
            runtime.spawn(self.clone().serve(end, frames, (peer, node), events));
        }
        match (dialled, events) {
            (Dialled::Refused, Some(events)) => events.refused(to),
            (Dialled::Unanswered, Some(events)) => events.unanswered(to),
            _ => {}
        }
    }

    /// One end of a connection, from its begin to its end.
    async fn serve(
        self: Arc<Self>,
        end: Arc<MemoryConnection>,
        frames: FramesIn,
        (from, to): (Incarnation, Incarnation),
        events: Arc<dyn TransportEvents>,
    ) {
        events.connected(from, end.clone());
        frames.deliver(&self.ways, (from, to), &*events).await;
        end.close();
        // a process that was killed hears nothing of it
        if self.state.lock().nodes.contains_key(&to) {
            events.disconnected(from);
        }
        let mut state = self.state.lock();
        if let Some(link) = state.connections.get_mut(&pair(from, to)) {
            link.ends -= 1;
            if link.ends == 0 {
                state.connections.remove(&pair(from, to));
            }
        }
        drop(state);
        self.ended.send_modify(|changes| *changes += 1);
    }

    /// Ends everything of a node, and waits for that.
    pub(super) async fn leave(&self, node: Incarnation) {
        let mut ended = self.ended.subscribe();
        {
            let mut state = self.state.lock();
            if let Some(node) = state.nodes.get_mut(&node) {
                node.wanted.clear();
            }
            state.close_where(|one, other| one == node || other == node);
        }
        let has_some = || {
            let state = self.state.lock();
            state.connections.keys().any(|(one, other)| *one == node || *other == node)
        };
        while has_some() {
            if ended.changed().await.is_err() {
                break;
            }
        }
        self.state.lock().nodes.remove(&node);
    }
}

/// One end of a connection that begins.
struct BegunEnd {
    end: Arc<MemoryConnection>,
    frames: FramesIn,
    node: Incarnation,
    peer: Incarnation,
    events: Arc<dyn TransportEvents>,
    runtime: Handle,
}

impl NetworkState {
    fn wants(&self, node: Incarnation, peer: Incarnation) -> bool {
        self.nodes.get(&node).is_some_and(|node| node.wanted.contains(&peer))
    }

    fn dial(
        &mut self,
        ways: &Arc<NetworkWays>,
        from: Incarnation,
        to: Incarnation,
    ) -> (Dialled, Vec<BegunEnd>) {
        let both = pair(from, to);
        if self.connections.contains_key(&both) || !self.wants(from, to) {
            return (Dialled::Done, Vec::new());
        }
        if ways.is_cut(from, to) {
            return (Dialled::Unanswered, Vec::new());
        }
        let (Some(one), Some(other)) = (self.nodes.get(&from), self.nodes.get(&to)) else {
            return (Dialled::Refused, Vec::new());
        };
        if !other.wanted.contains(&from) {
            return (Dialled::Done, Vec::new());
        }
        let [at_one, at_other] = MemoryConnection::pair(ways);
        self.connections.insert(both, NetworkLink { connection: at_one.0.clone(), ends: 2 });
        let begin = |(end, frames), node, peer, at: &NetworkNode| {
            let (events, runtime) = (at.events.clone(), at.runtime.clone());
            BegunEnd { end, frames, node, peer, events, runtime }
        };
        let begun = vec![begin(at_one, from, to, one), begin(at_other, to, from, other)];
        (Dialled::Done, begun)
    }

    fn close_where(&self, is_one: impl Fn(Incarnation, Incarnation) -> bool) {
        for ((one, other), link) in &self.connections {
            if is_one(*one, *other) {
                link.connection.close();
            }
        }
    }
}

fn pair(one: Incarnation, other: Incarnation) -> (Incarnation, Incarnation) {
    (one.min(other), one.max(other))
}

fn other_of((one, other): (Incarnation, Incarnation), node: Incarnation) -> Option<Incarnation> {
    match node {
        node if node == one => Some(other),
        node if node == other => Some(one),
        _ => None,
    }
}
