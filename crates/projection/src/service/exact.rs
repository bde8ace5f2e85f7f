use super::{
    handling::{Handled, Handling, done, in_time},
    work::{NotDone, Work, WorkLimits, WorkPlace},
};
use crate::{
    definition::Sources,
    handler::{ProjectCtx, Projector, Target},
};
use actum_model::Timestamp;
use actum_persistence::{
    progress::{ExactTarget, ProgressChange, ProgressStore, Rewind, SaveError},
    store::StoreError,
};
use actum_reader::segment::{Batch, BatchOutcome, error_text};
use async_trait::async_trait;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Writes rows and progress in one transaction.
pub(super) struct ExactWorkPlace<P: Projector> {
    pub(super) target: P::Target,
    pub(super) projector: Arc<P>,
    pub(super) sources: Arc<Sources<P>>,
}

struct ExactWork<P: Projector> {
    target: P::Target,
    handling: Handling<P>,
}

/// A target whose two names for its connection are known to be one.
pub trait IsExact: ExactTarget + Target<Connection = <Self as ExactTarget>::Connection> {}

impl<T: ExactTarget + Target<Connection = <T as ExactTarget>::Connection>> IsExact for T {}

/// How much longer a transaction may be open than its handlers may take.
const COMMIT_TIME: Duration = Duration::from_secs(5);

impl<P: Projector<Target = T>, T: IsExact> ExactWorkPlace<P> {
    fn handling(&self, limits: WorkLimits) -> Handling<P> {
        Handling {
            projector: P::clone(&self.projector),
            original: Arc::clone(&self.projector),
            sources: Arc::clone(&self.sources),
            limits,
            is_unavailable: T::is_unavailable,
        }
    }
}

#[async_trait]
impl<P: Projector<Target = T>, T: IsExact> WorkPlace for ExactWorkPlace<P> {
    fn is_exact(&self) -> bool {
        true
    }

    fn progress(&self) -> Option<Arc<dyn ProgressStore>> {
        Some(ExactTarget::progress(&self.target))
    }

    fn worker(&self, _progress: &Arc<dyn ProgressStore>, limits: WorkLimits) -> Box<dyn Work> {
        Box::new(ExactWork { target: self.target.clone(), handling: self.handling(limits) })
    }

    async fn set_up(&self, limits: &WorkLimits) -> Result<(), NotDone> {
        let mut handling = self.handling(limits.clone());
        let mut tx = self.target.begin_set_up(open_max(limits)).await.map_err(not_begun)?;
        let mut ctx = ProjectCtx::new(T::connection(&mut tx), handling.place(false));
        let ended = in_time(limits.handler_timeout, handling.projector.set_up(&mut ctx)).await;
        done(ended)?;
        self.target.commit(tx, &ProgressChange::Nothing).await.map_err(|error| not_saved(&error))
    }

    async fn clear(
        &self,
        _progress: &Arc<dyn ProgressStore>,
        rewind: Rewind,
        limits: &WorkLimits,
    ) -> Result<(), NotDone> {
        let mut handling = self.handling(limits.clone());
        let mut tx = self.target.begin(open_max(limits)).await.map_err(not_begun)?;
        let mut ctx = ProjectCtx::new(T::connection(&mut tx), handling.place(true));
        let ended = in_time(limits.handler_timeout, handling.projector.clear(&mut ctx)).await;
        done(ended)?;
        self.target
            .commit(tx, &ProgressChange::Rewind(rewind))
            .await
            .map_err(|error| not_saved(&error))
    }
}

#[async_trait]
impl<P: Projector<Target = T>, T: IsExact> Work for ExactWork<P> {
    async fn run(&mut self, batch: &Batch) -> BatchOutcome {
        let mut tx = match self.target.begin(open_max(&self.handling.limits)).await {
            Ok(tx) => tx,
            Err(error) => {
                return BatchOutcome::Unavailable { handled: 0, error: error_text(&error) };
            }
        };
        let connection = T::connection(&mut tx);
        let Handled { events, failure } = self.handling.run(batch, connection).await;
        if let Some(failure) = failure {
            if failure.is_cut_off {
                drop(tx); // a statement may still run
            } else {
                self.target.rollback(tx).await;
            }
            return failure.outcome(events);
        }
        let save = batch.save(events, Timestamp::from(SystemTime::now()));
        match self.target.commit(tx, &ProgressChange::Save(save)).await {
            Ok(()) => BatchOutcome::Saved { handled: events },
            Err(error) => not_kept(&error, events),
        }
    }
}

/// What it means for a batch that a save of its first `handled` events has failed.
pub(super) fn not_kept(error: &SaveError, handled: usize) -> BatchOutcome {
    let text = error_text(error);
    match error {
        SaveError::Stale => BatchOutcome::Stale,
        SaveError::Broken { cause: Some(StoreError::Unavailable { .. }) } => {
            BatchOutcome::Unavailable { handled, error: text }
        }
        SaveError::Broken { .. } => BatchOutcome::FailedSomewhere { error: text },
        SaveError::Store(StoreError::OutcomeUnknown { .. }) => {
            BatchOutcome::Unknown { error: text }
        }
        _ => BatchOutcome::Unavailable { handled, error: text },
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it takes what `map_err` gives")]
fn not_begun(error: StoreError) -> NotDone {
    NotDone { why: error_text(&error), is_stale: false }
}

pub(super) fn not_saved(error: &SaveError) -> NotDone {
    NotDone { why: error_text(error), is_stale: matches!(error, SaveError::Stale) }
}

fn open_max(limits: &WorkLimits) -> Duration {
    limits.batch_time + limits.handler_timeout + COMMIT_TIME
}
