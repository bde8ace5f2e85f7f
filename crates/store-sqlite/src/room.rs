//! That a small volume, or one that others fill, does not wedge the journal.
//!
//! What is in the log is copied into the database file sooner or later, and the file may grow by as much. If the log
//! has taken the last room of the volume, it can neither grow nor be copied, and nothing helps but a larger volume. So
//! where room is short
//!
//! ```text
//! before a write     a log that holds a good part of what is left is copied, and its room given back
//! before a commit    there must be room for the log to take it, for the file to take the whole log, and a reserve,
//!                    which only those use who make room: they delete events and snapshots, claim and release slots
//! after a failure    no matter who filled the volume, the log is copied as far as that goes
//! ```
//!
//! Where room is not short, a write looks at one flag.

use crate::{
    checkpoint_session::{CheckpointSession, Mode},
    connection::Connector,
    fault::{Fault, cause},
    named_file::beside,
    row::column,
    session::Session,
    volume::Volume,
};
use actum_persistence::panics::log_safely;
use actum_persistence::store::StoreError;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// What a transaction writes beside what it counts: pages that changed are written whole.
const PAGES_BYTES: u64 = 16 * KIB;

/// The room of a journal on its volume.
#[derive(Debug)]
pub(crate) struct Room {
    database: Arc<Path>,
    log: PathBuf,
    checkpoint_bytes: u64,
    wal_bytes_max: u64,
    short: AtomicBool,
    /// How long the log must be before it is copied again, after that was in vain: another connection reads what is in
    /// it.
    again_at_bytes: AtomicU64,
}

/// What a transaction needs room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// More data.
    Growth,
    /// Less data, or who may write: what must be possible when room is short.
    Relief,
}

/// How much room there is, and what takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Space {
    volume: Volume,
    log_bytes: u64,
}

impl Room {
    pub(crate) fn of(connector: &Connector) -> Self {
        let settings = &connector.settings;
        Self {
            database: Arc::clone(&connector.path),
            log: beside(&connector.path, "-wal"),
            checkpoint_bytes: settings.checkpoint_bytes,
            wal_bytes_max: settings.wal_bytes_max,
            short: AtomicBool::new(false),
            again_at_bytes: AtomicU64::new(0),
        }
    }

    /// Looks how much room there is, and says how long the log may become until it is copied, and at most.
    pub(crate) fn log_bounds(&self) -> (u64, u64) {
        let (due, most) = (self.checkpoint_bytes, self.wal_bytes_max);
        match self.look() {
            Some(space) if space.is_short(most) => {
                (due.min(space.all() / 8), most.min(space.all() / 4))
            }
            _ => (due, most),
        }
    }

    /// Whether room was short when it was looked at last.
    pub(crate) fn is_short(&self) -> bool {
        self.short.load(Ordering::Relaxed)
    }

    /// Copies the log, if room is short and the log takes much of it. To be called when no one writes.
    pub(crate) async fn prepare(&self, checkpoints: &CheckpointSession) {
        if !self.is_short() {
            return;
        }
        let Some(space) = self.look().filter(|space| space.is_short(self.wal_bytes_max)) else {
            return;
        };
        if space.log_is_large() && space.log_bytes >= self.again_at_bytes.load(Ordering::Relaxed) {
            self.empty_log(checkpoints, space).await;
        }
    }

    /// How much a transaction that makes room may write, in bytes: half of what [`check`](Self::check) allows, since
    /// others take room meanwhile.
    pub(crate) async fn relief_bytes_max(&self, session: &mut Session) -> u64 {
        if !self.is_short() {
            return u64::MAX;
        }
        let Some(space) = self.look() else { return u64::MAX };
        let taken = PAGES_BYTES + self.growth(session).await;
        space.volume.free.saturating_sub(taken) / 4
    }

    /// Fails if what a transaction has written, some `bytes`, might not fit on the volume, now or when it is copied.
    pub(crate) async fn check(
        &self,
        session: &mut Session,
        bytes: u64,
        need: Need,
    ) -> Result<(), Full> {
        if !self.is_short() {
            return Ok(());
        }
        let Some(space) = self.look() else { return Ok(()) };
        let mut wanted = 2 * bytes + PAGES_BYTES; // the bytes are an estimate
        if need == Need::Growth {
            wanted += space.reserve();
        }
        if space.volume.free >= wanted + space.log_bytes + bytes {
            return Ok(()); // even if every page of the log is a new one
        }
        let (free, wanted) = (space.volume.free, wanted + self.growth(session).await);
        if free >= wanted {
            return Ok(());
        }
        Err(Full { database: Arc::clone(&self.database), free, wanted })
    }

