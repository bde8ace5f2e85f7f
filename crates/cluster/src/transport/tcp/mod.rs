//! Connections between processes: listens and dials, and hands those who were introduced to their sessions.

mod dialling;
mod listening;
mod peer_table;
mod ractor_transport;
mod socket;
#[cfg(test)]
mod tests;
mod transport_listener;
mod transport_settings;
mod transport_shared;

pub use ractor_transport::RactorTransport;
pub use transport_listener::TransportListener;
pub use transport_settings::TransportSettings;
