use crate::{
    link::{LinkSink, Links},
    transport::PeerNode,
};
use std::sync::Arc;

/// A node that takes connections, or is about to: made before it joins, so that it can say where it is reached.
pub(crate) struct Listening {
    /// Where peers reach it: a host and a port.
    pub(crate) address: String,
    pub(crate) links: LinkStart,
}

/// Makes the links of a node in one of its lives, or says why it has none.
pub(crate) type LinkStart =
    Box<dyn Fn(PeerNode, Arc<dyn LinkSink>) -> Result<Arc<Links>, String> + Send + Sync>;
