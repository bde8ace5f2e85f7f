//! Versions of a projection side by side: one is active, and the others follow it.

mod follow_limit;

pub use follow_limit::FollowLimit;
