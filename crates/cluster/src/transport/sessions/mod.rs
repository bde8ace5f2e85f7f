//! Sessions of ractor_cluster: what carries frames on a connection whose peer was introduced.
//!
//! A node has one actor that peers can reach, its [`gateway`]; its message is bytes. What a peer is sent goes to the stub of its
//! gateway, and from there through the actors of the session to the socket.
//!
//! # What is ours, since ractor_cluster lacks it
//! * Its queues have no bounds. What is sent is bounded by the links, which wait for the peer to take batches. What is read is
//!   bounded by the [`frame_room`]: at most 32 frames of a peer are between its socket and the gateway, then reading stops, and
//!   TCP lets the peer wait.
//! * A frame says nothing of its sender: it carries the key of its connection, which only both sides know.
//! * It prints whole messages, payloads among them, where its logs are at `debug`. Nothing here can change that.

mod frame_room;
mod gateway;
mod metered_read;
mod node_sessions;
mod session_connection;
mod session_host;
mod session_stream;
mod session_table;
#[cfg(test)]
mod tests;

pub(super) use node_sessions::NodeSessions;
pub(super) use session_connection::SessionConnection;
