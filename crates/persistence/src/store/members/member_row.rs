use super::super::{Incarnation, Renewal};
use bytes::Bytes;

/// A member of a cluster, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberRow {
    /// This life of the node.
    pub incarnation: Incarnation,
    /// The name of the node.
    pub name: String,
    /// What it said of itself when it joined.
    pub description: Bytes,
    /// Its last renewal. When it changes, the member was alive since it was seen before.
    pub renewal: Renewal,
    /// What it noted with that renewal; empty from the join to the first one.
    pub note: Bytes,
}

impl MemberRow {
    /// One that has just joined.
    #[must_use]
    pub fn new(
        incarnation: Incarnation,
        name: String,
        description: Bytes,
        renewal: Renewal,
    ) -> Self {
        Self { incarnation, name, description, renewal, note: Bytes::new() }
    }
}
