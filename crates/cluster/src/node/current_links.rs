use crate::{
    link::{LinkRefusal, LinkStatus, Links},
    routing::Peers,
    transport::PeerNode,
};
use actum_persistence::store::Incarnation;
use bytes::Bytes;
use parking_lot::RwLock;
use std::sync::Arc;

/// The links of a node in its life of the moment: those of its next life are others.
#[derive(Default)]
pub(super) struct CurrentLinks(RwLock<Option<Arc<Links>>>);

impl CurrentLinks {
    /// Goes on with other links, and ends those before.
    pub(super) fn replace(&self, links: Option<Arc<Links>>) {
        let before = std::mem::replace(&mut *self.0.write(), links);
        if let Some(before) = before {
            tokio::spawn(async move { before.close().await });
        }
    }

    /// Ends the links, and waits until what was queued has been taken by those it is for, a second at most.
    pub(super) async fn close(&self) {
        let last = self.0.write().take();
        if let Some(last) = last {
            let _ = tokio::spawn(async move { last.close().await }).await;
        }
    }

    pub(super) fn set_peers(&self, peers: Vec<PeerNode>) {
        if let Some(links) = self.current() {
            links.set_peers(peers);
        }
    }

    pub(super) fn send_latest(&self, message: &Bytes) {
        if let Some(links) = self.current() {
            links.send_latest(message);
        }
    }

    pub(super) fn states(&self) -> Vec<LinkStatus> {
        self.current().map(|links| links.states()).unwrap_or_default()
    }

    fn current(&self) -> Option<Arc<Links>> {
        self.0.read().clone()
    }
}

impl Peers for CurrentLinks {
    fn send(&self, to: Incarnation, ticket: u64, message: Bytes) -> Result<(), LinkRefusal> {
        let links = self.current();
        links.map_or(Err(LinkRefusal::NotConnected), |links| links.send(to, ticket, message))
    }
}
