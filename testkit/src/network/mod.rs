//! A network that misbehaves when a test says so: a TCP proxy that cuts, stalls, delays, and ends connections at the very
//! bytes a test names.

mod client_side;
mod conditions;
mod connection;
mod delay_timer;
mod fate;
mod pending_rules;
mod piece;
mod rule;
mod server_side;
mod tcp_proxy;

pub use rule::{Rule, Then};
pub use tcp_proxy::TcpProxy;
