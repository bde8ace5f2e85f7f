use actum_host::{Failure, Moment};

/// What an entity in memory believes, followed from outside, in one life of the process.
#[derive(Default)]
pub(super) struct Mind {
    /// The changes it has taken into its state and does not know to be stored.
    pub(super) pending: Vec<Pending>,
    /// The write under way: behind which number, up to which.
    pub(super) under_way: Option<(u64, u64)>,
    /// The last change it knows to be stored.
    pub(super) durable: u64,
    /// What must run when everything up to a number is stored: the number, and the command.
    pub(super) actions: Vec<(u64, u32)>,
    /// The command with the highest number that was handled, and behind which change.
    pub(super) handled: Option<(u32, u64)>,
    /// How many commands it has that are not answered.
    pub(super) waiting: usize,
    /// Whether it is in memory, and does not recover.
    pub(super) runs: bool,
    /// When a command came to it last.
    pub(super) used: Moment,
    /// Since when nothing of it is under way.
    pub(super) idle_since: Option<Moment>,
    /// What has gone wrong in this step.
    pub(super) troubles: Troubles,
    /// The commands in the write whose unknown outcome was reported last, and in which step that was.
    pub(super) unknown: (u64, Vec<u32>),
}

/// A change: its number, its command, the digest of the state after it, and when it was decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) at: u64,
    pub(super) nr: u32,
    pub(super) digest: u64,
    pub(super) since: Moment,
}

/// What a cell was notified of in one step: no other failure may be passed on to callers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Troubles {
    step: u64,
    conflict: bool,
    unavailable: bool,
    unknown: bool,
    invalid: bool,
}

impl Mind {
    /// Drops everything it believes beyond the journal. What is due to run after a commit still is.
    pub(super) fn forget(&mut self) {
        let durable = self.durable;
        self.actions.retain(|(needs, _)| *needs <= durable);
        self.actions.iter_mut().for_each(|(needs, _)| *needs = 0);
        self.pending.clear();
        self.under_way = None;
        self.durable = 0;
    }

    /// Notes since when it is idle, if it is.
    pub(super) fn note_idle(&mut self, now: Moment) {
        let is_idle = self.runs && self.waiting == 0 && self.pending.is_empty();
        self.idle_since = is_idle.then(|| self.idle_since.unwrap_or(now).max(self.used));
    }

    /// Whether it has changes that are not on their way.
    pub(super) fn stages(&self) -> bool {
        let sent = self.under_way.map_or(0, |(_, last)| last);
        self.pending.last().is_some_and(|last| last.at > sent)
    }

    /// The commands whose changes are not known to be stored.
    pub(super) fn commands(&self) -> impl Iterator<Item = u32> {
        let commands = self.pending.chunk_by(|one, next| one.nr == next.nr);
        commands.map(|changes| changes[0].nr)
    }

    /// Drops what it believed of one command.
    pub(super) fn forget_command(&mut self, nr: u32) {
        self.pending.retain(|pending| pending.nr != nr);
        self.actions.retain(|(_, other)| *other != nr);
    }
}

impl Troubles {
    pub(super) fn note(&mut self, failure: &Failure, step: u64) {
        if self.step != step {
            *self = Self { step, ..Self::default() };
        }
        match failure {
            Failure::Conflict { .. } => self.conflict = true,
            Failure::Unavailable { .. } => self.unavailable = true,
            // what waits behind an unknown outcome fails as unavailable
            Failure::OutcomeUnknown { .. } => (self.unknown, self.unavailable) = (true, true),
            Failure::Invalid { .. } => self.invalid = true,
            _ => {}
        }
    }

    /// Whether callers may get this failure in this step.
    pub(super) fn explain(&self, failure: &Failure, step: u64) -> bool {
        self.step == step
            && match failure {
                Failure::Conflict { .. } => self.conflict,
                Failure::Unavailable { .. } => self.unavailable,
                Failure::OutcomeUnknown { .. } => self.unknown,
                Failure::Invalid { .. } => self.invalid,
                _ => false,
            }
    }
}
