use crate::session::{Session, Statement};
use std::{iter, sync::LazyLock};

/// How many rows one statement inserts. Few sizes, so that each is prepared once and kept; each twice the next, so that
/// any number of rows takes few trips to the connection's thread (1,000 rows: 6).
const SIZES: [usize; 10] = [512, 256, 128, 64, 32, 16, 8, 4, 2, 1];

/// An `INSERT` of many rows at once, in the sizes that are prepared.
pub(crate) struct Insert {
    /// One text a size.
    texts: [String; SIZES.len()],
}

/// Into `events`, 11 columns.
///
/// `OR FAIL` leaves the rows before one that is refused, for the caller to roll back. Without it SQLite copies every
/// page that a statement changes, to take back that statement alone.
pub(crate) static EVENTS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "INSERT OR FAIL INTO events (place, entity, sequence_nr, incarnation, event_nr, timestamp, codec, manifest,
            schema_version, payload, metadata) VALUES ",
        11,
        "",
    )
});

/// Into `states`, 12 columns, over what is there.
pub(crate) static STATES: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "INSERT INTO states (entity, revision, incarnation, write_nr, timestamp, codec, manifest, schema_version,
            state, recent_commands, lane, position) VALUES ",
        12,
        " ON CONFLICT (entity) DO UPDATE SET revision = excluded.revision, incarnation = excluded.incarnation,
            write_nr = excluded.write_nr, timestamp = excluded.timestamp, codec = excluded.codec,
            manifest = excluded.manifest, schema_version = excluded.schema_version, state = excluded.state,
            recent_commands = excluded.recent_commands, lane = excluded.lane, position = excluded.position",
    )
});

/// Into `snapshots`, 8 columns, over what is there.
pub(crate) static SNAPSHOTS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "INSERT INTO snapshots (entity, sequence_nr, timestamp, codec, manifest, schema_version, state,
            recent_commands) VALUES ",
        8,
        " ON CONFLICT (entity, sequence_nr) DO UPDATE SET timestamp = excluded.timestamp, codec = excluded.codec,
            manifest = excluded.manifest, schema_version = excluded.schema_version, state = excluded.state,
            recent_commands = excluded.recent_commands",
    )
});

/// Into `state_commands`, 6 columns, over what is there: a state that was put back to an older one by hand can leave
/// commands behind.
pub(crate) static STATE_COMMANDS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "INSERT INTO state_commands (entity, revision, id_hash, incarnation, uptime, record) VALUES ",
        6,
        " ON CONFLICT (entity, revision) DO UPDATE SET id_hash = excluded.id_hash,
            incarnation = excluded.incarnation, uptime = excluded.uptime, record = excluded.record",
    )
});

impl Insert {
    fn new(into: &str, columns: usize, then: &str) -> Self {
        let row = format!("({})", iter::repeat_n("?", columns).collect::<Vec<_>>().join(","));
        let rows = |size| iter::repeat_n(row.as_str(), size).collect::<Vec<_>>().join(",");
        Self { texts: SIZES.map(|size| format!("{into}{}{then}", rows(size))) }
    }

    /// Inserts `rows`, each bound by `bind`.
    pub(crate) async fn run<'q, T>(
        &'static self,
        session: &mut Session,
        mut rows: &'q [T],
        bind: impl Fn(Statement<'q>, &'q T) -> Statement<'q> + Send,
    ) -> Result<(), sqlx::Error>
    where
        T: Sync,
    {
        for (size, text) in SIZES.into_iter().zip(&self.texts) {
            while rows.len() >= size {
                let (now, later) = rows.split_at(size);
                rows = later;
                let statement = now.iter().fold(sqlx::query(text.as_str()), &bind);
                session.execute(statement).await?;
            }
        }
        Ok(())
    }
}
