//! Events of entities, and the snapshots they follow: many entities in one statement, which sees one state of the
//! tables.

use crate::{entities::Names, fault::store_error, row::Row, store::Shared};
use actum_model::Position;
use actum_persistence::store::{
    Answered, EntityAnswer, PageLimit, StoreError, StoredRow, Wanted, integer,
};

/// A row for each entity that was ever written, recognised by its missing `position`: head, floor, and the newest
/// snapshot if it has one, with the timestamp of the event it covers. And the events of each, no more of them than the
/// page holds and one: to take the rows of a statement half way costs the connection. So it is found out first, where
/// there are many, whether they all fit on the page, as they nearly always do; otherwise each event is weighed with
/// those before it, which takes half as long again.
///
/// Entities are looked up one by one: joined to the list they would be read all, by a plan that was made while they
/// were few and is kept.
const QUERY: &str = "
    WITH asked AS MATERIALIZED (
        SELECT w.nr, n.entity, n.floor, h.head, w.after, s.sequence_nr, s.timestamp, s.codec, s.manifest,
            s.schema_version, s.state, s.recent_commands
        FROM unnest($1::text[], $2::text[], $3::bigint[], $4::boolean[]) WITH ORDINALITY
            AS w (kind, id, after, snapshot, nr)
        CROSS JOIN LATERAL (
            SELECT * FROM @entities AS n WHERE n.kind = w.kind AND n.id = w.id LIMIT 1
        ) AS n
        CROSS JOIN LATERAL (
            SELECT coalesce((
                SELECT e.sequence_nr FROM @events AS e
                WHERE e.entity = n.entity AND e.sequence_nr > n.floor ORDER BY e.sequence_nr DESC LIMIT 1
            ), n.floor) AS head
        ) AS h
        LEFT JOIN LATERAL (
            SELECT * FROM @snapshots AS s WHERE w.snapshot AND s.entity = n.entity
            ORDER BY s.sequence_nr DESC LIMIT 1
        ) AS s ON TRUE
    ),
    sized AS MATERIALIZED (
        SELECT a.nr, a.entity, f.first, a.head - f.first > 16 AND coalesce((
            SELECT sum(octet_length(v.payload) + octet_length(v.metadata)) FROM (
                SELECT e.payload, e.metadata FROM @events AS e
                WHERE a.head - f.first > 16 AND e.entity = a.entity AND e.sequence_nr > f.first
                ORDER BY e.sequence_nr LIMIT $5
            ) AS v
        ) <= $6, FALSE) AS fits
        FROM asked AS a
        CROSS JOIN LATERAL (SELECT greatest(a.floor, a.after, a.sequence_nr) AS first) AS f
    )
    SELECT a.nr, a.sequence_nr, NULL::bigint AS position, a.head, a.floor, a.timestamp, a.codec, a.manifest,
        a.schema_version, a.state, a.recent_commands, (
            SELECT e.timestamp FROM @events AS e WHERE e.entity = a.entity AND e.sequence_nr = a.sequence_nr LIMIT 1
        ) AS covered
    FROM asked AS a
    UNION ALL
    SELECT a.nr, v.sequence_nr, v.position, v.incarnation, v.event_nr, v.timestamp, v.codec, v.manifest,
        v.schema_version, v.payload, v.metadata, NULL::bigint
    FROM sized AS a
    CROSS JOIN LATERAL (
        SELECT * FROM @events AS e
        WHERE a.fits AND e.entity = a.entity AND e.sequence_nr > a.first ORDER BY e.sequence_nr LIMIT $5
    ) AS v
    UNION ALL
    SELECT a.nr, v.sequence_nr, v.position, v.incarnation, v.event_nr, v.timestamp, v.codec, v.manifest,
        v.schema_version, v.payload, v.metadata, NULL::bigint
    FROM sized AS a
    CROSS JOIN LATERAL (
        SELECT e.*, sum(octet_length(e.payload) + octet_length(e.metadata))
            OVER (ORDER BY e.sequence_nr ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS weight_before
        FROM @events AS e
        WHERE NOT a.fits AND e.entity = a.entity AND e.sequence_nr > a.first
        ORDER BY e.sequence_nr LIMIT $5
    ) AS v
    WHERE v.weight_before IS NULL OR v.weight_before <= $6";

/// Reads what is wanted, answers in its order.
pub(crate) async fn read(
    shared: &Shared,
    doing: &str,
    wanted: &[Wanted<'_>],
    limit: PageLimit,
) -> Result<Vec<Answered>, StoreError> {
    let names = Names::of(wanted.iter().map(|wanted| wanted.entity));
    let after: Vec<i64> = wanted.iter().map(|wanted| integer::bound(wanted.after.get())).collect();
    let snapshots: Vec<bool> = wanted.iter().map(|wanted| wanted.snapshot).collect();
    let statement = || {
        sqlx::query(shared.texts.of(QUERY))
            .bind(&names.kinds)
            .bind(&names.ids)
            .bind(&after)
            .bind(&snapshots)
            .bind(i64::from(limit.events.get()))
            .bind(integer::bound(limit.bytes as u64))
    };
    let begin = || Answers::new(wanted, limit);
    let answers = shared.connections.read_each(doing, statement, begin, Answers::take).await?;
    answers.finish().map_err(|error| store_error(doing, error))
}

/// The answers while the rows come in.
struct Answers<'a> {
    answers: Vec<EntityAnswer<'a>>,
    /// Whether the row that comes before the events of an entity is there.
    begun: Vec<bool>,
    /// Events that came before that row, and all behind them: the server sends rows in order, though it does not have to.
    early: Vec<Row>,
    failed: Option<sqlx::Error>,
}

impl<'a> Answers<'a> {
    fn new(wanted: &[Wanted<'a>], limit: PageLimit) -> Self {
        let answers = wanted.iter().map(|wanted| EntityAnswer::new(*wanted, limit)).collect();
        Self { answers, begun: vec![false; wanted.len()], early: Vec::new(), failed: None }
    }

    /// Takes the next row; it is decoded while the server sends more.
    fn take(&mut self, row: Row) {
        if self.failed.is_none() {
            self.failed = self.place(row).err();
        }
    }

    fn place(&mut self, row: Row) -> Result<(), sqlx::Error> {
        let nr = row.entry(self.answers.len())?;
        if row.optional_number(2)?.is_none() {
            self.begun[nr] = true;
            return self.answers[nr].begin_row(&row);
        }
        if self.begun[nr] && self.early.is_empty() {
            return add(&mut self.answers[nr], &row);
        }
        self.early.push(row);
        Ok(())
    }

    fn place_early(&mut self) -> Result<(), sqlx::Error> {
        for row in std::mem::take(&mut self.early) {
            let nr = row.entry(self.answers.len())?;
            add(&mut self.answers[nr], &row)?;
        }
        Ok(())
    }

    /// What was read, once all rows have come. Where an entity's events did not come in order a gap is found.
    fn finish(mut self) -> Result<Vec<Answered>, sqlx::Error> {
        self.failed.take().map_or_else(|| self.place_early(), Err)?;
        let answers = self.answers.into_iter();
        answers.map(|answer| answer.finish().map_err(Row::unfit)).collect()
    }
}

fn add(answer: &mut EntityAnswer<'_>, row: &Row) -> Result<(), sqlx::Error> {
    answer.add_row(row, Position::new(row.count(2)?)).map(drop)
}
