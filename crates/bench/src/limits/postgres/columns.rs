use super::event_table::{PostgresStatement, TIMESTAMP, content};
use actum::StoredPayload;
use anyhow::Result;

/// Rows on their way into the table of events, a column each; the columns that are the same in all rows stay as they are
/// from batch to batch.
pub(super) struct Columns {
    content: StoredPayload,
    positions: Vec<i64>,
    entities: Vec<i64>,
    sequence_nrs: Vec<i64>,
    event_nrs: Vec<i64>,
    timestamps: Vec<i64>,
    schema_versions: Vec<i64>,
    rows: usize,
}

/// What is different in each row.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowKey {
    pub(super) position: i64,
    pub(super) entity: i64,
    pub(super) sequence_nr: i64,
}

/// Inserts the rows of [`Columns`]; nothing is looked up and nothing checked but what the table checks by itself.
pub(super) const INSERT: &str = "INSERT INTO actum.events (
        position, entity, sequence_nr, incarnation, event_nr, timestamp, schema_version, lane, codec, manifest, payload,
        metadata
    )
    SELECT v.position, v.entity, v.sequence_nr, $1, v.event_nr, v.timestamp, v.schema_version, $2, v.codec, v.manifest,
        v.payload, v.metadata
    FROM unnest(
        $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::text[],
        $11::bytea[], $12::bytea[]
    ) AS v (
        position, entity, sequence_nr, event_nr, timestamp, schema_version, codec, manifest, payload, metadata
    )";

/// As [`INSERT`], under the lock of the lane: one transaction at a time, from here to its commit.
pub(super) const INSERT_LOCKED: &str = "WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock(1, $2))
    INSERT INTO actum.events (
        position, entity, sequence_nr, incarnation, event_nr, timestamp, schema_version, lane, codec, manifest, payload,
        metadata
    )
    SELECT v.position, v.entity, v.sequence_nr, $1, v.event_nr, v.timestamp, v.schema_version, $2, v.codec, v.manifest,
        v.payload, v.metadata
    FROM locked, unnest(
        $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::text[],
        $11::bytea[], $12::bytea[]
    ) AS v (
        position, entity, sequence_nr, event_nr, timestamp, schema_version, codec, manifest, payload, metadata
    )";

impl Columns {
    /// Columns of batches of so many rows.
    pub(super) fn new(rows: usize) -> Result<Self> {
        let content = content()?;
        let schema_versions = vec![i64::from(content.schema_version); rows];
        Ok(Self {
            content,
            positions: Vec::with_capacity(rows),
            entities: Vec::with_capacity(rows),
            sequence_nrs: Vec::with_capacity(rows),
            event_nrs: Vec::with_capacity(rows),
            timestamps: vec![TIMESTAMP; rows],
            schema_versions,
            rows,
        })
    }

    /// How many rows a batch has.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Takes the rows of a batch.
    pub(super) fn fill(&mut self, rows: impl Iterator<Item = RowKey>) {
        let columns = [&mut self.positions, &mut self.entities, &mut self.sequence_nrs];
        columns.into_iter().chain([&mut self.event_nrs]).for_each(Vec::clear);
        for row in rows.take(self.rows) {
            self.positions.push(row.position);
            self.entities.push(row.entity);
            self.sequence_nrs.push(row.sequence_nr);
            self.event_nrs.push(row.position);
        }
    }

    /// Binds the arguments of one of the statements above.
    pub(super) fn bind<'q>(
        &'q self,
        statement: PostgresStatement<'q>,
        lane: i32,
    ) -> PostgresStatement<'q> {
        let Self { content, rows, .. } = self;
        statement
            .bind(1_i64)
            .bind(lane)
            .bind(&self.positions)
            .bind(&self.entities)
            .bind(&self.sequence_nrs)
            .bind(&self.event_nrs)
            .bind(&self.timestamps)
            .bind(&self.schema_versions)
            .bind(vec![&*content.codec; *rows])
            .bind(vec![&*content.manifest; *rows])
            .bind(vec![&*content.bytes; *rows])
            .bind(vec![&[][..] as &[u8]; *rows])
    }
}
