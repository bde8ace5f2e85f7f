//! What is recorded of the commands of durable states.

use crate::{
    PostgresStore,
    entities::Names,
    fault::store_error,
    row::{Row, column},
    session::{Session, Statement},
    state_pieces::StatePiece,
    transaction::{self, Failed},
};
use actum_model::{EntityKey, Revision};
use actum_persistence::store::{
    COMMANDS_READ_MAX, CommandRead, CommandRecord, Incarnation, StateWrite, StoreError,
    StoredCommand, StoredRow, in_order_asked, integer,
};
use bytes::Bytes;

/// The commands of state writes as arrays, a column each.
#[derive(Default)]
pub(crate) struct CommandColumns<'a> {
    /// Of each write.
    forget_to: Vec<i64>,
    /// Of each command: to which write it belongs, counted from 1.
    writes: Vec<i32>,
    rows: Rows<'a>,
}

impl<'a> CommandColumns<'a> {
    pub(crate) fn of(piece: &StatePiece<'a>) -> Self {
        let mut columns = Self::default();
        for (nr, write) in (1..).zip(piece.writes) {
            columns.forget_to.push(integer::bound(write.forget_to.get()));
            for command in piece.commands_of(write) {
                columns.writes.push(nr);
                columns.rows.add(command);
            }
        }
        columns
    }

    pub(crate) fn bind<'q>(&'q self, query: Statement<'q>) -> Statement<'q> {
        self.rows.bind(query.bind(&self.forget_to).bind(&self.writes))
    }
}

/// What is stored of each command.
#[derive(Default)]
struct Rows<'a> {
    revisions: Vec<i64>,
    id_hashes: Vec<i64>,
    uptimes: Vec<i64>,
    records: Vec<&'a [u8]>,
}

impl<'a> Rows<'a> {
    fn add(&mut self, command: &'a CommandRecord) {
        self.revisions.push(integer::bound(command.revision.get()));
        self.id_hashes.push(command.id_hash.cast_signed());
        self.uptimes.push(command.uptime_seconds.into());
        self.records.push(&command.record);
    }

    fn bind<'q>(&'q self, query: Statement<'q>) -> Statement<'q> {
        query.bind(&self.revisions).bind(&self.id_hashes).bind(&self.uptimes).bind(&self.records)
    }
}

/// Commands of a write that go behind it, in its transaction.
pub(crate) struct Later<'a> {
    pub(crate) write: &'a StateWrite,
    pub(crate) incarnation: Incarnation,
    pub(crate) commands: &'a [CommandRecord],
}

