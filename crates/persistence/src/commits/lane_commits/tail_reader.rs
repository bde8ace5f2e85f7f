use super::LaneCommits;
use crate::{
    commits::lane_tail::page,
    store::{EventFilter, LanePage, PageLimit},
};
use actum_model::{Lane, Position};
use std::{fmt, sync::Arc};

/// Reads what was just committed to a lane, without asking the store. While it lives the newest events of the lane are
/// kept in memory, within the bounds of [`GroupCommitSettings`](crate::group_commit::GroupCommitSettings).
#[must_use]
pub struct TailReader {
    commits: Arc<LaneCommits>,
}

impl TailReader {
    pub(super) fn new(commits: Arc<LaneCommits>) -> Self {
        Self { commits }
    }

    /// What it reads.
    #[must_use]
    pub fn commits(&self) -> &LaneCommits {
        &self.commits
    }

    /// The lane that it reads.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.commits.lane()
    }

    /// The page that [`EventStore::read_lane`](crate::store::EventStore::read_lane) would return, from memory; `None`
    /// when the event right behind `after` is not there: then the store has to be asked.
    #[must_use]
    pub fn page(
        &self,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Option<LanePage> {
        // the events are copied without the lock, which the writer takes
        page(&self.commits.runs_behind(after), after, filter, limit)
    }
}

impl Drop for TailReader {
    fn drop(&mut self) {
        self.commits.unfollow();
    }
}

impl fmt::Debug for TailReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TailReader").field("lane", &self.lane()).finish_non_exhaustive()
    }
}
