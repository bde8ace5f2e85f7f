use super::RegisteredProjection;
use crate::service::{Needed, ProjectionError};
use actum_model::Offset;
use actum_persistence::{
    progress::{PROJECTIONS_AT_ONCE_MAX, ProgressStore, ProjectionId, StoredProjection},
    store::{EventStore, StoreError},
};
use actum_reader::share_out::{SeenRenewals, is_replaced};
use parking_lot::Mutex;
use std::{collections::HashMap, fmt, mem, sync::Arc, time::Duration};
use tokio::time::Instant;

/// What is kept beside a journal of all who read it. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    events: Arc<dyn EventStore>,
    progress: Arc<dyn ProgressStore>,
    me: Arc<str>,
    /// When it began, by which it counts time.
    began: Instant,
    /// What was seen of each.
    seen: Arc<Mutex<HashMap<ProjectionId, SeenReader>>>,
}

/// What was seen of one that is kept.
#[derive(Default)]
struct SeenReader {
    /// The renewals of its runners.
    renewals: SeenRenewals,
    needed: Needed,
}

/// One that is kept, and up to where it needs no event any more.
pub(super) struct KeptReader {
    pub(super) registered: RegisteredProjection,
    pub(super) needed: Offset,
}

/// How long a runner is taken for alive that does not renew.
const ALIVE: Duration = Duration::from_secs(60);

impl Registry {
    /// That of a journal, for the runner `me` of an engine.
    #[must_use]
    pub fn new(
        events: Arc<dyn EventStore>,
        progress: Arc<dyn ProgressStore>,
        me: Arc<str>,
    ) -> Self {
        Self { events, progress, me, began: Instant::now(), seen: Arc::default() }
    }

    /// All that are kept in the database of the journal, in the order of their names and versions.
    ///
    /// # Errors
    /// [`ProjectionError::Store`] when the store fails.
    pub async fn list(&self) -> Result<Vec<RegisteredProjection>, ProjectionError> {
        Ok(self.kept().await?.into_iter().map(|kept| kept.registered).collect())
    }

    /// Deletes what is kept of one that no one runs, so that it holds back nothing any more; also of one whose progress is
    /// damaged, which no one can run. What it has written stays. It is no error if nothing is kept of it.
    ///
    /// # Errors
    /// [`ProjectionError::IsRun`] when someone runs it, or may: one that was seen a minute ago at the earliest, and has not
    /// shown since that it is dead. Otherwise when the store fails.
    pub async fn forget(&self, id: &ProjectionId) -> Result<(), ProjectionError> {
        match self.progress.load(id).await {
            Ok(None) => return Ok(()),
            Ok(Some(stored)) => {
                if let Some(runner) = self.alive(&stored).into_iter().next() {
                    return Err(ProjectionError::IsRun { name: id.to_string(), runner });
                }
            }
            // no one can run it, and as long as it is there it is not known what is needed
            Err(StoreError::Corrupt { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.progress.delete(id).await?)
    }

    /// Those that read events of this journal: progress of another one is left out, and that of projections of durable
    /// states, which hold back nothing.
    pub(super) async fn kept(&self) -> Result<Vec<KeptReader>, StoreError> {
        let ids = self.progress.projections().await?;
        self.seen.lock().retain(|id, _| ids.contains(id));
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let heads = self.events.heads().await?;
        let mut all = Vec::with_capacity(ids.len());
        for ids in ids.chunks(PROJECTIONS_AT_ONCE_MAX) {
            for stored in self.progress.load_all(ids).await? {
                let Some(stored) = stored? else { continue };
                if stored.layout == self.events.layout() && !stored.reads_states() {
                    all.push(self.of(stored, &heads).await?);
                }
            }
        }
        Ok(all)
    }

    async fn of(&self, stored: StoredProjection, heads: &Offset) -> Result<KeptReader, StoreError> {
        let needed = self.needed(&stored).await?;
        let behind = |offset: &Offset| {
            let lanes = heads.positions().iter().zip(offset.positions());
            lanes.map(|(head, at)| head.get().saturating_sub(at.get())).sum()
        };
        let registered = RegisteredProjection {
            is_active: stored.is_active,
            lag: behind(&stored.read_to()),
            holds_back: behind(&needed),
            parked: stored.parked,
            dead_letters: stored.dead_letters,
            runners: self.alive(&stored),
            id: stored.id,
        };
        Ok(KeptReader { registered, needed })
    }

    async fn needed(&self, stored: &StoredProjection) -> Result<Offset, StoreError> {
        let known = self.seen.lock().get_mut(&stored.id).map(|seen| mem::take(&mut seen.needed));
        let mut known = known.unwrap_or_default();
        let needed = known.of(&*self.progress, stored).await?.clone();
        self.seen.lock().entry(stored.id.clone()).or_default().needed = known;
        Ok(needed)
    }

    /// Its runners that live, as far as is known.
    fn alive(&self, stored: &StoredProjection) -> Vec<Arc<str>> {
        let (now, mut seen) = (self.began.elapsed(), self.seen.lock());
        let seen = &mut seen.entry(stored.id.clone()).or_default().renewals;
        seen.see(&stored.runners, now);
        let lives = |name: &str| {
            seen.unchanged(name, now).is_some_and(|unchanged| unchanged < ALIVE)
                && !is_replaced(name, &self.me)
        };
        let names = stored.runners.iter().map(|row| &row.name);
        names.filter(|name| lives(name)).cloned().collect()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("me", &self.me).finish_non_exhaustive()
    }
}
