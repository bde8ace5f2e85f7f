use super::{
    SessionConnection, gateway::GatewayMessage, metered_read::SESSION_FRAME_BYTES_MAX,
    session_table::SessionTable,
};
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use ractor_cluster::{
    ClusterBidiStream, NetworkStream, NodeServerMessage, NodeSession, NodeSessionMessage,
    node::{NodeConnectionMode, SessionCheckReply},
};
use std::{collections::HashMap, sync::Arc};

/// Runs the sessions of ractor_cluster, in the place of its `NodeServer`.
///
/// That one also listens, on a port of its own, for all that have the cookie; takes any number of connections that prove nothing,
/// for any time; and keeps one session a name by rules that can prefer a dead one. Here connections come from our own listener
/// and dialler, which have made sure of all that.
pub(super) struct SessionHost {
    /// What the node is called in sessions.
    pub(super) name: String,
    pub(super) table: Arc<SessionTable>,
    pub(super) gateway: ActorRef<GatewayMessage>,
}

/// The connections by the actors of their sessions.
pub(super) type Hosted = HashMap<ActorId, Arc<SessionConnection>>;

impl Actor for SessionHost {
    type Msg = NodeServerMessage;
    type State = Hosted;
    type Arguments = ();

    async fn pre_start(
        &self,
        _myself: ActorRef<NodeServerMessage>,
        (): (),
    ) -> Result<Hosted, ActorProcessingErr> {
        Ok(Hosted::new())
    }

    async fn handle(
        &self,
        myself: ActorRef<NodeServerMessage>,
        message: NodeServerMessage,
        hosted: &mut Hosted,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            NodeServerMessage::ConnectionOpenedExternal { stream, is_server } => {
                self.host(&myself, stream, is_server, hosted).await;
            }
            NodeServerMessage::ConnectionReady(session) => self.ready(session, hosted),
            NodeServerMessage::CheckSession { reply, .. } => {
                // which of two connections stays was decided before
                let _ = reply.send(SessionCheckReply::NoOtherConnection);
            }
            NodeServerMessage::GetSessions(reply) => {
                let _ = reply.send(HashMap::new());
            }
            NodeServerMessage::ConnectionOpened { .. }
            | NodeServerMessage::ConnectionAuthenticated(_)
            | NodeServerMessage::UpdateSession { .. }
            | NodeServerMessage::SubscribeToEvents { .. }
            | NodeServerMessage::UnsubscribeToEvents(_)
            | NodeServerMessage::PortChanged { .. } => {}
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<NodeServerMessage>,
        event: SupervisionEvent,
        hosted: &mut Hosted,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorTerminated(session, ..)
        | SupervisionEvent::ActorFailed(session, _) = event
            && let Some(connection) = hosted.remove(&session.get_id())
        {
            self.ended(connection);
        }
        Ok(())
    }
}

impl SessionHost {
    async fn host(
        &self,
        myself: &ActorRef<NodeServerMessage>,
        stream: Box<dyn ClusterBidiStream>,
        is_server: bool,
        hosted: &mut Hosted,
    ) {
        let key = stream.peer_label();
        let Some(connection) = key.and_then(|key| self.table.connection(&key)) else { return };
        match self.spawn(myself, stream, is_server, &connection).await {
            Ok(session) => {
                hosted.insert(session.get_id(), connection.clone());
                connection.set_session(session);
            }
            Err(error) => {
                let error = error.to_string();
                tracing::warn!(error, "a session with a node of the cluster did not begin");
                self.ended(connection);
            }
        }
    }

    async fn spawn(
        &self,
        myself: &ActorRef<NodeServerMessage>,
        stream: Box<dyn ClusterBidiStream>,
        is_server: bool,
        connection: &SessionConnection,
    ) -> Result<ActorRef<NodeSessionMessage>, SpawnErr> {
        // the type of names has no path outside of its crate: it is read from bytes
        let name = prost::Message::decode(&*self.name_as_bytes())
            .map_err(|error| SpawnErr::StartupFailed(Box::new(error)))?;
        let session = NodeSession::new(
            connection.node_id(),
            is_server,
            connection.cookie().to_owned(),
            myself.clone(),
            name,
            NodeConnectionMode::Isolated,
        )
        .with_max_inbound_frame_size(SESSION_FRAME_BYTES_MAX);
        let (reader, writer) = stream.split();
        let stream =
            NetworkStream::External { peer_label: None, local_label: None, reader, writer };
        let (session, _) = Actor::spawn_linked(None, session, stream, myself.get_cell()).await?;
        Ok(session)
    }

    fn name_as_bytes(&self) -> Vec<u8> {
        let (name, connection_string) = (self.name.clone(), self.name.clone());
        let flags = Some(SessionFlags { version: 1 });
        prost::Message::encode_to_vec(&SessionName { name, flags, connection_string })
    }

    fn ready(&self, session: ActorId, hosted: &Hosted) {
        let Some(connection) = hosted.get(&session) else { return };
        if connection.find_stub() {
            let _ = self.gateway.cast(GatewayMessage::Ready(connection.clone()));
        } else {
            tracing::warn!(peer = %connection.peer(), "a node of the cluster has no gateway");
            crate::transport::PeerConnection::close(&**connection);
        }
    }

    fn ended(&self, connection: Arc<SessionConnection>) {
        let _ = self.gateway.cast(GatewayMessage::Ended(connection));
    }
}

/// What a session calls its node: the message `NameMessage` of ractor_cluster.
#[derive(Clone, PartialEq, prost::Message)]
struct SessionName {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    flags: Option<SessionFlags>,
    #[prost(string, tag = "3")]
    connection_string: String,
}

/// The message `NodeFlags` of ractor_cluster.
#[derive(Clone, PartialEq, prost::Message)]
struct SessionFlags {
    #[prost(uint32, tag = "1")]
    version: u32,
}
