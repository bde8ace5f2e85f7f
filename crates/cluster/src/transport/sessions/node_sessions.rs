use super::{
    SessionConnection,
    gateway::{Gateway, GatewayMessage},
    session_host::SessionHost,
    session_stream::SessionStream,
    session_table::SessionTable,
};
use crate::transport::{TransportEvents, security::ByteStream};
use parking_lot::Mutex;
use ractor::{Actor, ActorRef, SpawnErr};
use ractor_cluster::NodeServerMessage;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// The sessions of a node with its peers.
pub(in crate::transport) struct NodeSessions {
    table: Arc<SessionTable>,
    gateway: ActorRef<GatewayMessage>,
    host: ActorRef<NodeServerMessage>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl NodeSessions {
    /// Starts the gateway and the host of sessions of the node `name`, which is unique among all lives of all nodes.
    pub(in crate::transport) async fn start(
        name: String,
        events: Arc<dyn TransportEvents>,
    ) -> Result<Self, SpawnErr> {
        let table = Arc::new(SessionTable::default());
        let (gateway, gateway_task) = Actor::spawn(None, Gateway, (table.clone(), events)).await?;
        let host = SessionHost { name, table: table.clone(), gateway: gateway.clone() };
        let (host, host_task) = Actor::spawn(None, host, ()).await?;
        Ok(Self { table, gateway, host, tasks: Mutex::new(vec![gateway_task, host_task]) })
    }

    /// The number of the actor that takes frames.
    pub(in crate::transport) fn gateway(&self) -> u64 {
        self.gateway.get_id().pid()
    }

    /// Begins a session on a stream whose peer was introduced. Its begin and its end are reported.
    pub(in crate::transport) fn begin(
        &self,
        connection: &Arc<SessionConnection>,
        stream: Box<dyn ByteStream>,
        is_acceptor: bool,
    ) {
        self.table.add(connection.clone());
        let (key, room) = (connection.key().to_owned(), connection.room().clone());
        let stream = Box::new(SessionStream { key, stream, room });
        let opened = NodeServerMessage::ConnectionOpenedExternal { stream, is_server: is_acceptor };
        if self.host.cast(opened).is_err() {
            let _ = self.gateway.cast(GatewayMessage::Ended(connection.clone()));
        }
    }

    /// Those that rely on other certificates than these shall be replaced, one after another.
    pub(in crate::transport) async fn replace_older(&self, generation: u64, pause: Duration) {
        for connection in self.table.all() {
            if connection.generation() < generation {
                let key = connection.key().to_owned();
                let _ = self.gateway.cast(GatewayMessage::Outdated(key));
                tokio::time::sleep(pause).await;
            }
        }
    }

    /// Ends all sessions, and the actors.
    ///
    /// # Cancel safety
    /// May be called again.
    pub(in crate::transport) async fn close(&self) {
        for connection in self.table.all() {
            crate::transport::PeerConnection::close(&*connection);
        }
        self.table.is_empty().await;
        self.host.stop(None);
        self.gateway.stop(None);
        let tasks: Vec<_> = self.tasks.lock().drain(..).collect();
        for task in tasks {
            let _ = task.await;
        }
    }
}
