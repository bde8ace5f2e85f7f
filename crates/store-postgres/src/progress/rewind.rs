use super::{
    segment_locks::Locking,
    verdict::{ChangeVerdict, DOING},
};
use crate::{
    session::Session,
    texts::Texts,
    transaction::{Failed, Statements},
};
use actum_persistence::{
    progress::{ReadProgress, Rewind},
    store::integer,
};

const REWIND: &str = "WITH projection AS (
        UPDATE @projections SET live_from = $3 WHERE name = $1 AND version = $2
    ), parked AS (
        DELETE FROM @parked WHERE name = $1 AND version = $2
    ), letters AS (
        DELETE FROM @dead_letters AS d USING unnest($5::bigint[]) WITH ORDINALITY AS l (position, nr)
        WHERE d.name = $1 AND d.version = $2 AND d.lane = l.nr - 1 AND d.position > l.position
    )
    UPDATE @segments SET epoch = epoch + 1, owner = NULL, stopped = NULL, progress = $4
    WHERE name = $1 AND version = $2";

/// A rewind: it waits for saves and claims that are under way, and those behind it find other epochs.
pub(super) struct RewindStatements<'a> {
    pub(super) texts: &'a Texts,
    pub(super) rewind: &'a Rewind,
}

impl Statements for RewindStatements<'_> {
    type Done = ChangeVerdict;

    async fn run(&mut self, session: &mut Session) -> Result<ChangeVerdict, Failed> {
        let Self { texts, rewind } = *self;
        let locking = Locking { doing: DOING, texts, projection: &rewind.projection };
        if locking.lock(session).await?.as_ref() != Some(&rewind.seen) {
            return Ok(ChangeVerdict::Stale);
        }
        let positions = rewind.to.positions().iter();
        let positions: Vec<_> = positions.map(|position| integer::bound(position.get())).collect();
        let statement = locking
            .statement(REWIND)
            .bind(ReadProgress::behind(rewind.live_from.clone()).to_string())
            .bind(ReadProgress::behind(rewind.to.clone()).to_string())
            .bind(positions);
        locking.rows(session, statement).await?;
        Ok(ChangeVerdict::Made)
    }
}
