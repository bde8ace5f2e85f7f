use crate::Failure;

/// What an entity in memory believes, followed from outside, in one life of the process.
#[derive(Default)]
pub(crate) struct Mind {
    /// The changes it has taken into its state and does not know to be stored: number, command, digest after it.
    pub(crate) pending: Vec<Pending>,
    /// The write under way: behind which number, up to which.
    pub(crate) under_way: Option<(u64, u64)>,
    /// The last change it knows to be stored.
    pub(crate) durable: u64,
    /// What must run when everything up to a number is stored: the number, and the command.
    pub(crate) actions: Vec<(u64, u32)>,
    /// What has gone wrong so far.
    pub(crate) troubles: Troubles,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) at: u64,
    pub(crate) nr: u32,
    pub(crate) digest: u64,
}

/// The kinds of failures a cell was told of: nothing else may be passed on to callers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Troubles {
    pub(crate) conflict: bool,
    pub(crate) unavailable: bool,
    pub(crate) unknown: bool,
    pub(crate) invalid: bool,
    pub(crate) corrupt: bool,
}

impl Mind {
    /// Drops everything it believes beyond the journal.
    pub(crate) fn forget(&mut self) {
        self.pending.clear();
        self.actions.clear();
        self.under_way = None;
        self.durable = 0;
    }

    /// Drops what it believed of one command.
    pub(crate) fn forget_command(&mut self, nr: u32) {
        self.pending.retain(|pending| pending.nr != nr);
        self.actions.retain(|(_, other)| *other != nr);
    }
}

impl Troubles {
    pub(crate) fn note(&mut self, failure: &Failure) {
        match failure {
            Failure::Conflict { .. } => self.conflict = true,
            Failure::Unavailable { .. } => self.unavailable = true,
            // whoever waits behind an unknown outcome is told that it is unavailable
            Failure::OutcomeUnknown { .. } => (self.unknown, self.unavailable) = (true, true),
            Failure::Invalid { .. } => self.invalid = true,
            Failure::Corrupt { .. } => self.corrupt = true,
            _ => {}
        }
    }
}
