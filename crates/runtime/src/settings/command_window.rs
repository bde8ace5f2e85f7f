use actum_persistence::settings_check::SettingsCheck;
use std::time::Duration;

/// Which command ids an entity remembers: a retry within the window gets the recorded reply, one beyond it is a new
/// command.
///
/// What is remembered lies in memory, in every snapshot and beside every durable state: some 100 bytes and the reply for
/// each id. Choose it for the retries that come latest, at the rate at which one entity gets commands with ids.
#[derive(Clone, Copy, Debug)]
pub struct CommandWindow {
    pub(crate) commands_max: usize,
    pub(crate) age_max: Duration,
}

impl CommandWindow {
    /// Remembers up to `commands_max` ids, 1 to 100,000 and at least as many as commands of an entity may wait, and those not older than `age_max`, at least 1 second; measured
    /// on the wall clock, whenever a newer command with an id is handled.
    #[must_use]
    pub fn new(commands_max: usize, age_max: Duration) -> Self {
        Self { commands_max, age_max }
    }

    /// It holds at least as many as the commands of an entity that may wait, so none is forgotten unanswered.
    pub(super) fn check(&self, check: &mut SettingsCheck, waiting_max: usize) {
        let bounds = waiting_max.clamp(1, COMMANDS_MAX)..=COMMANDS_MAX;
        check.number("command_window.commands_max", self.commands_max, bounds);
        check.duration("command_window.age_max", self.age_max, Duration::from_secs(1)..);
    }
}

/// More are found too slowly, and are too many to keep.
const COMMANDS_MAX: usize = 100_000;

impl Default for CommandWindow {
    /// 2,000 commands, 1 day.
    fn default() -> Self {
        Self { commands_max: 2_000, age_max: Duration::from_secs(24 * 60 * 60) }
    }
}
