//! What the rows of the engine are held against, and the rival that it must beat.

pub(crate) mod decoding;
pub(crate) mod lane_pages;
pub(crate) mod mpsc;
pub(crate) mod naive;
pub(crate) mod postgres;
pub(crate) mod ractor_calls;
pub(crate) mod ractor_spawns;
pub(crate) mod recovery_reads;
pub(crate) mod rows_by_hand;
pub(crate) mod sql_inserts;
pub(crate) mod sql_pages;
