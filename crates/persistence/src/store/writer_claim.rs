use super::Incarnation;
use std::time::Duration;

/// Asks for a writer slot.
#[derive(Clone, Debug)]
pub struct WriterClaim {
    /// The slot, 1 to 255 bytes without NUL: one alive writer each. An engine uses one slot for the whole journal.
    pub slot: String,
    /// Who claims, 1 to 4,096 bytes without NUL, for the error message of the next claimant: the engine's name, host
    /// and process.
    pub holder: String,
    /// How long the holder relies on the slot after the claim and after each renewal, by its own clock.
    pub lease: Duration,
    /// The holder from which the slot is taken if it has not renewed since it was seen; `None` takes only a slot that
    /// is free.
    pub replaces: Option<SeenHolder>,
}

/// A holder of a writer slot as another claimant saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenHolder {
    /// Its incarnation.
    pub incarnation: Incarnation,
    /// Its last renewal.
    pub renewal: Renewal,
}

/// Distinguishes one renewal of a lease from the next: the claim and every renewal of an incarnation have another one.
/// It has no order, and is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Renewal(i64);

impl Renewal {
    /// The mark `mark`, as a store keeps it.
    #[must_use]
    pub const fn new(mark: i64) -> Self {
        Self(mark)
    }

    /// The mark.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// The lease of a holder, as a store sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldLease {
    /// Which renewal it has from.
    pub renewal: Renewal,
    /// How long it is after each renewal, as the holder has claimed; `None` if the store does not know that.
    pub length: Option<Duration>,
    /// When it ends unless renewed, zero if it has ended: by the clock of the store, which may step.
    pub expires_in: Duration,
}

impl HeldLease {
    /// The lease that the renewal `renewal` has left.
    #[must_use]
    pub fn new(renewal: Renewal, length: Option<Duration>, expires_in: Duration) -> Self {
        Self { renewal, length, expires_in }
    }
}
