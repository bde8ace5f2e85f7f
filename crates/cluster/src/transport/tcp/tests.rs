use super::{RactorTransport, TransportListener, TransportSettings};
use crate::transport::{
    PeerConnection, PeerNode, PeerTransport, TransportEvents,
    handshake::{HandshakeError, Introduction},
};
use actum_persistence::store::Incarnation;
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);

/// Fails the test when a connection is reported.
struct NoOne;

impl TransportEvents for NoOne {
    fn connected(&self, peer: Incarnation, _connection: Arc<dyn PeerConnection>) {
        panic!("{peer} is connected");
    }

    fn received(&self, peer: Incarnation, _frame: Bytes) {
        panic!("{peer} has sent something");
    }

    fn outdated(&self, _peer: Incarnation) {}
    fn disconnected(&self, peer: Incarnation) {
        panic!("{peer} was connected");
    }

    fn refused(&self, _peer: Incarnation) {}
    fn unanswered(&self, _peer: Incarnation) {}
}

/// The node 1, which wants a connection with 2, and its address.
async fn node(settings: TransportSettings) -> (RactorTransport, String) {
    let listener = TransportListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.address().to_string();
    let own = PeerNode::new(Incarnation::new(1), "node-1", address.clone());
    let transport = RactorTransport::new(own, listener, settings).unwrap();
    transport.start(Arc::new(NoOne));
    // nothing listens at port 0
    transport.connect(PeerNode::new(Incarnation::new(2), "node-2", "127.0.0.1:0"));
    (transport, address)
}

/// Introduces itself to node 1 as node 2, and no more than that.
async fn introduced(address: &str) -> TcpStream {
    let two = Introduction {
        incarnation: Incarnation::new(2),
        name: "node-2".to_owned(),
        gateway: 1,
        secret: None,
    };
    loop {
        let mut socket = TcpStream::connect(address).await.unwrap();
        match two.dialled(&mut socket, Incarnation::new(1), b"", |_| true).await {
            Ok(peer) => {
                assert_eq!(peer.incarnation, Incarnation::new(1));
                return socket;
            }
            // the other side dials at that moment
            Err(HandshakeError::Busy) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_peer_that_is_introduced_and_begins_no_session_is_ended_in_time() {
    let limit = Duration::from_millis(300);
    let (transport, address) =
        node(TransportSettings::default().with_handshake_timeout(limit)).await;
    for says in [&b""[..], b"\0\0\0\0\0\0\0\x04junk", &[0xff; 100]] {
        let mut socket = timeout(SOON, introduced(&address)).await.expect("soon");
        let start = Instant::now();
        socket.write_all(says).await.unwrap();
        let end = timeout(SOON, socket.read_to_end(&mut Vec::new())).await;
        assert!(end.is_ok(), "it is ended");
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
    timeout(SOON, transport.close()).await.expect("it closes soon");
}

#[tokio::test]
async fn a_peer_that_is_introduced_again_takes_the_place_of_its_connection_before() {
    let (transport, address) = node(TransportSettings::default()).await;
    let mut first = timeout(SOON, introduced(&address)).await.expect("soon");
    let second = timeout(SOON, introduced(&address)).await.expect("soon");
    let end = timeout(Duration::from_secs(3), first.read_to_end(&mut Vec::new())).await;
    assert!(end.is_ok(), "it is ended long before it would be for its silence");
    drop(second);
    timeout(SOON, transport.close()).await.expect("it closes soon");
}

#[tokio::test]
async fn a_transport_that_is_closed_listens_no_more() {
    let (transport, address) = node(TransportSettings::default()).await;
    let mut open = timeout(SOON, introduced(&address)).await.expect("soon");
    timeout(SOON, transport.close()).await.expect("it closes soon");
    let end = timeout(SOON, open.read_to_end(&mut Vec::new())).await;
    assert!(end.is_ok(), "what was open is ended");
    assert!(TcpStream::connect(&address).await.is_err());
}
