use actum_persistence::store::SeenHolder;

/// A member as it is in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedMember {
    /// Which life of which node it is, and its last renewal.
    pub holder: SeenHolder,
    /// Whether it shuts down; published with a renewal, so that no one revokes it early who has not seen that.
    pub is_leaving: bool,
    /// Whom it suspects: members with the renewal it has seen of them. Published with a renewal as well.
    pub suspects: Vec<SeenHolder>,
}

impl ObservedMember {
    /// A member that is not leaving, and suspects no one.
    #[must_use]
    pub const fn new(holder: SeenHolder) -> Self {
        Self { holder, is_leaving: false, suspects: Vec::new() }
    }
}
