//! What the readers of a journal decide, as pure state machines:
//!
//! * [`runner`]: what a process does in a round: claim, lose, give back, and when its lease lapses;
//! * [`share_out`]: which segments of a projection a process runs, beside others that run it;
//! * [`segment`]: what the runner of a segment does next, from what was read and the outcome of a batch: offsets, retries, dead
//!   letters, parked entities and their replay;
//! * [`division`]: how the segments of a projection are split and merged while it runs;
//! * [`versions`]: how far a version of a projection may read that is not the active one;
//! * [`subscription`]: which consumer of a durable subscription gets which event, and how far everything is settled.
//!
//! No I/O, no tasks, no clock of their own: time and chance come in with each call. `actum-projection` has the tasks that carry out
//! what is decided here, and a simulation can drive it by the million steps.
//!
//! An internal crate of Actum's: users see its types through `actum`.

pub mod division;
pub mod runner;
pub mod segment;
pub mod share_out;
pub mod subscription;
pub mod versions;
