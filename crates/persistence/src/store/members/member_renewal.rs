use super::{super::Incarnation, TableVersion};
use bytes::Bytes;

/// Prolongs a membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRenewal {
    /// Whose.
    pub incarnation: Incarnation,
    /// What the others should know of it from now on, at most 4 KiB.
    pub note: Bytes,
    /// The version of the owners it knows: they are returned only when there is another one.
    pub seen: TableVersion,
}
