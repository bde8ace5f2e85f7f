//! What is recorded of the commands of durable states.

use crate::{
    SqliteStore, connection::PAGE_BYTES, fault::store_error, insert, readers::Reader, row::Row,
    session::Statement, writer::WriteTx,
};
use actum_model::{EntityKey, Revision};
use actum_persistence::store::{
    COMMANDS_READ_MAX, CommandRead, CommandRecord, StateWrite, StoreError, StoredCommand,
    StoredRow, in_order_asked, integer,
};
use bytes::Bytes;

/// A row of the table `state_commands`.
struct NewCommandRow<'a> {
    entity: i64,
    revision: i64,
    incarnation: i64,
    command: &'a CommandRecord,
}

/// Stores the commands of writes that are stored, and deletes those that are not needed any more.
pub(crate) async fn keep(
    tx: &mut WriteTx<'_>,
    writes: &[(&StateWrite, i64)],
    incarnation: i64,
) -> Result<(), StoreError> {
    let rows = writes.iter().flat_map(|(write, entity)| {
        write.commands.iter().map(|command| NewCommandRow {
            entity: *entity,
            // not behind that of the write, which fits
            revision: integer::bound(command.revision.get()),
            incarnation,
            command,
        })
    });
    let rows: Vec<_> = rows.collect();
    let inserted = insert::STATE_COMMANDS.run(tx.session(), &rows, bind).await;
    inserted.map_err(|error| tx.failed(error))?;
    tx.will_write(rows.iter().map(|row| PAGE_BYTES + row.command.record.len() as u64).sum());
    for (write, entity) in writes.iter().filter(|(write, _)| write.forget_to > Revision::ZERO) {
        let delete = sqlx::query("DELETE FROM state_commands WHERE entity = ? AND revision <= ?");
        tx.execute(delete.bind(*entity).bind(integer::bound(write.forget_to.get()))).await?;
    }
    Ok(())
}

fn bind<'q>(statement: Statement<'q>, row: &'q NewCommandRow<'_>) -> Statement<'q> {
    statement
        .bind(row.entity)
        .bind(row.revision)
        .bind(row.command.id_hash.cast_signed())
        .bind(row.incarnation)
        .bind(i64::from(row.command.uptime_seconds))
        .bind(row.command.record.as_ref())
}

/// The newest commands before a revision, of each entity in its order; the oldest first.
pub(crate) async fn newest<'a>(
    reader: &mut Reader<'_>,
    doing: &str,
    reads: impl ExactSizeIterator<Item = (&'a EntityKey, Revision)>,
) -> Result<Vec<Vec<StoredCommand>>, StoreError> {
    let query = "SELECT w.key, c.revision, c.id_hash, c.incarnation, c.uptime
        FROM json_each(?) AS w
        CROSS JOIN entities AS e ON e.kind = w.value ->> 0 AND e.id = w.value ->> 1
        CROSS JOIN state_commands AS c ON c.entity = e.entity AND c.revision < w.value ->> 2
            AND c.revision >= ifnull((
                SELECT n.revision FROM state_commands AS n
                WHERE n.entity = e.entity AND n.revision < w.value ->> 2
                ORDER BY n.revision DESC LIMIT 1 OFFSET ?
            ), 0)
        ORDER BY w.key, c.revision";
    let count = reads.len();
    let mut commands = vec![Vec::new(); count];
    if count == 0 {
        return Ok(commands);
    }
    let query = sqlx::query(query).bind(list(reads)).bind(COMMANDS_READ_MAX as i64 - 1);
    let add = |rows: Vec<Row>| -> Result<(), sqlx::Error> {
        for row in &rows {
            commands[row.entry(count)?].push(StoredCommand::of_row(row)?);
        }
        Ok(())
    };
    reader.rows(query).await.and_then(add).map_err(|error| store_error(doing, error))?;
    Ok(commands)
}

impl SqliteStore {
    /// The records of commands.
    pub(crate) async fn records(
        &self,
        reads: &[CommandRead],
    ) -> Result<Vec<Option<Bytes>>, StoreError> {
        let query = "SELECT w.key, c.record
            FROM json_each(?) AS w
            CROSS JOIN entities AS e ON e.kind = w.value ->> 0 AND e.id = w.value ->> 1
            CROSS JOIN state_commands AS c ON c.entity = e.entity AND c.revision = w.value ->> 2";
        let asked = reads.iter().map(|read| (&read.entity, read.revision));
        let query = sqlx::query(query).bind(list(asked));
        let doing = "reading commands";
        let rows = self.readers().reader(doing).await?.rows(query).await;
        let records = |rows: Vec<Row>| in_order_asked(&rows, reads.len(), |row| row.bytes(1));
        rows.and_then(records).map_err(|error| store_error(doing, error))
    }
}

/// A list as the JSON array that the statements take apart: `[[kind, id, revision], …]`.
fn list<'a>(reads: impl Iterator<Item = (&'a EntityKey, Revision)>) -> String {
    let parts = |(key, revision): (&'a EntityKey, Revision)| {
        (key.kind(), key.id(), integer::bound(revision.get()))
    };
    let reads: Vec<_> = reads.map(parts).collect();
    serde_json::to_string(&reads).expect("texts and numbers have a JSON form")
}
