use actum_persistence::settings_check::SettingsCheck;

/// How fast partitions move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MoveSettings {
    /// How many partitions a member hands off at a time; 8 by default, at least 1. Those that only balance the load begin
    /// while fewer partitions than this are without an owner in the whole cluster.
    pub hand_offs_max: usize,
    /// How many partitions a member claims at a time; 1,024 by default, 1 to 10,000. The others follow when those are
    /// claimed.
    pub claims_max: usize,
}

impl MoveSettings {
    /// Sets [`hand_offs_max`](Self::hand_offs_max).
    #[must_use]
    pub fn with_hand_offs_max(self, hand_offs_max: usize) -> Self {
        Self { hand_offs_max, ..self }
    }

    /// Sets [`claims_max`](Self::claims_max).
    #[must_use]
    pub fn with_claims_max(self, claims_max: usize) -> Self {
        Self { claims_max, ..self }
    }

    /// Checks that they are within their bounds.
    pub fn check(&self, check: &mut SettingsCheck) {
        check.number("moves.hand_offs_max", self.hand_offs_max, 1..);
        check.number("moves.claims_max", self.claims_max, 1..=10_000);
    }
}

impl Default for MoveSettings {
    fn default() -> Self {
        Self { hand_offs_max: 8, claims_max: 1_024 }
    }
}
