use super::{
    database::ProgressDatabase,
    key::without_nul,
    row_arrays::{Array, RowArrays, numbers, texts},
    segment_locks::Locking,
};
use crate::{
    session::Session,
    transaction::{Failed, Statements},
};
use actum_persistence::{
    progress::{Epoch, ProjectionId, SaveError, Segment, StoredSegment},
    store::{StoreError, integer},
};

const DOING: &str = "dividing a projection";

const REMOVE: &str = "DELETE FROM @segments AS s USING unnest($3::bigint[]) AS seen (first)
    WHERE s.name = $1 AND s.version = $2 AND s.first = seen.first";

const ADD: &str = "INSERT INTO @segments (name, version, first, last, epoch, progress, handled, saved_at, stopped)
    SELECT $1, $2, r.first, r.last, r.epoch, r.progress, r.handled, r.saved_at, nullif(r.stopped, '')
    FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::bigint[], $9::text[])
        AS r (first, last, epoch, progress, handled, saved_at, stopped)";

impl ProgressDatabase {
    pub(super) async fn divide(
        &self,
        projection: &ProjectionId,
        seen: &[(Segment, Epoch)],
        into: &[StoredSegment],
    ) -> Result<(), SaveError> {
        let of = seen.iter().map(|(segment, _)| *segment);
        if !Segment::have_same_partitions(of, into.iter().map(|one| one.segment)) {
            let what = format!("{projection} would be divided into other partitions than it has");
            return Err(StoreError::invalid(what).into());
        }
        let locking = Locking { doing: DOING, texts: &self.texts, projection };
        let is_divided = self.run(DOING, Dividing { locking, seen, into }).await?;
        if is_divided { Ok(()) } else { Err(SaveError::Stale) }
    }
}

struct Dividing<'a> {
    locking: Locking<'a>,
    seen: &'a [(Segment, Epoch)],
    into: &'a [StoredSegment],
}

impl Statements for Dividing<'_> {
    /// Whether the segments were in the epochs they were seen in.
    type Done = bool;

    async fn run(&mut self, session: &mut Session) -> Result<bool, Failed> {
        let found = self.locking.lock(session).await?.unwrap_or_default();
        if !self.seen.iter().all(|seen| found.contains(seen)) {
            return Ok(false);
        }
        for rows in [self.removed(), self.added()] {
            let statement = rows.text;
            let statement = rows.bind(self.locking.statement(statement));
            self.locking.rows(session, statement).await?;
        }
        Ok(true)
    }
}

impl Dividing<'_> {
    fn removed(&self) -> RowArrays {
        let first = numbers(self.seen, |(segment, _)| segment.first().nr().into());
        RowArrays { text: REMOVE, columns: vec![first] }
    }

    fn added(&self) -> RowArrays {
        let last = self.seen.iter().map(|(_, epoch)| *epoch).max().unwrap_or_default();
        let epoch = integer::bound(last.next().get());
        let into = self.into;
        let why = |one: &StoredSegment| one.stopped.as_deref().map(without_nul).unwrap_or_default();
        let columns: Vec<Array> = vec![
            numbers(into, |one| one.segment.first().nr().into()),
            numbers(into, |one| one.segment.last().nr().into()),
            numbers(into, |_| epoch),
            texts(into, |one| one.progress.to_string()),
            numbers(into, |one| integer::bound(one.handled)),
            numbers(into, |one| one.saved_at.as_micros()),
            texts(into, why),
        ];
        RowArrays { text: ADD, columns }
    }
}
