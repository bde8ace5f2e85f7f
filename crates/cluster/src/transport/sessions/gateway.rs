use super::{SessionConnection, session_table::SessionTable};
use crate::transport::TransportEvents;
use actum_persistence::panics::guard;
use bytes::Bytes;
use ractor::{
    Actor, ActorProcessingErr, ActorRef, Message,
    message::{BoxedDowncastErr, SerializedMessage},
};
use std::{collections::HashMap, sync::Arc};

/// The one actor of a node that others can reach: it takes the frames of all peers, and the begins and ends of their
/// connections, so that what is reported of one is reported in its order.
pub(super) struct Gateway;

/// What the gateway takes. From peers only frames come.
pub(in crate::transport) enum GatewayMessage {
    /// A frame, with the key of its connection: only both sides of a connection know it.
    Frame { key: String, frame: Bytes },
    /// Frames can be sent on this connection.
    Ready(Arc<SessionConnection>),
    /// The connection relies on certificates that were replaced.
    Outdated(String),
    /// The session of this connection has ended.
    Ended(Arc<SessionConnection>),
    /// Something else of a peer. Nothing of ours sends it.
    Foreign,
}

impl Message for GatewayMessage {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        // peers are sent bytes, see `SessionConnection`
        Err(BoxedDowncastErr)
    }

    fn deserialize(message: SerializedMessage) -> Result<Self, BoxedDowncastErr> {
        // an error here would end the actor
        Ok(match message {
            SerializedMessage::Cast { variant, args, .. } => {
                Self::Frame { key: variant, frame: args.into() }
            }
            SerializedMessage::Call { .. } | SerializedMessage::CallReply(..) => Self::Foreign,
        })
    }
}

/// What the gateway knows.
pub(super) struct GatewayState {
    table: Arc<SessionTable>,
    events: Arc<dyn TransportEvents>,
    /// The connections that were reported, by their keys.
    connections: HashMap<String, Arc<SessionConnection>>,
    /// What has come on connections that are not: the peer found out first that its session is ready. As many frames as there
    /// is room for are read of each.
    early: HashMap<String, Vec<Bytes>>,
}

impl Actor for Gateway {
    type Msg = GatewayMessage;
    type State = GatewayState;
    type Arguments = (Arc<SessionTable>, Arc<dyn TransportEvents>);

    async fn pre_start(
        &self,
        _myself: ActorRef<GatewayMessage>,
        (table, events): Self::Arguments,
    ) -> Result<GatewayState, ActorProcessingErr> {
        let (connections, early) = (HashMap::new(), HashMap::new());
        Ok(GatewayState { table, events, connections, early })
    }

    async fn handle(
        &self,
        _myself: ActorRef<GatewayMessage>,
        message: GatewayMessage,
        state: &mut GatewayState,
    ) -> Result<(), ActorProcessingErr> {
        if let Err(panic) = guard(|| state.take(message)) {
            tracing::error!(panic, "the node panicked over what a connection reports");
        }
        Ok(())
    }
}

impl GatewayState {
    fn take(&mut self, message: GatewayMessage) {
        match message {
            GatewayMessage::Frame { key, frame } => self.frame(key, frame),
            GatewayMessage::Ready(connection) => self.ready(&connection),
            GatewayMessage::Outdated(key) => {
                if let Some(connection) = self.connections.get(&key) {
                    self.events.outdated(connection.peer());
                }
            }
            GatewayMessage::Ended(connection) => self.ended(&connection),
            GatewayMessage::Foreign => {}
        }
    }

    fn frame(&mut self, key: String, frame: Bytes) {
        if let Some(connection) = self.connections.get(&key) {
            let _handled = connection.room().handling();
            self.events.received(connection.peer(), frame);
        } else if self.table.connection(&key).is_some_and(|connection| !connection.has_ended()) {
            self.early.entry(key).or_default().push(frame);
        }
    }

    fn ready(&mut self, connection: &Arc<SessionConnection>) {
        let is_new = !connection.has_ended() && !self.connections.contains_key(connection.key());
        if is_new {
            self.connections.insert(connection.key().to_owned(), connection.clone());
            connection.set_ready();
            self.events.connected(connection.peer(), connection.clone());
            for frame in self.early.remove(connection.key()).unwrap_or_default() {
                self.frame(connection.key().to_owned(), frame);
            }
        }
    }

    fn ended(&mut self, connection: &Arc<SessionConnection>) {
        let was_reported = self.connections.remove(connection.key()).is_some();
        self.early.remove(connection.key());
        // before it is gone for those who wait to make the next one
        if was_reported {
            self.events.disconnected(connection.peer());
        }
        self.table.remove(connection);
        connection.set_ended();
    }
}
