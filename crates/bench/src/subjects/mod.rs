//! The rows of the engine.

pub(crate) mod activation;
pub(crate) mod allocations;
mod append_handle;
pub(crate) mod batches_in_flight;
pub(crate) mod beside_projection;
pub(crate) mod catch_up;
pub(crate) mod commands;
pub(crate) mod exact_rows;
pub(crate) mod idle;
pub(crate) mod live_delivery;
pub(crate) mod memory;
pub(crate) mod owned_appends;
pub(crate) mod queries;
pub(crate) mod recovery;
