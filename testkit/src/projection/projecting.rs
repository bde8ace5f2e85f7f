use super::given_journal::GivenJournal;
use actum_model::Offset;
use actum_persistence::progress::KeepsProgress;
use actum_projection::{
    JournalPlace, ProjectionError, ProjectionRef, ProjectionRegistration, ProjectionService,
    ProjectionState, ReadShare, ServiceParts, StartAt, WaitError,
};
use async_trait::async_trait;
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// A projection that runs over a journal until this is dropped.
pub(super) struct Projecting {
    projection: ProjectionRef,
    pub(super) is_exact: bool,
    /// Ends it when it is dropped.
    _ending: watch::Sender<()>,
}

struct Place(watch::Receiver<()>);

/// How often is checked whether something has failed.
const CHECK_EVERY: Duration = Duration::from_millis(20);
/// Longer than handlers may take by default.
const PATIENCE: Duration = Duration::from_secs(60);

impl Projecting {
    pub(super) async fn start(journal: &GivenJournal, projection: ProjectionRegistration) -> Self {
        let problems = ProjectionRegistration::problems(std::slice::from_ref(&projection));
        assert!(problems.is_empty(), "when projected: {}", problems.join("; "));
        let (_ending, ended) = watch::channel(());
        let parts = ServiceParts {
            runner: "test@1".into(),
            events: Arc::new(journal.store.clone()),
            states: Arc::new(journal.store.clone()),
            progress: journal.store.progress(),
            commits: None,
            share: ReadShare::default(),
        };
        let (name, is_exact) = (projection.name().to_owned(), projection.is_exact());
        let service = ProjectionService::start(parts, vec![(projection, Arc::new(Place(ended)))])
            .await
            .expect("a journal in memory can be read");
        Self { projection: service.projection(&name), is_exact, _ending }
    }

    /// Waits until everything is handled.
    ///
    /// # Errors
    /// What was not handled, and why.
    pub(super) async fn finished(&self) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let waited = self.projection.caught_up(CHECK_EVERY).await;
            if let Some(why) = self.trouble().await {
                return Err(why);
            }
            match waited {
                Ok(()) if self.is_running().await => break,
                Ok(()) => sleep(CHECK_EVERY).await, // it has handled all before, and has not begun yet
                Err(WaitError::Timeout { .. }) if Instant::now() < end => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        self.left_out().await.map_or(Ok(()), Err)
    }

    /// Why it does not go on, if it does not.
    async fn trouble(&self) -> Option<String> {
        match self.projection.status().await {
            Ok(status) => match status.state {
                ProjectionState::Waiting { why }
                | ProjectionState::Stopped { why }
                | ProjectionState::Failed { why }
                | ProjectionState::Starting { waits: Some(why) } => Some(why.to_string()),
                _ => None,
            },
            Err(ProjectionError::NotStarted { why, .. }) => why.map(|why| why.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    async fn is_running(&self) -> bool {
        self.projection.status().await.is_ok_and(|status| status.state == ProjectionState::Running)
    }

    /// What was parked or skipped.
    async fn left_out(&self) -> Option<String> {
        let (parked, letters) =
            (self.projection.parked(None, 1).await, self.projection.dead_letters(None, 1).await);
        match (parked, letters) {
            (Err(error), _) | (_, Err(error)) => Some(error.to_string()),
            (Ok(parked), Ok(letters)) => {
                let parked = parked.first().map(|it| (&it.entity, it.from, &it.error));
                let letter = letters.first().map(|it| (&it.entity, it.sequence_nr, &it.error));
                let (entity, nr, error) = parked.or(letter)?;
                Some(format!("event {nr} of {entity}: {error}"))
            }
        }
    }

    /// Has everything handled again: where rows and progress are one, after the rows were removed.
    ///
    /// # Errors
    /// Why that was not done.
    pub(super) async fn again(&self) -> Result<(), String> {
        let begun = if self.is_exact {
            self.projection.reset().await
        } else {
            self.projection.rewind(StartAt::Beginning).await
        };
        begun.map_err(|error| error.to_string())?;
        self.finished().await
    }
}

#[async_trait]
impl JournalPlace for Place {
    fn has_read(&self, _: &Offset) {}

    async fn ending(&self) {
        let _ = self.0.clone().changed().await; // by an error: the sender is gone
    }
}

impl fmt::Debug for Projecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.projection, f)
    }
}
