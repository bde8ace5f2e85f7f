//! What is recorded of the commands of durable states.

use crate::{
    SqliteStore,
    connection::PAGE_BYTES,
    entities,
    fault::store_error,
    insert,
    readers::Reader,
    session::{Statement, column},
    values,
    writer::WriteTx,
};
use actum_model::{EntityKey, Revision};
use actum_persistence::store::{
    COMMANDS_READ_MAX, CommandRead, CommandRecord, Incarnation, StateWrite, StoreError,
    StoredCommand,
};
use bytes::Bytes;
use sqlx::sqlite::SqliteRow;

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
            revision: values::bound(command.revision.get()),
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
        tx.execute(delete.bind(*entity).bind(values::bound(write.forget_to.get()))).await?;
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
    let rows = reader.rows(query).await;
    for row in &rows.map_err(|error| store_error(doing, error))? {
        let command = stored(row).map_err(|error| store_error(doing, error))?;
        commands[entities::number(row, count)?].push(command);
    }
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
        let mut records = vec![None; reads.len()];
        for row in &rows.map_err(|error| store_error(doing, error))? {
            let record = values::bytes(row, 1).map_err(|error| store_error(doing, error))?;
            records[entities::number(row, reads.len())?] = Some(record);
        }
        Ok(records)
    }
}

/// A list as the JSON array that the statements take apart: `[[kind, id, revision], …]`.
fn list<'a>(reads: impl Iterator<Item = (&'a EntityKey, Revision)>) -> String {
    let parts = |(key, revision): (&'a EntityKey, Revision)| {
        (key.kind(), key.id(), values::bound(revision.get()))
    };
    let reads: Vec<_> = reads.map(parts).collect();
    serde_json::to_string(&reads).expect("texts and numbers have a JSON form")
}

fn stored(row: &SqliteRow) -> Result<StoredCommand, sqlx::Error> {
    let uptime = u32::try_from(column::<i64>(row, 4)?);
    Ok(StoredCommand {
        revision: values::revision(row, 1)?,
        id_hash: column::<i64>(row, 2)?.cast_unsigned(),
        incarnation: Incarnation::new(values::count(row, 3)?),
        uptime_seconds: uptime.map_err(|error| sqlx::Error::Decode(error.into()))?,
    })
}
