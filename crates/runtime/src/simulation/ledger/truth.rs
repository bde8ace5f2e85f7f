use crate::settings::CommandWindow;
use crate::simulation::subject::initial_digest;
use actum_model::Timestamp;
use std::collections::VecDeque;

/// What the journal holds of one entity, followed from what was stored.
pub(crate) struct Truth {
    pub(crate) id: u64,
    pub(crate) by_state: bool,
    /// The digest of the state after each change, the initial one first.
    pub(crate) digests: Vec<u64>,
    /// The position of each change, 0 first.
    pub(crate) positions: Vec<u64>,
    /// The commands with ids that were stored, in order.
    ids: Vec<Remembered>,
    /// What the entity remembers after each of them.
    recents: Vec<VecDeque<Remembered>>,
    window: CommandWindow,
    /// The last change somebody was told of.
    pub(crate) acknowledged: u64,
    /// The changes that a foreigner made.
    pub(crate) foreign: Vec<u64>,
    /// Whether it could not be recovered at some time.
    pub(crate) lost: bool,
}

/// A command that is remembered by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) id: u32,
    pub(crate) nr: u32,
    /// The number of its last change.
    pub(crate) at: u64,
    pub(crate) timestamp: Timestamp,
}

impl Truth {
    pub(crate) fn new(id: u64, by_state: bool, window: CommandWindow) -> Self {
        Self {
            id,
            by_state,
            digests: vec![initial_digest(id)],
            positions: vec![0],
            ids: Vec::new(),
            recents: Vec::new(),
            window,
            acknowledged: 0,
            foreign: Vec::new(),
            lost: false,
        }
    }

    /// How many changes are stored.
    pub(crate) fn head(&self) -> u64 {
        self.digests.len() as u64 - 1
    }

    /// The digest of the state as it is stored now.
    pub(crate) fn digest(&self) -> u64 {
        self.digests[self.digests.len() - 1]
    }

    /// Whether the state after change `at` is stored, and is this one.
    pub(crate) fn shows(&self, at: u64, digest: u64) -> bool {
        self.digests.get(at as usize) == Some(&digest)
    }

    pub(crate) fn remembers(&self, id: u32) -> bool {
        self.recents.last().into_iter().flatten().any(|remembered| remembered.id == id)
    }

    /// The former command of this id, if there was one.
    pub(crate) fn last_with(&self, id: u32) -> Option<Remembered> {
        self.ids.iter().rev().find(|remembered| remembered.id == id).copied()
    }

    /// How many commands with ids came behind the change `at`.
    pub(crate) fn ids_behind(&self, at: u64) -> usize {
        self.ids.iter().filter(|remembered| remembered.at > at).count()
    }

    /// Whether a foreigner made one of the changes behind `after`, up to `to`: an entity in memory may not know.
    pub(crate) fn is_foreign_within(&self, after: u64, to: u64) -> bool {
        self.foreign.iter().any(|at| after < *at && *at <= to)
    }

    /// All commands with ids, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = Remembered> {
        self.ids.iter().copied()
    }

    pub(crate) fn window(&self) -> &CommandWindow {
        &self.window
    }

    pub(crate) fn remember(&mut self, command: Remembered) {
        let mut recent = self.recents.last().cloned().unwrap_or_default();
        slide(&mut recent, command, &self.window);
        self.ids.push(command);
        self.recents.push(recent);
    }

    /// What the entity remembered after change `at`.
    pub(crate) fn recent_at(&self, at: u64) -> VecDeque<Remembered> {
        let count = self.ids.partition_point(|remembered| remembered.at <= at);
        count.checked_sub(1).map(|last| self.recents[last].clone()).unwrap_or_default()
    }
}

pub(super) fn slide(
    recent: &mut VecDeque<Remembered>,
    command: Remembered,
    window: &CommandWindow,
) {
    recent.push_back(command);
    let oldest = command.timestamp.as_micros() - window.age_max.as_micros() as i64;
    while recent.len() > window.commands_max {
        recent.pop_front();
    }
    while recent.front().is_some_and(|front| front.timestamp.as_micros() < oldest) {
        recent.pop_front();
    }
}
