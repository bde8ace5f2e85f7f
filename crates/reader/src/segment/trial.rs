use actum_persistence::store::PageLimit;
use std::num::NonZeroU32;

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
    /// How much is tried at most, of what a batch may have.
    pub(super) fn limit(self, batch: PageLimit) -> PageLimit {
        let events = match self {
            Self::Together => return batch,
            Self::Before(events) => u32::try_from(events).unwrap_or(u32::MAX),
            Self::OneByOne(_) | Self::Alone { .. } => 1,
        };
        let events = NonZeroU32::new(events).unwrap_or(NonZeroU32::MIN);
        batch.with_events(events.min(batch.events))
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
