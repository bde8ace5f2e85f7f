//! Subscriptions, over a journal in memory.

mod competing;
mod durable;
mod failing;
mod processes;
mod random_processes;
mod subscriber_rig;
mod transient;
