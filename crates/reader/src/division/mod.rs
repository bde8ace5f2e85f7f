//! The segments of a projection are split and merged: a pure decision, made from what is kept.
//!
//! # What a division keeps
//! *How far a partition has come is the position of its segment in the lane of that partition, and no division changes it.*
//! So every event of a partition that was handled lies at or in front of the position of the new segment, and every other one
//! behind it: none is handled twice, and none is skipped.
//!
//! * A part of a segment is where the whole was. Entities that are parked and dead letters are kept by entity and by place,
//!   not by segment, and lie in front of the position that has not changed.
//! * A segment that is made of several has one position in each lane, so those must be at the same one, in each lane
//!   that their partitions in it write to. One that is behind reads on first, exactly up to the position of the one that
//!   has come furthest: those rest meanwhile, so it is there when that is reached.
//! * What was read must still be true when it is replaced. A save does not change the epoch of a segment, so one that has an
//!   owner, also one that seems to be dead, is taken from it before: then it has an epoch that was given to no one, under which
//!   no one can save, and the store replaces it only in that epoch.
//! * The new segments have an epoch behind all of those, so that a runner of a segment with the same partitions, from before,
//!   can save nothing.
//! * Where live begins is a property of the projection, and stays. Each segment of a version that follows lies in one of the
//!   active version, so that it can come exactly as far: when that is split, those that follow it are, too.

#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod division;
#[cfg(test)]
mod division_tests;
mod new_segment;
mod not_divided;

pub use division::{Behind, Division, DivisionStep};
pub use not_divided::NotDivided;
