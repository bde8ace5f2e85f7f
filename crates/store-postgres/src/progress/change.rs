use super::{
    marked::Marked,
    rewind::RewindStatements,
    save::SaveStatements,
    verdict::{ChangeVerdict, DOING, verdict},
};
use crate::{
    session::Session,
    texts::Texts,
    transaction::{Failed, Statements},
};
use actum_persistence::progress::ProgressChange;

/// A change of progress: a transaction of its own, or a part of one that is [marked](Marked).
pub(super) struct Changing<'a> {
    pub(super) texts: &'a Texts,
    pub(super) change: &'a ProgressChange,
    pub(super) within: Option<Marked<'a>>,
}

impl Statements for Changing<'_> {
    type Done = ChangeVerdict;

    async fn run(&mut self, session: &mut Session) -> Result<ChangeVerdict, Failed> {
        let (texts, within) = (self.texts, self.within);
        match self.change {
            ProgressChange::Save(save) => SaveStatements { texts, save, within }.run(session).await,
            ProgressChange::Rewind(rewind) => match self.see(session).await? {
                ChangeVerdict::Made => RewindStatements { texts, rewind }.run(session).await,
                verdict => Ok(verdict),
            },
            ProgressChange::Nothing => self.see(session).await,
        }
    }
}

impl Changing<'_> {
    /// Sees whether this is the transaction that was begun.
    async fn see(&self, session: &mut Session) -> Result<ChangeVerdict, Failed> {
        let Some(within) = self.within else { return Ok(ChangeVerdict::Made) };
        let query = "SELECT current_setting('actum.tx', TRUE) IS NOT DISTINCT FROM $1, TRUE";
        let rows = session.rows(sqlx::query(query).bind(within.mark)).await;
        verdict(&rows.map_err(|error| Failed::of(DOING, error))?)
    }
}
