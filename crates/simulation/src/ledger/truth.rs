use crate::{Seen, digest::initial_digest};
use actum_host::{Moment, settings::CommandWindow};

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
    window: CommandWindow,
    /// Up to which change the records of its commands are deleted, with the events or by themselves.
    pub(crate) forgotten_to: u64,
    /// The last change that was acknowledged.
    pub(crate) acknowledged: u64,
    /// The changes of a command, first and last, that entities in memory may not know: those in this life of the process,
    /// which was notified before that the outcome is unknown, or in all, if another writer made them.
    pub(crate) unseen: Vec<(u64, u64, Option<u32>)>,
    /// Whether it could not be recovered at some time.
    pub(crate) lost: bool,
}

/// A command that is remembered by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) id: u32,
    pub(crate) id_hash: u64,
    pub(crate) nr: u32,
    /// The number of its last change.
    pub(crate) at: u64,
    /// When it was handled.
    pub(crate) when: Moment,
    /// How many commands with ids were under way then, itself among them: none of those is forgotten.
    pub(crate) under_way: usize,
}

impl Truth {
    pub(crate) fn new(id: u64, by_state: bool, window: CommandWindow) -> Self {
        Self {
            id,
            by_state,
            digests: vec![initial_digest(id)],
            positions: vec![0],
            ids: Vec::new(),
            window,
            forgotten_to: 0,
            acknowledged: 0,
            unseen: Vec::new(),
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

    /// The former command of this id, if there was one.
    pub(crate) fn last_with(&self, id: u32) -> Option<Remembered> {
        self.ids.iter().rev().find(|remembered| remembered.id == id).copied()
    }

    /// How many commands with ids came behind the change `at`.
    fn ids_behind(&self, at: u64) -> usize {
        self.ids.iter().filter(|remembered| remembered.at > at).count()
    }

    /// Why the newest command with an id may be applied again `when` one comes with the same id; none, if it may not. All
    /// that was under way then is stored now, and counts.
    pub(crate) fn why_forgotten(
        &self,
        first: Remembered,
        when: Moment,
        tight: bool,
    ) -> Option<Seen> {
        let CommandWindow { commands_min, commands_max, age_min, .. } = self.window;
        let behind = self.ids_behind(first.at);
        if behind >= commands_max {
            Some(Seen::AppliedAgainBeyondCount)
        } else if behind < commands_min {
            None
        } else if when.since(first.when) > age_min {
            Some(Seen::AppliedAgainBeyondAge)
        } else {
            tight.then_some(Seen::AppliedAgainForgottenEarly)
        }
    }

    /// Whether an entity in memory of this life may not know one of the changes behind `after`, up to `to`.
    pub(crate) fn is_unseen_within(&self, after: u64, to: u64, life: u32) -> bool {
        self.unseen.iter().any(|(first, last, by)| {
            after < *last && *first <= to && by.is_none_or(|by| by == life)
        })
    }

    /// All commands with ids, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = Remembered> {
        self.ids.iter().copied()
    }

    /// The records of the commands up to change `at` are deleted.
    pub(crate) fn deleted(&mut self, at: u64) {
        self.forgotten_to = self.forgotten_to.max(at);
    }

    pub(crate) fn remember(&mut self, command: Remembered) {
        self.ids.push(command);
    }

    /// How many commands an entity remembers at most after change `at`: it forgets some for each that comes, but none that
    /// is under way then.
    pub(crate) fn remembered_max(&self, at: u64) -> usize {
        let known = self.ids.partition_point(|remembered| remembered.at <= at);
        let newest = known.checked_sub(1).map(|newest| self.ids[newest]);
        newest.map_or(0, |newest| self.window.commands_max.max(newest.under_way))
    }

    /// The commands up to change `at` whose ids must be remembered, when `coming` others come behind them and the time is
    /// `now`; where memory is `tight` nothing is promised in time.
    pub(crate) fn promised(
        &self,
        at: u64,
        coming: usize,
        now: Moment,
        tight: bool,
    ) -> impl Iterator<Item = Remembered> {
        let known = self.ids.partition_point(|remembered| remembered.at <= at);
        let CommandWindow { commands_min, commands_max, age_min, .. } = self.window;
        let ids = self.ids[..known].iter().enumerate();
        let kept = ids.filter(move |(place, remembered)| {
            let behind = known - 1 - place + coming;
            let young = !tight && now.since(remembered.when) <= age_min;
            behind < commands_min || (young && behind < commands_max)
        });
        kept.map(|(_, remembered)| *remembered)
    }
}
