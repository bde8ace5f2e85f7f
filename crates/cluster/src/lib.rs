//! What makes several engines one cluster.
//!
//! * [`transport`]: carries frames of bytes between nodes, over ractor_cluster or within one process.
//! * [`link`]: what is sent over it: batches, acknowledged and bounded.
//!
//! An internal crate of Actum's: users see its types through `actum`.

pub mod link;
pub mod transport;
