use super::{
    TransportSettings,
    peer_table::{IntroducingPeer, PeerTable},
};
use crate::transport::{
    PeerConnection, PeerNode, TransportEvents,
    handshake::Introduction,
    security::{ByteStream, Protection},
    sessions::{NodeSessions, SessionConnection},
};
use actum_host::{Burst, Moment, log_burst};
use actum_persistence::store::Incarnation;
use parking_lot::Mutex;
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    sync::{SetOnce, watch},
    task::JoinSet,
    time::{Instant, timeout},
};

/// How long a connection may take to end that another one replaces.
const REPLACE_TIMEOUT: Duration = Duration::from_secs(1);

/// What the tasks of a transport share.
pub(super) struct TransportShared {
    pub(super) own: PeerNode,
    pub(super) settings: TransportSettings,
    pub(super) protection: Protection,
    pub(super) peers: PeerTable,
    pub(super) events: OnceLock<Arc<dyn TransportEvents>>,
    pub(super) sessions: SetOnce<NodeSessions>,
    pub(super) closing: watch::Sender<bool>,
    /// Those that wait for the ends of connections.
    attending: Mutex<JoinSet<()>>,
    start: Instant,
    refusals: Burst,
    failed_dials: Burst,
}

impl TransportShared {
    pub(super) fn new(own: PeerNode, settings: TransportSettings, protection: Protection) -> Self {
        Self {
            peers: PeerTable::new(own.incarnation),
            own,
            settings,
            protection,
            events: OnceLock::new(),
            sessions: SetOnce::new(),
            closing: watch::Sender::new(false),
            attending: Mutex::default(),
            start: Instant::now(),
            refusals: Burst::default(),
            failed_dials: Burst::default(),
        }
    }

    pub(super) fn report(&self, report: impl FnOnce(&dyn TransportEvents)) {
        if let Some(events) = self.events.get() {
            report(&**events);
        }
    }

    pub(super) fn now(&self) -> Moment {
        Moment::default().after(self.start.elapsed())
    }

    /// How this node introduces itself.
    pub(super) async fn introduction(&self) -> Introduction {
        Introduction {
            incarnation: self.own.incarnation,
            name: self.own.name.clone(),
            gateway: self.sessions.wait().await.gateway(),
            secret: self.protection.secret().cloned(),
        }
    }

    /// Waits until the transport is closed.
    pub(super) async fn is_closing(&self) {
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// Ends the connection with this peer, if there is one, since it has made another one. Returns whether it is over.
    pub(super) async fn end_old(&self, peer: Incarnation) -> bool {
        let Some(old) = self.peers.connection(peer) else { return true };
        old.close();
        let is_over = timeout(REPLACE_TIMEOUT, old.is_over()).await.is_ok();
        if is_over {
            self.peers.over(&old);
        }
        is_over
    }

    /// Begins the session of a connection that was taken.
    pub(super) async fn begin_session(
        self: &Arc<Self>,
        connection: Arc<SessionConnection>,
        introducing: IntroducingPeer<'_>,
        stream: Box<dyn ByteStream>,
        is_acceptor: bool,
    ) {
        let burst = if is_acceptor { &self.refusals } else { &self.failed_dials };
        if let Some(failures) = burst.succeeded(|| self.now()) {
            tracing::debug!(failures, "nodes of the cluster are introduced again");
        }
        self.sessions.wait().await.begin(&connection, stream, is_acceptor);
        introducing.begun();
        let mut attending = self.attending.lock();
        while attending.try_join_next().is_some() {}
        attending.spawn(self.clone().attend(connection));
    }

    /// Ends a session that does not begin in time, and notes the end of one that has.
    async fn attend(self: Arc<Self>, connection: Arc<SessionConnection>) {
        if timeout(self.settings.handshake_timeout, connection.is_open()).await.is_err() {
            tracing::warn!(peer = %connection.peer(), "a session with a node of the cluster did not begin in time");
            connection.close();
        }
        connection.is_over().await;
        self.peers.over(&connection);
    }

    pub(super) async fn join_attending(&self) {
        let mut attending = std::mem::take(&mut *self.attending.lock());
        while attending.join_next().await.is_some() {}
    }

    /// Logs a connection of someone who is not let in, the first of a burst in full.
    pub(super) fn log_refusal(&self, address: std::net::SocketAddr, error: &str) {
        let report = self.refusals.failed(error, self.now());
        log_burst!(
            report, of: [], at: [%address,], error,
            "a connection was refused", keeps: "connections are still being refused"
        );
    }

    /// Logs that a peer could not be dialled, the first of a burst in full.
    pub(super) fn log_failed_dial(&self, peer: &PeerNode, error: &str) {
        let report = self.failed_dials.failed(error, self.now());
        let address = &peer.address;
        log_burst!(
            report, of: [], at: [%peer, address,], error,
            "a node of the cluster is not reached", keeps: "nodes of the cluster are still not reached"
        );
    }
}
