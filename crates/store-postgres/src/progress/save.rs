use super::{
    dead_letters,
    key::{epoch, of_projection, of_segment},
    marked::Marked,
    parked,
    verdict::{ChangeVerdict, DOING, verdict},
};
use crate::{
    session::{Session, Statement},
    texts::Texts,
    transaction::{Failed, Statements},
};
use actum_persistence::{progress::ProgressSave, store::integer};

/// One statement, so that a save without anything beside the progress is one round trip. The row is found by its primary
/// key and locked; of a claim that is under way the outcome is waited for, and the epoch compared again.
const SAVE: &str = "WITH own AS (
        SELECT $9::text IS NULL OR current_setting('actum.tx', TRUE) IS NOT DISTINCT FROM $9 AS is_open
    ), saved AS (
        UPDATE @segments
        SET progress = $6, handled = handled + least($7, 9223372036854775807 - handled), saved_at = $8
        WHERE name = $1 AND version = $2 AND first = $3 AND last = $4 AND epoch = $5 AND (SELECT is_open FROM own)
        RETURNING 1
    )
    SELECT is_open, EXISTS (SELECT FROM saved),
        CASE WHEN is_open AND $10::text IS NOT NULL
            THEN set_config('idle_in_transaction_session_timeout', $10, TRUE) END
    FROM own";

/// A save, and what is parked and skipped with it.
pub(super) struct SaveStatements<'a> {
    pub(super) texts: &'a Texts,
    pub(super) save: &'a ProgressSave,
    pub(super) within: Option<Marked<'a>>,
}

impl<'a> SaveStatements<'a> {
    /// Whether the progress is all.
    pub(super) fn is_one_statement(&self) -> bool {
        let save = self.save;
        save.replayed.is_empty()
            && save.parked.is_empty()
            && save.letters_replayed.is_empty()
            && save.dead_letters.is_empty()
    }

    /// Saves the progress.
    pub(super) fn statement(&self) -> Statement<'a> {
        let Self { texts, save, within } = *self;
        of_segment(sqlx::query(texts.of(SAVE)), &save.projection, save.segment)
            .bind(epoch(save.epoch))
            .bind(save.progress.to_string())
            .bind(integer::bound(save.handled))
            .bind(save.saved_at.as_micros())
            .bind(within.map(|within| within.mark))
            .bind(within.map(|within| within.idle_max))
    }
}

impl Statements for SaveStatements<'_> {
    type Done = ChangeVerdict;

    async fn run(&mut self, session: &mut Session) -> Result<ChangeVerdict, Failed> {
        let failed = |error| Failed::of(DOING, error);
        let verdict = verdict(&session.rows(self.statement()).await.map_err(failed)?)?;
        if verdict != ChangeVerdict::Made {
            return Ok(verdict);
        }
        let save = self.save;
        let more = parked::replayed(&save.replayed)?
            .into_iter()
            .chain(parked::parked(&save.parked)?)
            .chain(dead_letters::replayed(&save.letters_replayed))
            .chain(dead_letters::skipped(&save.dead_letters)?);
        for rows in more {
            let statement = sqlx::query(self.texts.of(rows.text));
            let statement = rows.bind(of_projection(statement, &save.projection));
            session.rows(statement).await.map_err(failed)?;
        }
        Ok(verdict)
    }
}
