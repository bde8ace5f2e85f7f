//! Which member each partition belongs to: a pure function of the member table, so that every node computes the same.
//!
//! # How
//! The current owners are known to all, so no hash has to find them, and what is there decides what stays (a *sticky*
//! assignment):
//!
//! ```text
//! quota of each member ─> each keeps up to its quota ─> what is left over and what no one owns fills the others
//! ```
//! * **Quotas** are the weighted shares of the partitions, rounded down, and up for as many members as are left over: first
//!   for those that own more than their share rounded down, since that saves a move, then by the largest remainder
//!   (Hamilton's method).
//! * **What is kept**: a member keeps the lanes of which it has most, and of one more lane a part (`lane_partitions.rs`).
//! * **What is filled**: a lane goes to members that have it already, else to as few as their room allows: best fit, the
//!   largest lane first (`filling.rs`).
//!
//! Rendezvous hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, Consistent Hashing with Bounded Loads, 2016)
//! needs no table. Its price is a load of up to `1 + ε` of the share, and more moves than needed: in the order of `1 / ε²`
//! for each member that comes or goes. Here the bounds are the best there are.
//!
//! # Bounds
//! Those who may own partitions are the eligible members that are not leaving. While they are all of one version:
//!
//! * each gets its weighted share, rounded down or up, so fewer than one partition more or less;
//! * no other assignment within that bound moves fewer partitions. A partition moves only if it has no owner, if its owner
//!   is gone, leaving or not eligible, or has more than its quota. One that joins or leaves moves its share, and at most
//!   one partition for each other member;
//! * what is moved makes at most as many new pairs of a lane and a member that owns some of it as there are lanes and
//!   members that partitions are moved to, less one. So when no partition has an owner, at most `members - 1` such pairs
//!   more than lanes;
//! * a part of the moves that has been made changes neither the quotas nor what each of the others gives up: no partition
//!   moves twice.
//!
//! While they are of several versions, as in a rolling update, no partition moves unless it has to: what is above a quota
//! stays. The rest goes to members of the newest version up to their share rounded down, the emptiest before others, then
//! to the others up to theirs, and what is left over to the youngest; to no one beyond its share rounded up. So a new node
//! is not flooded, and owns at most what it would own anyway. When nodes of one weight, and no more than partitions, are
//! updated one after the other, or rolled back, no partition moves more than twice before the last node of the other
//! version is gone; what moves then is the share of the node that comes last. A member of the newest version that comes
//! when nothing has to move gets nothing until then.
//!
//! Where no one may own partitions nothing moves: a leaving member keeps what it has until it releases it. Several roles
//! are assigned one by one, each with its own members who are eligible.

mod allotment;
mod app_version;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod assignment;
mod candidate;
mod filling;
mod lane_partitions;
mod quotas;

pub use app_version::AppVersion;
pub use assignment::Assignment;
pub use candidate::Candidate;
