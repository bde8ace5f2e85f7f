use actum_model::Partition;
use std::collections::BTreeSet;

/// What a member has begun, and the outcome of which it does not know yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MovesUnderWay {
    /// Partitions that it hands off: from when they admit no more until the release is known to have succeeded or failed.
    pub handing_off: BTreeSet<Partition>,
    /// Partitions that it claims: until the answer is there.
    pub claiming: BTreeSet<Partition>,
}
