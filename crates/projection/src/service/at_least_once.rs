use super::{
    exact::{not_kept, not_saved},
    handling::{Handled, Handling, done, in_time},
    work::{NotDone, Work, WorkLimits, WorkPlace},
};
use crate::{
    definition::Sources,
    handler::{AtLeastOnce, ProjectCtx, Projector},
};
use actum_model::Timestamp;
use actum_persistence::progress::{ProgressChange, ProgressStore, Rewind};
use actum_reader::segment::{Batch, BatchOutcome};
use async_trait::async_trait;
use std::{sync::Arc, time::SystemTime};

/// Lets handlers reach what they write to, and saves the progress behind them.
pub(super) struct AtLeastOnceWorkPlace<P: Projector> {
    pub(super) projector: Arc<P>,
    pub(super) sources: Arc<Sources<P>>,
}

struct AtLeastOnceWork<P: Projector> {
    progress: Arc<dyn ProgressStore>,
    handling: Handling<P>,
}

impl<P: Projector<Target = AtLeastOnce>> AtLeastOnceWorkPlace<P> {
    fn handling(&self, limits: WorkLimits) -> Handling<P> {
        Handling {
            projector: P::clone(&self.projector),
            original: Arc::clone(&self.projector),
            sources: Arc::clone(&self.sources),
            limits,
            is_unavailable: |_| false,
        }
    }
}

#[async_trait]
impl<P: Projector<Target = AtLeastOnce>> WorkPlace for AtLeastOnceWorkPlace<P> {
    fn is_exact(&self) -> bool {
        false
    }

    fn progress(&self) -> Option<Arc<dyn ProgressStore>> {
        None
    }

    fn worker(&self, progress: &Arc<dyn ProgressStore>, limits: WorkLimits) -> Box<dyn Work> {
        Box::new(AtLeastOnceWork {
            progress: Arc::clone(progress),
            handling: self.handling(limits),
        })
    }

    async fn set_up(&self, limits: &WorkLimits) -> Result<(), NotDone> {
        let mut handling = self.handling(limits.clone());
        let mut nothing = ();
        let mut ctx = ProjectCtx::new(&mut nothing, handling.place(false));
        let ended = in_time(limits.handler_timeout, handling.projector.set_up(&mut ctx)).await;
        done(ended)
    }

    async fn clear(
        &self,
        progress: &Arc<dyn ProgressStore>,
        rewind: Rewind,
        limits: &WorkLimits,
    ) -> Result<(), NotDone> {
        let mut handling = self.handling(limits.clone());
        let mut nothing = ();
        let mut ctx = ProjectCtx::new(&mut nothing, handling.place(true));
        let ended = in_time(limits.handler_timeout, handling.projector.clear(&mut ctx)).await;
        done(ended)?;
        progress.change(&ProgressChange::Rewind(rewind)).await.map_err(|error| not_saved(&error))
    }
}

#[async_trait]
impl<P: Projector<Target = AtLeastOnce>> Work for AtLeastOnceWork<P> {
    async fn run(&mut self, batch: &Batch) -> BatchOutcome {
        let Handled { events, failure } = self.handling.run(batch, &mut ()).await;
        if let Some(failure) = failure {
            // what the handler had begun for those in front of it, and not finished, went with it
            if events > 0 && failure.is_cut_off {
                return failure.somewhere();
            }
            // what was begun for those in front of it is finished, so that they need not come again
            if events > 0
                && !failure.is_of_flush
                && let Err(flush) = self.handling.flush(&mut ()).await
            {
                return flush.outcome(events);
            }
            return failure.outcome(events);
        }
        save(&*self.progress, batch, events).await
    }
}

/// Saves the progress over the first `handled` events of a batch, which are done.
pub(super) async fn save(
    progress: &dyn ProgressStore,
    batch: &Batch,
    handled: usize,
) -> BatchOutcome {
    let save = batch.save(handled, Timestamp::from(SystemTime::now()));
    match progress.change(&ProgressChange::Save(save)).await {
        Ok(()) => BatchOutcome::Saved { handled },
        Err(error) => not_kept(&error, handled),
    }
}
