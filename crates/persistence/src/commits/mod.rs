//! What this process has just committed, for those who read the journal beside it.
//!
//! Each writer announces its commits here, before their results go to its [sink](crate::group_commit::CommitSink): a
//! reader that has seen an answer finds a head that is no lower. A reader that has caught up with the store waits for
//! the [head](LaneCommits::head) of its lane instead of asking again, and takes what was committed from the
//! [tail](TailReader::page) when that follows what it has; otherwise it asks the store.
//!
//! An announcement is a hint that comes early, never the only way to an event: a commit whose outcome could not be found
//! out is not announced, nor is one of another process. So a reader also asks the store now and then.
//!
//! What other processes commit may be [announced](OtherCommits) here as well, for what it is worth: then a reader asks the store
//! at once.
//!
//! Without a reader a commit costs some loads and a store of a number, and no event is kept.
//!
//! Positions are given out once, so a writer that gets one again learns that the journal has [lost
//! events](JournalRegress). Writes of durable states are counted: a journal that has fewer has lost [changes](StatesRegress).

#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod commits;
mod journal_regress;
mod known_changes;
mod lane_commits;
mod lane_tail;
mod other_commits;
mod state_commits;
mod states_regress;
mod watermark;

pub use commits::Commits;
pub use journal_regress::JournalRegress;
pub use lane_commits::{LaneCommits, TailReader};
pub use lane_tail::LaneTail;
pub use other_commits::OtherCommits;
pub use state_commits::StateCommits;
pub use states_regress::StatesRegress;
