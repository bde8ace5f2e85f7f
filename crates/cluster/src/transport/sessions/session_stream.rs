use super::{frame_room::FrameRoom, metered_read::MeteredRead};
use crate::transport::security::ByteStream;
use ractor_cluster::{BoxRead, BoxWrite, ClusterBidiStream};
use std::sync::Arc;

/// A connection on its way to the host of sessions, which finds it by its key.
pub(super) struct SessionStream {
    pub(super) key: String,
    pub(super) stream: Box<dyn ByteStream>,
    pub(super) room: Arc<FrameRoom>,
}

impl ClusterBidiStream for SessionStream {
    fn split(self: Box<Self>) -> (BoxRead, BoxWrite) {
        let (read, write) = tokio::io::split(self.stream);
        (Box::new(MeteredRead::new(read, self.room)), Box::new(write))
    }

    fn peer_label(&self) -> Option<String> {
        Some(self.key.clone())
    }
}
