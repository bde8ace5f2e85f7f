//! The rows of the engine.

pub(crate) mod activation;
pub(crate) mod allocations;
pub(crate) mod batches_in_flight;
pub(crate) mod commands;
pub(crate) mod memory;
pub(crate) mod queries;
pub(crate) mod recovery;