    /// Makes what room can be made after SQLite found the volume full. To be called when no one writes.
    pub(crate) async fn recover(&self, checkpoints: &CheckpointSession) {
        if let Some(space) = self.look().filter(|space| space.is_short(self.wal_bytes_max)) {
            self.empty_log(checkpoints, space).await;
        }
    }

    async fn empty_log(&self, checkpoints: &CheckpointSession, space: Space) {
        if space.log_bytes == 0 {
            return;
        }
        let again_at = match checkpoints.run(Mode::Truncate).await {
            Ok(log) if !log.busy => 0,
            Ok(_) => space.log_bytes + (space.volume.free / 16).max(64 * KIB),
            Err(error) => {
                let full = Fault::of(&error) == Fault::Full;
                let error = cause(error);
                log_safely(
                    || tracing::warn!(%error, full, "the log of the journal could not be copied while room is short"),
                );
                0
            }
        };
        self.again_at_bytes.store(again_at, Ordering::Relaxed);
    }

    /// By how much the database file is to grow when the log is copied; what cannot be found out is left to SQLite.
    async fn growth(&self, session: &mut Session) -> u64 {
        size(session).await.map_or(0, |size| size.saturating_sub(length(&self.database)))
    }

    fn look(&self) -> Option<Space> {
        let volume = Volume::of(&self.database);
        let space = volume.map(|volume| Space { volume, log_bytes: length(&self.log) });
        let short = space.is_some_and(|space| space.is_short(self.wal_bytes_max));
        if self.short.swap(short, Ordering::Relaxed) != short {
            let free_bytes = space.map(|space| space.volume.free);
            tracing::debug!(short, free_bytes, "room for the journal");
        }
        space
    }
}

impl Space {
    /// What there would be if the log were empty.
    fn all(self) -> u64 {
        self.volume.free + self.log_bytes
    }

    /// Whether the volume cannot take the longest log, and a file that grows by all of it.
    fn is_short(self, wal_bytes_max: u64) -> bool {
        self.all() < 3 * wal_bytes_max
    }

    /// Whether the log holds so much that it should give its room back.
    fn log_is_large(self) -> bool {
        self.log_bytes > self.all() / 4 || self.volume.free < self.log_bytes + 2 * self.reserve()
    }

    /// What is kept for those who make room.
    fn reserve(self) -> u64 {
        (self.volume.total / 10).clamp(256 * KIB, 8 * MIB)
    }
}

/// There is not enough room.
#[derive(Debug)]
pub(crate) struct Full {
    database: Arc<Path>,
    free: u64,
    wanted: u64,
}

impl Full {
    pub(crate) fn refusal(&self, doing: &str) -> StoreError {
        let (path, free, wanted) = (self.database.display(), self.free / KIB, self.wanted / KIB);
        let what = format!(
            "the volume of `{path}` is full: {free} KiB are free, {wanted} KiB are needed to write and to copy the log"
        );
        StoreError::unavailable(doing, what)
    }
}

/// How large the database file is to become, with what the running transaction has written.
async fn size(session: &mut Session) -> Result<u64, sqlx::Error> {
    let query = "SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)";
    let rows = session.rows(sqlx::query(query)).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    column::<i64>(row, 0).map(i64::cast_unsigned)
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: u64 = 128 * MIB;

    fn space(total: u64, free: u64, log_bytes: u64) -> Space {
        Space { volume: Volume { free, total }, log_bytes }
    }

    #[test]
    fn room_is_short_where_the_longest_log_and_its_copy_do_not_fit() {
        assert!(!space(100 << 30, 50 << 30, 0).is_short(DEFAULT));
        assert!(!space(100 << 30, 300 * MIB, 100 * MIB).is_short(DEFAULT));
        assert!(space(100 << 30, 200 * MIB, 100 * MIB).is_short(DEFAULT));
        assert!(space(40 * MIB, 40 * MIB, 0).is_short(DEFAULT));
    }

    #[test]
    fn a_log_gives_its_room_back_before_it_could_not_be_copied() {
        for total in [MIB, 10 * MIB, 40 * MIB, 1 << 30] {
            for log_bytes in (0..total).step_by(64 << 10) {
                let space = space(total, total - log_bytes, log_bytes);
                if !space.log_is_large() {
                    assert!(space.volume.free >= log_bytes + space.reserve(), "{space:?}");
                }
            }
        }
    }

    #[test]
    fn the_reserve_follows_the_volume() {
        assert_eq!(space(MIB, 0, 0).reserve(), 256 * KIB);
        assert_eq!(space(40 * MIB, 0, 0).reserve(), 4 * MIB);
        assert_eq!(space(1 << 40, 0, 0).reserve(), 8 * MIB);
    }
}
