use super::network_nodes::NetworkNodes;
use crate::transport::{PeerNode, PeerTransport, TransportEvents};
use actum_persistence::store::Incarnation;
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// How often a peer is dialled that is not connected.
const REDIAL_INTERVAL: Duration = Duration::from_millis(50);

/// What carries the frames of one node over a [`MemoryNetwork`](super::MemoryNetwork).
#[derive(Debug)]
pub struct MemoryTransport {
    network: Arc<NetworkNodes>,
    own: Incarnation,
}

impl MemoryTransport {
    pub(super) fn new(network: Arc<NetworkNodes>, own: Incarnation) -> Self {
        Self { network, own }
    }
}

#[async_trait]
impl PeerTransport for MemoryTransport {
    fn start(&self, events: Arc<dyn TransportEvents>) {
        self.network.listen(self.own, events);
    }

    fn connect(&self, peer: PeerNode) {
        let peer = peer.incarnation;
        if !self.network.want(self.own, peer) {
            return;
        }
        let (network, own) = (self.network.clone(), self.own);
        tokio::spawn(async move {
            while network.does_want(own, peer) {
                network.dial(own, peer);
                tokio::time::sleep(REDIAL_INTERVAL).await;
            }
        });
    }

    fn disconnect(&self, peer: Incarnation) {
        self.network.drop_peer(self.own, peer);
    }

    async fn close(&self) {
        self.network.leave(self.own).await;
    }
}
