use crate::assignment::{Assignment, Candidate};
use actum_model::Partition;
use actum_persistence::store::{Incarnation, JournalLayout};

/// What a member has read of a role, at one moment, and what follows from it.
#[derive(Clone, Copy, Debug)]
pub struct SeenPlacement<'a> {
    /// How the journal is divided.
    pub layout: JournalLayout,
    /// The members that are there.
    pub members: &'a [Candidate],
    /// The owner of each partition, the first of partition 0; where it is too short they have none.
    pub owners: &'a [Option<Incarnation>],
    /// Who is to own them: [`Assignment::new`] of the above.
    pub assignment: &'a Assignment,
}

impl SeenPlacement<'_> {
    /// Who owns a partition.
    #[must_use]
    pub fn owner(&self, partition: Partition) -> Option<Incarnation> {
        self.owners.get(partition.index()).copied().flatten()
    }

    /// Whether a member may keep what it owns: it is there, eligible and not leaving.
    #[must_use]
    pub fn may_keep(&self, member: Incarnation) -> bool {
        self.members.iter().any(|m| m.incarnation == member && m.is_target())
    }
}
