use crate::{SqliteSettings, Synchronous};
use actum_persistence::settings_check::SettingsCheck;
use std::time::Duration;

/// How a [`SqliteTarget`](crate::SqliteTarget) uses a file of its own. All settings are checked together when it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteTargetSettings {
    /// What a commit has reached; [`Synchronous::Full`] by default. With [`Synchronous::Normal`] a power cut may lose the
    /// last commits, rows and progress together: those events are handled again.
    pub synchronous: Synchronous,
    /// How long to wait while another process writes to the file; 5 seconds by default, 1 millisecond to 10 minutes.
    /// After that the call fails as unavailable, and nothing was written.
    pub busy_timeout: Duration,
    /// How many connections read progress at the same time; 2 by default, 1 to 64. Each has a thread while it is open.
    pub reader_connections: u32,
    /// Memory for pages of the file in each connection, in bytes; 16 MiB by default, 1 MiB to 64 GiB.
    pub cache_bytes: u64,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Default for SqliteTargetSettings {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::default(),
            busy_timeout: Duration::from_secs(5),
            reader_connections: 2,
            cache_bytes: 16 * MIB,
        }
    }
}

impl SqliteTargetSettings {
    /// Sets [`synchronous`](Self::synchronous).
    #[must_use]
    pub fn with_synchronous(self, synchronous: Synchronous) -> Self {
        Self { synchronous, ..self }
    }

    /// Sets [`busy_timeout`](Self::busy_timeout).
    #[must_use]
    pub fn with_busy_timeout(self, busy_timeout: Duration) -> Self {
        Self { busy_timeout, ..self }
    }

    /// Sets [`reader_connections`](Self::reader_connections).
    #[must_use]
    pub fn with_reader_connections(self, reader_connections: u32) -> Self {
        Self { reader_connections, ..self }
    }

    /// Sets [`cache_bytes`](Self::cache_bytes).
    #[must_use]
    pub fn with_cache_bytes(self, cache_bytes: u64) -> Self {
        Self { cache_bytes, ..self }
    }

    /// All that is wrong with these settings, a sentence each; empty if they can be used.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut check = SettingsCheck::new();
        let busy = Duration::from_millis(1)..=Duration::from_mins(10);
        check.duration("busy_timeout", self.busy_timeout, busy);
        check.number("reader_connections", self.reader_connections, 1..=64);
        check.bytes("cache_bytes", self.cache_bytes, MIB..=64 * GIB);
        check.into_problems()
    }

    /// The same, for what opens connections.
    pub(super) fn of_connections(&self) -> SqliteSettings {
        SqliteSettings::default()
            .with_synchronous(self.synchronous)
            .with_busy_timeout(self.busy_timeout)
            .with_reader_connections(self.reader_connections)
            .with_reader_cache_bytes(self.cache_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_settings_are_valid_and_all_problems_are_reported_at_once() {
        assert_eq!(SqliteTargetSettings::default().problems(), Vec::<String>::new());
        let settings = SqliteTargetSettings::default()
            .with_busy_timeout(Duration::ZERO)
            .with_reader_connections(65)
            .with_cache_bytes(MIB - 1);
        let problems = settings.problems();
        assert_eq!(problems.len(), 3, "{problems:#?}");
        assert_eq!(problems[1], "`reader_connections` is 65, it must be 1 to 64");
    }
}
