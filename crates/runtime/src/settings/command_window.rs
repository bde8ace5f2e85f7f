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

    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.commands_max == 0 || self.commands_max > 100_000 {
            problems.push(format!(
                "the command window must hold 1 to 100,000 commands, not {}",
                self.commands_max
            ));
        }
        if self.age_max < Duration::from_secs(1) {
            problems.push(format!(
                "the command window must reach at least 1 second back, not {:?}",
                self.age_max
            ));
        }
        problems
    }
}

impl Default for CommandWindow {
    /// 2,000 commands, 1 day.
    fn default() -> Self {
        Self { commands_max: 2_000, age_max: Duration::from_secs(24 * 60 * 60) }
    }
}
