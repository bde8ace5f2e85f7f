//! Frames are sent by one thread at a time, in their order.

use crate::{
    link::{
        LinkReport, LinkSettings, LinkSink, Links,
        link_frame::{PROTOCOL_VERSION, decode, encode},
    },
    transport::{PeerConnection, PeerNode, PeerTransport, TransportEvents},
};
use actum_persistence::store::Incarnation;
use actum_proto::link::v1::{Hello, link_frame::Content};
use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock};

/// A transport whose connections the test makes.
#[derive(Default)]
struct ByHand(OnceLock<Arc<dyn TransportEvents>>);

#[async_trait]
impl PeerTransport for ByHand {
    fn start(&self, events: Arc<dyn TransportEvents>) {
        let _ = self.0.set(events);
    }

    fn connect(&self, _peer: PeerNode) {}

    fn disconnect(&self, _peer: Incarnation) {}

    async fn close(&self) {}
}

/// A connection that sends a second message while it is about to send the first one.
#[derive(Default)]
struct Interrupted {
    links: OnceLock<Arc<Links>>,
    batches: Mutex<Vec<u64>>,
}

impl std::fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interrupted")
    }
}

impl PeerConnection for Interrupted {
    fn send(&self, frame: Bytes) -> bool {
        if let Some(Content::Batch(batch)) = decode(frame).expect("a frame").content {
            if batch.number == 1 {
                let links = self.links.get().expect("links");
                links.send(Incarnation::new(2), 2, Bytes::new()).expect("it is sent");
            }
            self.batches.lock().push(batch.number);
        }
        true
    }

    fn close(&self) {}
}

struct Ignored;

impl LinkSink for Ignored {
    fn received(&self, _from: Incarnation, _message: Bytes) {}
    fn not_sent(&self, _to: Incarnation, _tickets: Vec<u64>) {}
    fn lost(&self, _to: Incarnation) {}
    fn reported(&self, _peer: Incarnation, _report: LinkReport) {}
}

#[tokio::test]
async fn a_batch_never_overtakes_one_that_is_about_to_be_sent() {
    let (transport, connection) = (Arc::new(ByHand::default()), Arc::new(Interrupted::default()));
    let own = PeerNode::new(Incarnation::new(1), "a", "a:1");
    let peer = PeerNode::new(Incarnation::new(2), "b", "b:1");
    let settings = LinkSettings::default();
    let links = Links::start("bank", &own, settings, transport.clone(), Arc::new(Ignored));
    let links = Arc::new(links);
    let _ = connection.links.set(links.clone());
    links.set_peers(vec![peer.clone()]);
    let events = transport.0.get().expect("started");
    events.connected(peer.incarnation, connection.clone());
    let hello = Hello {
        protocol_version: PROTOCOL_VERSION,
        cluster: "bank".to_owned(),
        incarnation: 2,
        node: "b".to_owned(),
        message_bytes_max: 1 << 20,
    };
    events.received(peer.incarnation, encode(0, Some(Content::Hello(hello))));
    links.send(peer.incarnation, 1, Bytes::new()).expect("it is sent");
    assert_eq!(*connection.batches.lock(), [1, 2]);
}
