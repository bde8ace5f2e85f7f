use actum_persistence::{settings_check::SettingsCheck, store::JournalLayout};
use std::time::Duration;

/// What a confirmed write has reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronous {
    /// The disk: every commit waits for an fsync of the write-ahead log (on macOS the stronger `F_FULLFSYNC`).
    /// Confirmed writes survive a crash of the process, of the system, and a power cut. With group commit the price is
    /// one fsync for all commands that came in during the last one.
    #[default]
    Full,
    /// The operating system. Confirmed writes survive a crash or kill of the process. A power cut or a crash of the
    /// system may lose the last of them, up to those since the last checkpoint; what is left is whole: a prefix of the
    /// journal, never a part of a batch. Who may write is still decided durably, so incarnations are not used twice.
    Normal,
}

/// How a [`SqliteStore`](crate::SqliteStore) uses its file. All settings are checked together when it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteSettings {
    /// What a confirmed write has reached; [`Synchronous::Full`] by default.
    pub synchronous: Synchronous,
    /// How the journal is divided. It is fixed when the file is created. `None`, the default, takes a file as it is
    /// and creates a new one with [`JournalLayout::default`]; `Some` refuses a file that is divided otherwise.
    pub layout: Option<JournalLayout>,
    /// How long to wait while another process writes to the file; 5 seconds by default, 1 millisecond to 10 minutes.
    /// After that the call fails as unavailable, and nothing was written.
    pub busy_timeout: Duration,
    /// How many connections read at the same time; 4 by default, 1 to 64. Each has a thread while it is open; they are
    /// opened when they are needed. More reads wait.
    pub reader_connections: u32,
    /// Memory for pages of the file in the connection that writes, in bytes; 64 MiB by default, 1 MiB to 64 GiB. The
    /// index of entities should fit: about 20 bytes an event.
    pub writer_cache_bytes: u64,
    /// Memory for pages of the file in each connection that reads, and in the one that writes for projections, in bytes; 8 MiB by default, 1 MiB to 64 GiB.
    pub reader_cache_bytes: u64,
    /// How many entities the store remembers the key and the head of, so that appending to them needs no look-up;
    /// 200,000 by default, some 25 MB when full, 1,000 to 100 million.
    pub remembered_entities: usize,
    /// How much the write-ahead log grows before it is copied into the file, beside the writer, in bytes; 16 MiB by
    /// default, 1 MiB to 64 GiB.
    pub checkpoint_bytes: u64,
    /// How much the write-ahead log may hold under constant load, in bytes; beyond that writing pauses until it is
    /// copied, usually for milliseconds. 128 MiB by default, at least twice `checkpoint_bytes`, at most 256 GiB.
    /// Another program that keeps a transaction on the file open can hold it up; that is warned of. Where the volume
    /// has less room left than three times this, the log gives its room back earlier.
    pub wal_bytes_max: u64,
    /// How large the file may become, in bytes, at least 1 MiB; `None`, the default, for as large as the disk allows.
    /// Beyond it writes fail as unavailable until something is deleted.
    pub file_bytes_max: Option<u64>,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Default for SqliteSettings {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::default(),
            layout: None,
            busy_timeout: Duration::from_secs(5),
            reader_connections: 4,
            writer_cache_bytes: 64 * MIB,
            reader_cache_bytes: 8 * MIB,
            remembered_entities: 200_000,
            checkpoint_bytes: 16 * MIB,
            wal_bytes_max: 128 * MIB,
            file_bytes_max: None,
        }
    }
}

impl SqliteSettings {
    /// Sets [`synchronous`](Self::synchronous).
    #[must_use]
    pub fn with_synchronous(self, synchronous: Synchronous) -> Self {
        Self { synchronous, ..self }
    }

    /// Sets [`layout`](Self::layout).
    #[must_use]
    pub fn with_layout(self, layout: JournalLayout) -> Self {
        Self { layout: Some(layout), ..self }
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

    /// Sets [`writer_cache_bytes`](Self::writer_cache_bytes).
    #[must_use]
    pub fn with_writer_cache_bytes(self, writer_cache_bytes: u64) -> Self {
        Self { writer_cache_bytes, ..self }
    }

    /// Sets [`reader_cache_bytes`](Self::reader_cache_bytes).
    #[must_use]
    pub fn with_reader_cache_bytes(self, reader_cache_bytes: u64) -> Self {
        Self { reader_cache_bytes, ..self }
    }

    /// Sets [`remembered_entities`](Self::remembered_entities).
    #[must_use]
    pub fn with_remembered_entities(self, remembered_entities: usize) -> Self {
        Self { remembered_entities, ..self }
    }

    /// Sets [`checkpoint_bytes`](Self::checkpoint_bytes).
    #[must_use]
    pub fn with_checkpoint_bytes(self, checkpoint_bytes: u64) -> Self {
        Self { checkpoint_bytes, ..self }
    }

    /// Sets [`wal_bytes_max`](Self::wal_bytes_max).
    #[must_use]
    pub fn with_wal_bytes_max(self, wal_bytes_max: u64) -> Self {
        Self { wal_bytes_max, ..self }
    }

    /// Sets [`file_bytes_max`](Self::file_bytes_max).
    #[must_use]
    pub fn with_file_bytes_max(self, file_bytes_max: u64) -> Self {
        Self { file_bytes_max: Some(file_bytes_max), ..self }
    }

    /// All that is wrong with these settings, a sentence each; empty if they can be used.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut check = SettingsCheck::new();
        let busy = Duration::from_millis(1)..=Duration::from_mins(10);
        check.duration("busy_timeout", self.busy_timeout, busy);
        check.number("reader_connections", self.reader_connections, 1..=64);
        let cache = MIB..=64 * GIB;
        check.bytes("writer_cache_bytes", self.writer_cache_bytes, cache.clone());
        check.bytes("reader_cache_bytes", self.reader_cache_bytes, cache);
        check.number("remembered_entities", self.remembered_entities, 1_000..=100_000_000);
        check.bytes("checkpoint_bytes", self.checkpoint_bytes, MIB..=64 * GIB);
        let twice = self.checkpoint_bytes.saturating_mul(2).min(128 * GIB);
        check.bytes("wal_bytes_max", self.wal_bytes_max, twice..=256 * GIB);
        if let Some(bytes) = self.file_bytes_max {
            check.bytes("file_bytes_max", bytes, MIB..);
        }
        check.into_problems()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_settings_are_valid() {
        assert_eq!(SqliteSettings::default().problems(), Vec::<String>::new());
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let settings = SqliteSettings::default()
            .with_busy_timeout(Duration::ZERO)
            .with_reader_connections(0)
            .with_writer_cache_bytes(0)
            .with_reader_cache_bytes(u64::MAX)
            .with_remembered_entities(1)
            .with_checkpoint_bytes(MIB - 1)
            .with_wal_bytes_max(MIB)
            .with_file_bytes_max(1);
        let problems = settings.problems();
        assert_eq!(problems.len(), 8, "{problems:#?}");
        assert_eq!(problems[1], "`reader_connections` is 0, it must be 1 to 64");
        assert!(SqliteSettings::default().with_wal_bytes_max(32 * MIB).problems().is_empty());
        assert!(!SqliteSettings::default().with_wal_bytes_max(32 * MIB - 1).problems().is_empty());
    }
}
