use super::MemoryRows;

/// An open transaction of a [`MemoryTarget`](crate::MemoryTarget). It keeps no other one waiting.
#[derive(Debug)]
pub struct MemoryTransaction(pub(super) MemoryRows);
