use actum_persistence::settings_check::SettingsCheck;
use std::time::Duration;

/// For how long an entity remembers the ids of commands that changed it. A retry within that time gets the recorded
/// reply; later the same command is a new one.
///
/// What is promised for each id:
/// * **In number.** The last [`commands_min`](Self::commands_min) ids of an entity are remembered for ever, whatever
///   the load is.
/// * **In time.** An id is remembered for at least [`age_min`](Self::age_min), unless the entity gets more than
///   [`commands_max`](Self::commands_max) other ids meanwhile, or remembered ids take more memory in the engine than
///   `command_ids_bytes_max` of the engine allows. Ids that go earlier for one of these reasons are counted in `Usage`,
///   and a warning names the setting.
///
/// Only time that surely passed counts: that of one run of an engine by its monotonic clock. A wall clock that is
/// changed has no effect, and while no engine runs ids do not grow older.
///
/// In memory an id takes about 33 bytes, whatever its reply is: that is read from the journal when a retry comes. A
/// snapshot grows by 12 KB at most. Events that hold a promised reply are not deleted by retention, nor
/// those behind them: an entity that gets few commands with ids keeps its events from the oldest remembered id on.
///
/// # Examples
/// ```
/// # use actum_host as actum;
/// use actum::settings::{CommandWindow, EntitySettings};
/// use std::time::Duration;
/// # fn example<Account>() -> EntitySettings<Account> {
///
/// // a payment may be sent again for a day; of a busy account at least the last million
/// let window = CommandWindow::default()
///     .with_age_min(Duration::from_secs(24 * 60 * 60))
///     .with_commands_max(1_000_000);
/// EntitySettings::<Account>::default().with_command_window(window)
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandWindow {
    /// How many ids of an entity are remembered in any case; 100 by default, 1 to 100,000, and not more than
    /// `commands_max`.
    pub commands_min: usize,
    /// For how long an id is remembered at least; 10 minutes by default, at least 1 second.
    pub age_min: Duration,
    /// How many ids of an entity are remembered at most, beside those of commands that are not stored yet; 100,000 by
    /// default, 1 to 10,000,000.
    pub commands_max: usize,
}

/// The highest number of ids.
const COMMANDS_MAX: usize = 10_000_000;

impl CommandWindow {
    /// Sets [`commands_min`](Self::commands_min).
    #[must_use]
    pub fn with_commands_min(self, commands_min: usize) -> Self {
        Self { commands_min, ..self }
    }

    /// Sets [`age_min`](Self::age_min).
    #[must_use]
    pub fn with_age_min(self, age_min: Duration) -> Self {
        Self { age_min, ..self }
    }

    /// Sets [`commands_max`](Self::commands_max).
    #[must_use]
    pub fn with_commands_max(self, commands_max: usize) -> Self {
        Self { commands_max, ..self }
    }

    /// The least age in whole seconds, rounded up.
    pub fn age_min_seconds(&self) -> u64 {
        self.age_min.as_secs().saturating_add(u64::from(self.age_min.subsec_nanos() > 0))
    }

    pub(super) fn check(&self, check: &mut SettingsCheck) {
        let Self { commands_min, age_min, commands_max } = *self;
        check.number("command_window.commands_min", commands_min, 1..=100_000);
        check.number("command_window.commands_max", commands_max, 1..=COMMANDS_MAX);
        check.duration("command_window.age_min", age_min, Duration::from_secs(1)..);
        if commands_min > commands_max {
            check.problem(format!(
                "`command_window.commands_min` is {commands_min}, more than the {commands_max} of `command_window.commands_max`"
            ));
        }
    }
}

impl Default for CommandWindow {
    /// The last 100 ids, and those of the last 10 minutes up to 100,000.
    fn default() -> Self {
        Self { commands_min: 100, age_min: Duration::from_secs(600), commands_max: 100_000 }
    }
}
