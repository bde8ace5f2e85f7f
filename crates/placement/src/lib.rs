//! Who owns which partition of a cluster, as pure functions:
//!
//! * [`assignment`]: which member each partition belongs to;
//! * [`moves`]: which partitions a member hands off, and which it claims, on the way there;
//! * [`failure`]: which members have failed, as one of them sees it.
//!
//! No I/O, no tasks, no clock of their own: time comes in with each call. All that they know of the others is read from the
//! member table, which every member reads, so each of them decides alone and comes to the same result.
//!
//! An internal crate of Actum's: users see its types through `actum`.

pub mod assignment;
pub mod failure;
pub mod moves;
