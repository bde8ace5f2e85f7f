use actum_persistence::store::{Incarnation, SeenHolder};

/// What a member decides about itself and the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureDecision {
    /// Whether it serves itself.
    pub own: OwnMembership,
    /// Whom it suspects, in the order of incarnations: all that it is to publish, in place of what it has published before.
    /// When that changes it renews at once, since others wait for it.
    pub suspects: Vec<SeenHolder>,
    /// Whom it revokes now: each only if it has not renewed since, which the table checks. What cannot be carried out now
    /// is decided again later: the database may have been away meanwhile.
    pub failures: Vec<MemberFailure>,
    /// Whether it is cut off itself, as far as it can see: it is refused by several members, and by more than it hears of.
    pub is_cut_off: bool,
}

/// Whether a member may serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnMembership {
    /// Its lease counts.
    Holds,
    /// It has not renewed for a lease: it is suspended, and goes on with the next renewal that succeeds.
    Lapsed,
    /// It is no member any more: it was revoked, and joins as another incarnation.
    Ended,
}

/// A member that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberFailure {
    /// Which, and the renewal it is judged by.
    pub member: SeenHolder,
    /// Why.
    pub evidence: FailureEvidence,
}

/// Why a member is taken for dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureEvidence {
    /// It has not renewed for a lease.
    Silent,
    /// It is refused by this member and by another one.
    RefusedByTwo {
        /// The other one.
        with: Incarnation,
    },
    /// It is refused by the only member beside it, which has renewed its own lease since.
    RefusedByTheOnlyOther,
}
