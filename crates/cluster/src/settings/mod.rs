//! What a user says of the cluster a node belongs to.

mod cluster;
mod listening;
mod node_settings;
mod transport;

pub use cluster::Cluster;
pub(crate) use listening::{LinkStart, Listening};
pub(crate) use node_settings::NodeSettings;
use transport::Transport;
