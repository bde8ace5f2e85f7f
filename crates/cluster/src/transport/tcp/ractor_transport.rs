use super::{
    TransportListener, TransportSettings, dialling::keep_dialling, listening::keep_listening,
    transport_shared::TransportShared,
};
use crate::transport::{
    PeerConnection, PeerNode, PeerTransport, TransportEvents,
    security::{Protection, TlsError},
    sessions::NodeSessions,
};
use actum_persistence::store::Incarnation;
use async_trait::async_trait;
use parking_lot::Mutex;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// How long after one connection the next one is replaced that relies on old certificates.
const REPLACE_PAUSE: Duration = Duration::from_millis(20);

/// Carries frames between processes: sessions of ractor_cluster over TCP, encrypted and introduced as the settings say.
///
/// A node has one gateway actor, which its peers cast bytes to. Names in sessions carry the incarnation, so a node that has
/// restarted never competes with the connections of its life before.
pub struct RactorTransport {
    shared: Arc<TransportShared>,
    listener: Mutex<Option<TcpListener>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl RactorTransport {
    /// The transport of the node `own`, which listens there. Settings must have been [checked](TransportSettings::check).
    ///
    /// # Errors
    /// [`TlsError`]: the certificates cannot be used. Reads files: not for a task that must not block for long.
    pub fn new(
        own: PeerNode,
        listener: TransportListener,
        settings: TransportSettings,
    ) -> Result<Self, TlsError> {
        let protection = Protection::open(settings.security.clone())?;
        let shared = Arc::new(TransportShared::new(own, settings, protection));
        let listener = Mutex::new(Some(listener.listener));
        Ok(Self { shared, listener, tasks: Mutex::default() })
    }
}

#[async_trait]
impl PeerTransport for RactorTransport {
    fn start(&self, events: Arc<dyn TransportEvents>) {
        let Some(listener) = self.listener.lock().take() else { return };
        let _ = self.shared.events.set(events.clone());
        let mut tasks = self.tasks.lock();
        tasks.push(tokio::spawn(run(self.shared.clone(), listener, events)));
        if self.shared.protection.tls().is_some() {
            tasks.push(tokio::spawn(keep_certificates(self.shared.clone())));
        }
    }

    fn connect(&self, peer: PeerNode) {
        let (shared, incarnation) = (self.shared.clone(), peer.incarnation);
        self.shared.peers.want(peer, || tokio::spawn(keep_dialling(shared, incarnation)));
    }

    fn disconnect(&self, peer: Incarnation) {
        let (connection, dialling) = self.shared.peers.drop_peer(peer);
        if let Some(dialling) = dialling {
            dialling.abort();
        }
        if let Some(connection) = connection {
            connection.close();
        }
    }

    async fn close(&self) {
        for peer in self.shared.peers.all() {
            self.disconnect(peer);
        }
        self.shared.closing.send_replace(true);
        let tasks: Vec<_> = self.tasks.lock().drain(..).collect();
        for task in tasks {
            let _ = task.await;
        }
        self.shared.join_attending().await;
    }
}

impl Drop for RactorTransport {
    fn drop(&mut self) {
        // the tasks end by themselves then
        self.shared.closing.send_replace(true);
        for peer in self.shared.peers.all() {
            self.disconnect(peer);
        }
    }
}

async fn run(
    shared: Arc<TransportShared>,
    listener: TcpListener,
    events: Arc<dyn TransportEvents>,
) {
    match NodeSessions::start(shared.own.to_string(), events).await {
        Ok(sessions) => {
            let _ = shared.sessions.set(sessions);
            keep_listening(shared.clone(), listener).await;
            shared.sessions.wait().await.close().await;
        }
        Err(error) => tracing::error!(%error, "the sessions of the node did not start"),
    }
}

/// Looks at the files of certificates, and lets connections be replaced that rely on others.
async fn keep_certificates(shared: Arc<TransportShared>) {
    let Some(tls) = shared.protection.tls() else { return };
    let interval = tls.reload_interval();
    loop {
        tokio::select! {
            biased;
            () = shared.is_closing() => return,
            () = tokio::time::sleep(interval) => {}
        }
        let looking = shared.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let tls = looking.protection.tls()?;
            let generation = tls.look();
            tls.warn_of_expiry(SystemTime::now());
            generation
        });
        if let Ok(Some(generation)) = looked.await {
            let sessions = shared.sessions.wait().await;
            sessions.replace_older(generation, REPLACE_PAUSE).await;
        }
    }
}
