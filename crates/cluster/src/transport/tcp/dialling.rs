//! Dials a peer whenever there is no connection with it.

use super::{
    peer_table::IntroducingPeer,
    socket::{host_of, prepare},
    transport_shared::TransportShared,
};
use crate::transport::{
    PeerNode,
    handshake::{HandshakeError, Introduced},
    security::{ByteStream, ProtectedStream},
    sessions::SessionConnection,
};
use actum_persistence::{error_chain::full_text, store::Incarnation};
use std::{
    io::{self, ErrorKind},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, sleep, timeout},
};

/// A connection that has lasted this long was a good one: when it ends the peer is dialled at once.
const GOOD_LIFE: Duration = Duration::from_secs(1);

/// What dialling has come to.
enum DialOutcome {
    /// A session has begun, or there is one.
    Connected,
    /// No one listens there, or another life of a node does.
    Refused,
    /// It was not reached: why.
    Failed(String),
    /// It does not take the connection now.
    NotNow,
}

/// Dials `peer` for as long as it is wanted.
pub(super) async fn keep_dialling(shared: Arc<TransportShared>, peer: Incarnation) {
    let (first, most) = (shared.settings.redial_first, shared.settings.redial_max);
    let mut backoff = first;
    loop {
        let begun = Instant::now();
        if shared.peers.is_apart(peer).await.is_none() {
            return;
        }
        if begun.elapsed() >= GOOD_LIFE {
            backoff = first;
        }
        let Some(node) = shared.peers.node(peer) else { return };
        match dial(&shared, &node).await {
            DialOutcome::Connected | DialOutcome::NotNow => {}
            DialOutcome::Refused => shared.report(|events| events.refused(peer)),
            DialOutcome::Failed(error) => {
                shared.log_failed_dial(&node, &error);
                shared.report(|events| events.unanswered(peer));
            }
        }
        sleep(jittered(backoff)).await;
        backoff = (2 * backoff).min(most);
    }
}

fn jittered(backoff: Duration) -> Duration {
    backoff.mul_f64(0.75 + fastrand::f64() / 2.0)
}

async fn dial(shared: &Arc<TransportShared>, node: &PeerNode) -> DialOutcome {
    let socket = match timeout(shared.settings.connect_timeout, connect(shared, node)).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
            return DialOutcome::Refused;
        }
        Ok(Err(error)) => return DialOutcome::Failed(full_text(&error)),
        Err(_) => return DialOutcome::Failed("no answer in time".to_owned()),
    };
    let Some(introducing) = shared.peers.introducing(node.incarnation) else {
        return DialOutcome::Connected;
    };
    let handshake = introduce(shared, node, socket, &introducing);
    match timeout(shared.settings.handshake_timeout, handshake).await {
        Ok(Ok((connection, stream))) => {
            shared.begin_session(connection, introducing, stream, false).await;
            DialOutcome::Connected
        }
        Ok(Err(HandshakeError::AnotherLife)) => DialOutcome::Refused,
        Ok(Err(HandshakeError::UnknownMember | HandshakeError::Busy)) => DialOutcome::NotNow,
        Ok(Err(error)) => DialOutcome::Failed(full_text(&error)),
        Err(_) => DialOutcome::Failed("no introduction in time".to_owned()),
    }
}

/// Connects with one of the addresses of a peer. The error is `ConnectionRefused` only if all refuse.
async fn connect(shared: &TransportShared, node: &PeerNode) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(ErrorKind::NotFound, "its host has no address");
    for (nr, address) in lookup_host(&node.address).await?.enumerate() {
        let result = if shared.protection.allows(address.ip()) {
            TcpStream::connect(address).await
        } else {
            Err(io::Error::other("it is beyond loopback, and connections there need certificates"))
        };
        match result {
            Ok(socket) => {
                prepare(&socket)?;
                return Ok(socket);
            }
            Err(error) if nr == 0 || error.kind() != ErrorKind::ConnectionRefused => failed = error,
            Err(_) => {}
        }
    }
    Err(failed)
}

async fn introduce(
    shared: &TransportShared,
    node: &PeerNode,
    socket: TcpStream,
    introducing: &IntroducingPeer<'_>,
) -> Result<(Arc<SessionConnection>, Box<dyn ByteStream>), HandshakeError> {
    let host = host_of(&node.address);
    let protected = shared.protection.dialled(socket, host).await.map_err(HandshakeError::Io)?;
    let ProtectedStream { mut stream, binding, generation } = protected;
    let introduction = shared.introduction().await;
    let mut taken = None;
    let confirm = |peer: &Introduced| {
        let connection = Arc::new(SessionConnection::new(peer.clone(), generation));
        let is_taken = introducing.take(&connection);
        taken = is_taken.then_some(connection);
        is_taken
    };
    let introduced = introduction.dialled(&mut stream, node.incarnation, &binding, confirm).await;
    introduced?;
    taken.map(|connection| (connection, stream)).ok_or(HandshakeError::Busy)
}
