use super::heard_heads::HeardHeads;
use crate::{
    link::{LinkReport, LinkSink},
    routing::{Inbound, Router},
};
use actum_persistence::{members::TableVersion, panics::log_safely, store::Incarnation};
use actum_proto::wire::v1::{PeerMessage, peer_message::Content};
use bytes::Bytes;
use prost::Message;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Takes what comes over the links of a node to those it is for.
pub(super) struct PeerSink {
    router: Arc<Router>,
    inbound: Arc<Inbound>,
    heads: Arc<HeardHeads>,
    reports: mpsc::Sender<(Incarnation, LinkReport)>,
}

impl PeerSink {
    pub(super) fn new(
        router: Arc<Router>,
        inbound: Arc<Inbound>,
        heads: Arc<HeardHeads>,
        reports: mpsc::Sender<(Incarnation, LinkReport)>,
    ) -> Self {
        Self { router, inbound, heads, reports }
    }
}

impl LinkSink for PeerSink {
    fn received(&self, from: Incarnation, message: Bytes) {
        match PeerMessage::decode(message).map(|message| message.content) {
            Ok(Some(Content::Command(envelope))) => self.inbound.serve(from, envelope),
            Ok(Some(Content::Reply(reply))) => self.router.replied(from, reply),
            Ok(Some(Content::TableChanged(changed))) => {
                self.router.saw_version(TableVersion::new(changed.version));
            }
            Ok(Some(Content::HeadsAdvanced(heads))) => self.heads.heard(from, &heads),
            Ok(None) => {} // of a later version
            Err(error) => {
                log_safely(|| tracing::warn!(%from, %error, "a message of a peer cannot be read"));
            }
        }
    }

    fn not_sent(&self, to: Incarnation, tickets: Vec<u64>) {
        self.router.not_sent(to, &tickets);
    }

    fn lost(&self, to: Incarnation) {
        self.router.lost(to);
    }

    fn reported(&self, peer: Incarnation, report: LinkReport) {
        // one more or less makes no difference: they are repeated
        let _ = self.reports.try_send((peer, report));
    }
}
