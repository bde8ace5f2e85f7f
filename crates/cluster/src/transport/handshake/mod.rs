//! How two nodes prove to each other that they know the cluster's secret, before anything else is said on a connection.

mod handshake_error;
mod introduction;
mod messages;
mod proofs;
#[cfg(test)]
mod tests;

pub(super) use handshake_error::HandshakeError;
pub(super) use introduction::{Admittance, Introduced, Introduction};
