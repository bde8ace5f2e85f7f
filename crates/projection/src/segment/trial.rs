/// How many events are tried together, while one of them fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Trial {
    /// As many as a batch has.
    #[default]
    Together,
    /// This many, which stand in front of one that has failed.
    Before(usize),
    /// One by one, this many: one of them has failed.
    OneByOne(usize),
    /// The first alone, which has failed so often.
    Alone { attempts: u32 },
}

impl Trial {
    /// How many events are tried at most.
    pub(super) fn events_max(self, batch: usize) -> usize {
        match self {
            Self::Together => batch,
            Self::Before(events) => events.min(batch),
            Self::OneByOne(_) | Self::Alone { .. } => 1,
        }
    }

    /// What is tried behind events that were handled.
    pub(super) fn after_success(self) -> Self {
        match self {
            Self::Together | Self::Alone { .. } => Self::Together,
            Self::Before(_) => Self::Alone { attempts: 0 },
            Self::OneByOne(left) if left > 1 => Self::OneByOne(left - 1),
            Self::OneByOne(_) => Self::Together,
        }
    }

    /// How often the first has failed, with the failure that was just seen.
    pub(super) fn failed(self) -> u32 {
        match self {
            Self::Alone { attempts } => attempts.saturating_add(1),
            _ => 1,
        }
    }
}
