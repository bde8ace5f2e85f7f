use super::{
    database::ProgressDatabase,
    key::{epoch, of_segment},
};
use crate::{
    fault::store_error,
    row::Row,
    session::Session,
    texts::Texts,
    transaction::{Failed, Statements},
};
use actum_persistence::{
    progress::{Epoch, SegmentClaim, StoredSegment},
    store::{StoreError, StoredRow, integer},
};

const DOING: &str = "claiming a segment";

const LOCK: &str =
    "SELECT 1 FROM @segments WHERE name = $1 AND version = $2 AND first = $3 AND last = $4
    FOR NO KEY UPDATE";

/// Behind the lock, so that it sees what the owner has renewed while the lock was waited for.
const CLAIM: &str = "UPDATE @segments SET epoch = epoch + 1, owner = $6
    WHERE name = $1 AND version = $2 AND first = $3 AND last = $4 AND epoch = $5 AND stopped IS NULL
        AND owner IS NOT DISTINCT FROM $7
        AND ($7::text IS NULL OR $8 IS NOT DISTINCT FROM (
            SELECT r.renewal FROM @runners AS r WHERE r.name = $1 AND r.version = $2 AND r.runner = $7
        ))
    RETURNING epoch, progress, handled, saved_at";

impl ProgressDatabase {
    pub(super) async fn claim(
        &self,
        claim: &SegmentClaim,
    ) -> Result<Option<StoredSegment>, StoreError> {
        self.run(DOING, Claiming { texts: &self.texts, claim }).await
    }
}

struct Claiming<'a> {
    texts: &'a Texts,
    claim: &'a SegmentClaim,
}

impl Statements for Claiming<'_> {
    type Done = Option<StoredSegment>;

    async fn run(&mut self, session: &mut Session) -> Result<Option<StoredSegment>, Failed> {
        let Self { texts, claim } = *self;
        let failed = |error| Failed::of(DOING, error);
        let lock = of_segment(sqlx::query(texts.of(LOCK)), &claim.projection, claim.segment);
        session.rows(lock).await.map_err(failed)?;
        let take = of_segment(sqlx::query(texts.of(CLAIM)), &claim.projection, claim.segment);
        let replaces = claim.replaces.as_ref();
        let renewal = replaces.and_then(|owner| owner.renewal).map(integer::bound);
        let take = take
            .bind(epoch(claim.epoch))
            .bind(&*claim.runner)
            .bind(replaces.map(|owner| &*owner.name))
            .bind(renewal);
        let rows = session.rows(take).await.map_err(failed)?;
        let taken = rows.first().map(|row| taken(claim, row)).transpose();
        taken.map_err(|error| store_error(DOING, error).into())
    }
}

fn taken(claim: &SegmentClaim, row: &Row) -> Result<StoredSegment, sqlx::Error> {
    let progress = row.text(1)?.parse().map_err(|error: String| Row::damaged(1, error))?;
    let mut taken = StoredSegment::new(claim.segment, progress);
    taken.epoch = Epoch::new(row.count(0)?);
    taken.owner = Some(claim.runner.clone());
    taken.handled = row.count(2)?;
    taken.saved_at = row.timestamp(3)?;
    Ok(taken)
}
