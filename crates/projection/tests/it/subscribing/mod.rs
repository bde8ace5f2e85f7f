//! Subscriptions, over a journal in memory.

mod subscriber_rig;
mod transient;