impl PostgresStore {
    /// Stores commands of a state that the transaction of `session` has written, under the fence it has joined.
    pub(crate) async fn add_commands(
        &self,
        session: &mut Session,
        doing: &'static str,
        later: &Later<'_>,
    ) -> Result<(), Failed> {
        // a state that was put back to an older one by hand can leave commands behind
        let query = "WITH added AS (
                INSERT INTO @state_commands (entity, revision, id_hash, incarnation, uptime, record)
                SELECT e.entity, c.revision, c.id_hash, $3, c.uptime, c.record
                FROM @entities AS e CROSS JOIN unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[])
                    AS c (revision, id_hash, uptime, record)
                WHERE e.kind = $1 AND e.id = $2
                ON CONFLICT (entity, revision) DO UPDATE SET
                    id_hash = excluded.id_hash, incarnation = excluded.incarnation, uptime = excluded.uptime,
                    record = excluded.record
                RETURNING 1
            ) SELECT count(*) FROM added";
        let Later { write, incarnation, commands } = *later;
        let incarnation = integer::incarnation(incarnation)?;
        let mut columns = Rows::default();
        commands.iter().for_each(|command| columns.add(command));
        let statement = || {
            let query = sqlx::query(self.shared.texts.of(query));
            let query = query.bind(write.entity.kind()).bind(write.entity.id()).bind(incarnation);
            columns.bind(query)
        };
        let rows = transaction::call(session, self.shared.connector(), doing, statement).await?;
        let added = rows.first().and_then(|row| row.count(0).ok());
        if added == Some(commands.len() as u64) {
            return Ok(());
        }
        let why = "another program changed the tables while the state was locked";
        Err(StoreError::unavailable(doing, why).into())
    }

    /// The newest commands before a revision, of each entity in its order; the oldest first.
    pub(crate) async fn newest_commands<'a>(
        &self,
        doing: &'static str,
        reads: impl Iterator<Item = (&'a EntityKey, Revision)> + Clone,
    ) -> Result<Vec<Vec<StoredCommand>>, StoreError> {
        let query = "SELECT a.nr, c.revision, c.id_hash, c.incarnation, c.uptime
            FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS a (kind, id, before, nr)
            CROSS JOIN LATERAL (
                SELECT e.entity FROM @entities AS e WHERE e.kind = a.kind AND e.id = a.id LIMIT 1
            ) AS e
            CROSS JOIN LATERAL (
                SELECT * FROM @state_commands AS c WHERE c.entity = e.entity AND c.revision < a.before
                ORDER BY c.revision DESC LIMIT $4
            ) AS c
            ORDER BY a.nr, c.revision";
        let (names, revisions) = arrays(reads);
        let mut commands = vec![Vec::new(); revisions.len()];
        let statement = || {
            let query = sqlx::query(self.shared.texts.of(query)).bind(&names.kinds);
            query.bind(&names.ids).bind(&revisions).bind(COMMANDS_READ_MAX as i64)
        };
        let add = |row: &Row| -> Result<(), sqlx::Error> {
            commands[row.entry(revisions.len())?].push(StoredCommand::of_row(row)?);
            Ok(())
        };
        let rows = self.shared.connections.read(doing, statement).await?;
        rows.iter().try_for_each(add).map_err(|error| store_error(doing, error))?;
        Ok(commands)
    }

    /// The records of commands.
    pub(crate) async fn records(
        &self,
        reads: &[CommandRead],
    ) -> Result<Vec<Option<Bytes>>, StoreError> {
        let query = "SELECT a.nr, c.record
            FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS a (kind, id, revision, nr)
            CROSS JOIN LATERAL (
                SELECT e.entity FROM @entities AS e WHERE e.kind = a.kind AND e.id = a.id LIMIT 1
            ) AS e
            CROSS JOIN LATERAL (
                SELECT * FROM @state_commands AS c WHERE c.entity = e.entity AND c.revision = a.revision LIMIT 1
            ) AS c";
        let (names, revisions) = arrays(reads.iter().map(|read| (&read.entity, read.revision)));
        let statement = || {
            let query = sqlx::query(self.shared.texts.of(query)).bind(&names.kinds);
            query.bind(&names.ids).bind(&revisions)
        };
        let doing = "reading commands";
        let rows = self.shared.connections.read(doing, statement).await?;
        let records = in_order_asked(&rows, reads.len(), |row| row.bytes(1));
        records.map_err(|error| store_error(doing, error))
    }
}

fn arrays<'a>(
    reads: impl Iterator<Item = (&'a EntityKey, Revision)> + Clone,
) -> (Names<'a>, Vec<i64>) {
    let names = Names::of(reads.clone().map(|(entity, _)| entity));
    (names, reads.map(|(_, revision)| integer::bound(revision.get())).collect())
}

/// Commands from four columns of arrays, in the order of the columns of a command; no arrays if there are none.
pub(crate) fn of_arrays(row: &Row, index: usize) -> Result<Vec<StoredCommand>, sqlx::Error> {
    let array = |at| Ok::<_, sqlx::Error>(column::<Option<Vec<i64>>>(row, at)?.unwrap_or_default());
    let marks = array(index)?.into_iter().zip(array(index + 1)?);
    let moments = array(index + 2)?.into_iter().zip(array(index + 3)?);
    let command = |((revision, hash), (of, uptime))| {
        StoredCommand::of_numbers::<Row>(index, [revision, hash, of, uptime])
    };
    marks.zip(moments).map(command).collect()
}
