use super::{database::ProgressDatabase, enter::LOCK_NAME, load, segment_locks::Locking};
use crate::{
    fault::store_error,
    row::Row,
    session::Session,
    texts::Texts,
    transaction::{Failed, Statements},
};
use actum_persistence::{
    progress::{Activation, ProjectionId, ReadProgress, SaveError, StoredProjection},
    store::StoredRow,
};
use std::num::NonZeroU32;

const DOING: &str = "activating a version of a projection";

/// `$2` is not asked for: every statement about a projection has it.
const ACTIVE: &str = "SELECT version FROM @projections WHERE name = $1 AND is_active AND $2 > 0";

const DEACTIVATE: &str =
    "UPDATE @projections SET is_active = FALSE WHERE name = $1 AND version = $2";

const ACTIVATE: &str =
    "UPDATE @projections SET is_active = TRUE, live_from = $3 WHERE name = $1 AND version = $2";

const FREE: &str =
    "UPDATE @segments SET epoch = epoch + 1, owner = NULL WHERE name = $1 AND version = $2";

impl ProgressDatabase {
    pub(super) async fn activate(&self, activation: &Activation) -> Result<(), SaveError> {
        let is_done = self.run(DOING, Activating { texts: &self.texts, activation }).await?;
        if is_done { Ok(()) } else { Err(SaveError::Stale) }
    }
}

struct Activating<'a> {
    texts: &'a Texts,
    activation: &'a Activation,
}

impl Statements for Activating<'_> {
    /// Whether everything was as it was seen.
    type Done = bool;

    async fn run(&mut self, session: &mut Session) -> Result<bool, Failed> {
        let id = &self.activation.projection;
        let own = self.locking(id);
        // no version comes, goes or becomes active until this ends
        own.rows(session, own.statement(LOCK_NAME)).await?;
        let active = own.rows(session, own.statement(ACTIVE)).await?;
        let active = active.first().map(|row| version_of(id, row)).transpose();
        let active = active.map_err(|error| store_error(DOING, error))?;
        // saves that are under way are waited for: they say where live begins
        let mut versions: Vec<_> = active.iter().chain([id]).collect();
        versions.sort_unstable();
        for version in versions {
            self.locking(version).lock(session).await?;
        }
        let former = match &active {
            Some(active) => self.load(session, active).await?,
            None => None,
        };
        let version = self.load(session, id).await?;
        let live_from = self.activation.live_from(version.as_ref(), former.as_ref());
        let Ok(live_from) = live_from else { return Ok(false) };
        if let Some(active) = &active {
            let locking = self.locking(active);
            for statement in [DEACTIVATE, FREE] {
                locking.rows(session, locking.statement(statement)).await?;
            }
        }
        let live_from = ReadProgress::behind(live_from).to_string();
        own.rows(session, own.statement(ACTIVATE).bind(live_from)).await?;
        own.rows(session, own.statement(FREE)).await?;
        Ok(true)
    }
}

impl Activating<'_> {
    fn locking<'b>(&'b self, projection: &'b ProjectionId) -> Locking<'b> {
        Locking { doing: DOING, texts: self.texts, projection }
    }

    async fn load(
        &self,
        session: &mut Session,
        projection: &ProjectionId,
    ) -> Result<Option<StoredProjection>, Failed> {
        let locking = self.locking(projection);
        let load = load::statement(self.texts, std::slice::from_ref(projection));
        Ok(load::stored_one(projection, &locking.rows(session, load).await?)?)
    }
}

fn version_of(id: &ProjectionId, row: &Row) -> Result<ProjectionId, sqlx::Error> {
    let version = u32::try_from(row.number(0)?).ok().and_then(NonZeroU32::new);
    let version = version.ok_or_else(|| Row::damaged(0, "it is not a version"))?;
    ProjectionId::new(id.name(), version).map_err(|error| Row::damaged(0, error.to_string()))
}
