use actum_model::{Lane, Position};
use actum_persistence::{commits::Commits, store::Incarnation};
use actum_proto::wire::v1::HeadsAdvanced;
use parking_lot::Mutex;
use std::collections::HashMap;

/// Lets the readers of this node know what others say that they have committed.
pub(super) struct HeardHeads {
    commits: Commits,
    /// How many writes of states each peer has named last.
    state_writes: Mutex<HashMap<Incarnation, u64>>,
}

/// How many peers are remembered: beyond that some count as new ones, which costs a look at the store.
const REMEMBERED: usize = 1_000;

impl HeardHeads {
    pub(super) fn new(commits: Commits) -> Self {
        Self { commits, state_writes: Mutex::default() }
    }

    pub(super) fn heard(&self, from: Incarnation, heads: &HeadsAdvanced) {
        let others = self.commits.others();
        for head in &heads.lanes {
            if let Ok(lane) = u16::try_from(head.lane) {
                others.committed(Lane::new(lane), Position::new(head.position));
            }
        }
        let mut known = self.state_writes.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        if known.insert(from, heads.state_writes).unwrap_or(0) != heads.state_writes {
            others.states_written();
        }
    }
}
