//! Takes the connections of others. Who is not introduced in time is ended, and holds no one up.

use super::{socket::prepare, transport_shared::TransportShared};
use crate::transport::{handshake::HandshakeError, sessions::SessionConnection};
use actum_persistence::error_chain::full_text;
use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
    time::{sleep, timeout},
};

/// How long no connection is taken after one could not be: the process has no more files, for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Takes connections until the transport is closed.
pub(super) async fn keep_listening(shared: Arc<TransportShared>, listener: TcpListener) {
    let mut unintroduced = Unintroduced::default();
    loop {
        tokio::select! {
            // closing first, then room for others
            biased;
            () = shared.is_closing() => break,
            Some(_) = unintroduced.tasks.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, address)) => {
                    let welcome = welcome(shared.clone(), socket, address);
                    unintroduced.begin(welcome, shared.settings.handshakes_max);
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    unintroduced.tasks.shutdown().await;
}

/// The connections that are not introduced yet, the oldest first.
#[derive(Default)]
struct Unintroduced {
    tasks: JoinSet<()>,
    handles: VecDeque<AbortHandle>,
}

impl Unintroduced {
    /// Begins one more. If they are too many the oldest is ended: an introduction takes milliseconds, so that is one which
    /// says nothing.
    fn begin(&mut self, welcome: impl Future<Output = ()> + Send + 'static, max: usize) {
        self.handles.retain(|handle| !handle.is_finished());
        while self.handles.len() >= max
            && let Some(oldest) = self.handles.pop_front()
        {
            oldest.abort();
        }
        self.handles.push_back(self.tasks.spawn(welcome));
    }
}

async fn welcome(shared: Arc<TransportShared>, socket: TcpStream, address: SocketAddr) {
    let introduction = introduce(&shared, socket);
    let error = match timeout(shared.settings.handshake_timeout, introduction).await {
        Ok(Ok(())) => return,
        // who only looks whether a process listens here, or dials as well
        Ok(Err(
            error @ (HandshakeError::Nothing
            | HandshakeError::Busy
            | HandshakeError::AnotherLife
            | HandshakeError::UnknownMember),
        )) => {
            let error = full_text(&error);
            tracing::debug!(%address, error, "a connection was not taken");
            return;
        }
        Ok(Err(error)) => full_text(&error),
        Err(_) => "no introduction in time".to_owned(),
    };
    shared.log_refusal(address, &error);
}

async fn introduce(shared: &Arc<TransportShared>, socket: TcpStream) -> Result<(), HandshakeError> {
    prepare(&socket).map_err(HandshakeError::Io)?;
    let mut protected = shared.protection.accepted(socket).await.map_err(HandshakeError::Io)?;
    let introduction = shared.introduction().await;
    let mut introducing = None;
    let admit = |peer| {
        let (admittance, begun) = shared.peers.admit(peer);
        introducing = begun;
        admittance
    };
    let introduced = introduction.accepted(&mut protected.stream, &protected.binding, admit);
    let peer = introduced.await?;
    let Some(introducing) = introducing else { return Err(HandshakeError::Busy) };
    let connection = Arc::new(SessionConnection::new(peer, protected.generation));
    if shared.end_old(connection.peer()).await && introducing.take(&connection) {
        shared.begin_session(connection, introducing, protected.stream, true).await;
    }
    Ok(())
}
