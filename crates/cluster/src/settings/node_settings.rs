use actum_persistence::settings_check::SettingsCheck;
use actum_placement::{failure::FailureSettings, moves::MoveSettings};
use std::time::Duration;

/// How a node finds failed members, and moves partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeSettings {
    pub(crate) failure: FailureSettings,
    pub(crate) moves: MoveSettings,
    /// How long a partition may take to answer what it has taken before it is handed off.
    pub(crate) hand_off_timeout: Duration,
}

impl NodeSettings {
    pub(crate) fn check(&self, check: &mut SettingsCheck) {
        let (least, most) = (Duration::from_millis(1), Duration::from_secs(3_600));
        self.failure.check(check);
        self.moves.check(check);
        check.duration("cluster.hand_off_timeout", self.hand_off_timeout, least..=most);
    }
}

impl Default for NodeSettings {
    fn default() -> Self {
        let (failure, moves) = (FailureSettings::default(), MoveSettings::default());
        Self { failure, moves, hand_off_timeout: Duration::from_secs(5) }
    }
}
