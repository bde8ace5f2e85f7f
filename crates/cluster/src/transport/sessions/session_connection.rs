use super::frame_room::FrameRoom;
use crate::transport::{FRAME_BYTES_MAX, PeerConnection, handshake::Introduced};
use actum_persistence::store::Incarnation;
use bytes::Bytes;
use ractor::{ActorCell, ActorId, ActorRef, message::SerializedMessage};
use ractor_cluster::NodeSessionMessage;
use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::watch;

/// The number of the next session. ractor finds the stubs of remote actors by it in a table of the whole process.
static NEXT_SESSION: AtomicU64 = AtomicU64::new(1);

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SessionStage {
    Opening,
    Ready,
    Ended,
}

/// A connection with a peer, carried by a session of ractor_cluster.
pub(in crate::transport) struct SessionConnection {
    peer: Introduced,
    node_id: u64,
    /// Which certificates it relies on.
    generation: u64,
    stage: watch::Sender<SessionStage>,
    wants_end: watch::Sender<bool>,
    session: OnceLock<ActorRef<NodeSessionMessage>>,
    /// Stands for the peer's gateway: what it is sent goes there.
    stub: OnceLock<ActorCell>,
    room: Arc<FrameRoom>,
}

impl SessionConnection {
    pub(in crate::transport) fn new(peer: Introduced, generation: u64) -> Self {
        Self {
            peer,
            node_id: NEXT_SESSION.fetch_add(1, Ordering::Relaxed),
            generation,
            stage: watch::Sender::new(SessionStage::Opening),
            wants_end: watch::Sender::new(false),
            session: OnceLock::new(),
            stub: OnceLock::new(),
            room: Arc::default(),
        }
    }

    pub(in crate::transport) fn peer(&self) -> Incarnation {
        self.peer.incarnation
    }

    pub(in crate::transport) fn key(&self) -> &str {
        &self.peer.key
    }

    pub(super) fn cookie(&self) -> &str {
        &self.peer.cookie
    }

    pub(super) fn node_id(&self) -> u64 {
        self.node_id
    }

    pub(in crate::transport) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn room(&self) -> &Arc<FrameRoom> {
        &self.room
    }

    /// The session has begun. It is ended at once if the connection was closed meanwhile.
    pub(super) fn set_session(&self, session: ActorRef<NodeSessionMessage>) {
        let _ = self.session.set(session);
        if *self.wants_end.borrow() {
            self.close();
        }
    }

    /// Looks for the stub of the peer's gateway, which is there when the session is ready. Returns whether it is.
    pub(super) fn find_stub(&self) -> bool {
        if self.stub.get().is_some() {
            return true;
        }
        let Some(session) = self.session.get() else { return false };
        let wanted = ActorId::Remote { node_id: self.node_id, pid: self.peer.gateway };
        let stub = session.get_children().into_iter().find(|child| child.get_id() == wanted);
        stub.is_some_and(|stub| {
            let _ = self.stub.set(stub);
            true
        })
    }

    pub(super) fn set_ready(&self) {
        self.reach(SessionStage::Ready);
    }

    pub(super) fn set_ended(&self) {
        self.reach(SessionStage::Ended);
    }

    fn reach(&self, stage: SessionStage) {
        self.stage.send_modify(|reached| *reached = stage.max(*reached));
    }

    pub(super) fn has_ended(&self) -> bool {
        *self.stage.borrow() == SessionStage::Ended
    }

    /// Waits until frames can be sent, or it has ended.
    pub(in crate::transport) async fn is_open(&self) {
        let mut stage = self.stage.subscribe();
        let _ = stage.wait_for(|stage| *stage >= SessionStage::Ready).await;
    }

    /// Waits until its end was reported.
    pub(in crate::transport) async fn is_over(&self) {
        let mut stage = self.stage.subscribe();
        let _ = stage.wait_for(|stage| *stage == SessionStage::Ended).await;
    }
}

impl PeerConnection for SessionConnection {
    fn send(&self, frame: Bytes) -> bool {
        debug_assert!(frame.len() <= FRAME_BYTES_MAX, "the peer would end the connection");
        let Some(stub) = self.stub.get() else { return false };
        let (variant, args) = (self.peer.key.clone(), frame.into());
        let message = SerializedMessage::Cast { variant, args, metadata: None };
        stub.send_serialized(message).is_ok()
    }

    fn close(&self) {
        self.wants_end.send_replace(true);
        if let Some(session) = self.session.get() {
            session.stop(Some("the connection is closed".to_owned()));
        }
    }
}

impl fmt::Debug for SessionConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionConnection")
            .field("peer", &self.peer.incarnation)
            .field("stage", &*self.stage.borrow())
            .finish_non_exhaustive()
    }
}
