use actum_model::Lane;
use std::fmt;

/// What one writer of an incarnation writes. The events of each scope have numbers of their own, so that no two writers
/// of an incarnation use one twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WriterScope {
    /// The events of a lane.
    Lane(Lane),
    /// The durable states of all lanes.
    States,
}

/// How many numbers a scope has: 2^48.
const NUMBERS_BITS: u32 = 48;

/// Where the numbers of state writes are: behind those of the last lane that a journal can have.
const STATES: u64 = u16::MAX as u64;

impl WriterScope {
    /// The number of its first event or write: `lane * 2^48 + 1`, and that of lane 65,535, which no journal has, for
    /// durable states. It is stored in [event ids](crate::store::EventId), so it stays as it is.
    #[must_use]
    pub fn first_nr(self) -> u64 {
        let scope = match self {
            Self::Lane(lane) => u64::from(lane.nr()),
            Self::States => STATES,
        };
        scope << NUMBERS_BITS | 1
    }
}

impl WriterScope {
    /// The lane, if it is one.
    #[must_use]
    pub fn lane(self) -> Option<Lane> {
        match self {
            Self::Lane(lane) => Some(lane),
            Self::States => None,
        }
    }
}

impl fmt::Display for WriterScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lane(lane) => write!(f, "lane {lane}"),
            Self::States => f.write_str("durable states"),
        }
    }
}
