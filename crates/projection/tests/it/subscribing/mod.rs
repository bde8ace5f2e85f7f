//! Subscriptions, over a journal in memory.

mod competing;
mod durable;
mod failing;
mod in_memory;
mod processes;
mod random_processes;
pub(crate) mod subscriber_rig;
mod transient;
