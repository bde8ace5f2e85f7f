//! What a member does next on the way from the owners there are to those that are assigned: which partitions it hands off,
//! and which it claims. Pure: it carries nothing out, and is asked again whenever something has changed or ended.
//!
//! ```text
//! owner  ── hand-off: admits no more, drains, releases ──>  no owner  ── claim ──>  target
//!           at most `hand_offs_max` at a time                         all at once
//! ```
//! **Claims come first.** A partition without an owner fails every command or lets it wait, so a member claims all that are
//! meant for it at once. That is cheap: it changes rows, many in one call, and no entity is recovered by it. Entities
//! recover when their commands come, and how many do so at once is bounded where they are read. So after a loss the
//! partitions that were not lost notice nothing of the claims.
//!
//! **Hand-offs** are begun a few at a time, since each makes its entities recover elsewhere. Those that have to be, since
//! the owner leaves or is not eligible any more, wait for nothing else. Those that only balance the load also wait while
//! many partitions are without an owner: what has been released counts until it is claimed. So a loss is
//! made good before anything else moves.
//!
//! What is seen may be old, or another member may see something else: then a claim is refused by the table, and what was
//! released is claimed by the member that is its target then.

mod move_settings;
mod moves_under_way;
mod next_moves;
mod seen_placement;

pub use move_settings::MoveSettings;
pub use moves_under_way::MovesUnderWay;
pub use next_moves::{HandOff, NextMoves};
pub use seen_placement::SeenPlacement;
