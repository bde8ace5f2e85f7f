use super::AppVersion;
use actum_persistence::store::Incarnation;
use std::num::NonZeroU32;

/// What the assignment of a role sees of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Which life of which node it is.
    pub incarnation: Incarnation,
    /// How much it takes beside others; 1 by default. One of weight 2 gets twice as many partitions as one of weight 1.
    pub weight: NonZeroU32,
    /// The version of the application it runs.
    pub version: AppVersion,
    /// Whether it shuts down: it hands off what it has, and gets nothing.
    pub is_leaving: bool,
    /// Whether it can run the role's entities: it has the role and all its kinds, and reads their newest events.
    pub is_eligible: bool,
}

impl Candidate {
    /// An eligible member of weight 1, which is not leaving.
    #[must_use]
    pub const fn new(incarnation: Incarnation, version: AppVersion) -> Self {
        let (is_leaving, is_eligible) = (false, true);
        Self { incarnation, weight: NonZeroU32::MIN, version, is_leaving, is_eligible }
    }

    /// Whether partitions may be assigned to it.
    #[must_use]
    pub const fn is_target(&self) -> bool {
        self.is_eligible && !self.is_leaving
    }
}
