//! Sessions of ractor_cluster: what carries frames on a connection whose peer was introduced.
//!
//! A node has one actor that peers can reach, its [`gateway`]; its message is bytes. What a peer is sent goes to the stub of its
//! gateway, and from there through the actors of the session to the socket.

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
