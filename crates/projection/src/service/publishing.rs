use super::{
    at_least_once::save,
    exact::not_saved,
    handling::{CutOff, in_time},
    work::{NEVER, NotDone, Work, WorkLimits, WorkPlace},
};
use crate::{
    definition::Sources,
    handler::{Failed, HandlerPlace, ProjectCtx, Projector as _},
    publisher::{Message, Publisher, Publishing, Unpublished},
};
use actum_persistence::progress::{ProgressChange, ProgressStore, Rewind};
use actum_reader::segment::{Batch, BatchOutcome, FailedBy, error_text};
use async_trait::async_trait;
use std::{num::NonZeroUsize, sync::Arc};
use tokio::time::Instant;

/// Publishes events, and saves the progress behind them.
pub(super) struct PublishingWorkPlace<P: Publisher> {
    pub(super) projector: Arc<Publishing<P>>,
    pub(super) sources: Arc<Sources<Publishing<P>>>,
}

struct PublishingWork<P: Publisher> {
    progress: Arc<dyn ProgressStore>,
    original: Arc<Publishing<P>>,
    projector: Publishing<P>,
    sources: Arc<Sources<Publishing<P>>>,
    limits: WorkLimits,
    /// How many messages are published at once: fewer while that takes too long.
    at_once: NonZeroUsize,
}

/// Why not all of a batch was published.
enum PublishFailure {
    /// Event `at`, and those in front of it are published.
    Event { at: usize, error: Arc<str>, cause: FailedBy },
    /// One of those that were tried together behind the first `published`.
    Somewhere { published: usize, error: Arc<str> },
    /// None of them.
    Unavailable { published: usize, error: Arc<str> },
}

#[async_trait]
impl<P: Publisher> WorkPlace for PublishingWorkPlace<P> {
    fn is_exact(&self) -> bool {
        false
    }

    fn progress(&self) -> Option<Arc<dyn ProgressStore>> {
        None
    }

    fn has_rows(&self) -> bool {
        false
    }

    fn worker(&self, progress: &Arc<dyn ProgressStore>, limits: WorkLimits) -> Box<dyn Work> {
        Box::new(PublishingWork {
            progress: Arc::clone(progress),
            original: Arc::clone(&self.projector),
            projector: Publishing::clone(&self.projector),
            sources: Arc::clone(&self.sources),
            limits,
            at_once: self.projector.publisher.messages_max(),
        })
    }

    async fn set_up(&self, limits: &WorkLimits) -> Result<(), NotDone> {
        let mut publisher = self.projector.publisher.clone();
        let why = match in_time(limits.handler_timeout, publisher.set_up()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error_text(&error),
            Err(cut_off) => cut_off.text(),
        };
        Err(NotDone { why, is_stale: false })
    }

    async fn clear(
        &self,
        progress: &Arc<dyn ProgressStore>,
        rewind: Rewind,
        limits: &WorkLimits,
    ) -> Result<(), NotDone> {
        let (mut projector, mut messages) = (Publishing::clone(&self.projector), Vec::new());
        let mut ctx = ProjectCtx::new(&mut messages, place(limits, true));
        let cleared = projector.clear(&mut ctx).await;
        cleared.map_err(|error| NotDone { why: error_text(&*error.source), is_stale: false })?;
        progress.change(&ProgressChange::Rewind(rewind)).await.map_err(|error| not_saved(&error))
    }
}

#[async_trait]
impl<P: Publisher> Work for PublishingWork<P> {
    async fn run(&mut self, batch: &Batch) -> BatchOutcome {
        if self.limits.live_from.position(batch.lane) == NEVER {
            // another version is active, and has published them
            return save(&*self.progress, batch, batch.events.len()).await;
        }
        let published = match self.publish_all(batch).await {
            Ok(published) => published,
            Err(PublishFailure::Event { at, error, cause }) => {
                return BatchOutcome::Failed { at, error, cause };
            }
            Err(PublishFailure::Unavailable { published, error }) => {
                return BatchOutcome::Unavailable { handled: published, error };
            }
            Err(PublishFailure::Somewhere { published: 0, error }) => {
                return BatchOutcome::FailedSomewhere { error };
            }
            // those are saved, and what has failed is the next batch
            Err(PublishFailure::Somewhere { published, .. }) => published,
        };
        save(&*self.progress, batch, published).await
    }
}

impl<P: Publisher> PublishingWork<P> {
    /// Publishes the events of a batch, one at least, as long as there is time; says how many.
    async fn publish_all(&mut self, batch: &Batch) -> Result<usize, PublishFailure> {
        let end = Instant::now() + self.limits.batch_time;
        let mut published = 0;
        while published < batch.events.len() {
            if published > 0 && (self.limits.hurry.is_set() || Instant::now() >= end) {
                break;
            }
            let (messages, failure) = self.messages(batch, published).await;
            if !messages.is_empty() {
                self.publish(&messages, published).await?;
                published += messages.len();
            }
            if let Some(failure) = failure {
                return Err(failure);
            }
        }
        Ok(published)
    }

    /// The messages of the next events, which begin with event `first`, and what is wrong with the one behind them.
    async fn messages(
        &mut self,
        batch: &Batch,
        first: usize,
    ) -> (Vec<Message>, Option<PublishFailure>) {
        let mut messages = Vec::new();
        for (at, event) in batch.events.iter().enumerate().skip(first).take(self.at_once.get()) {
            let live_from = self.limits.live_from.position(batch.lane);
            let place = place(&self.limits, event.event.position <= live_from);
            let Some(source) = self.sources.get(event.entity.kind()) else {
                let error = format!("{} is of a kind that it does not publish", event.entity);
                let (error, cause) = (error.into(), FailedBy::Damage);
                return (messages, Some(PublishFailure::Event { at, error, cause }));
            };
            let source = Arc::clone(source);
            let (lane, event) = (batch.lane, event.clone());
            let making = source.project(&mut self.projector, lane, event, &mut messages, place);
            let (error, cause) = match in_time(self.limits.handler_timeout, making).await {
                Ok(Ok(())) => continue,
                Ok(Err(Failed::Undecodable { error, cause })) => (error, cause),
                Ok(Err(Failed::Handler(error))) => (error_text(&*error.source), FailedBy::Handler),
                Err(cut_off) => (cut_off.text(), FailedBy::Handler),
            };
            messages.truncate(at - first);
            return (messages, Some(PublishFailure::Event { at, error, cause }));
        }
        (messages, None)
    }

    /// Publishes messages behind the first `published` of a batch.
    async fn publish(
        &mut self,
        messages: &[Message],
        published: usize,
    ) -> Result<(), PublishFailure> {
        let publishing = self.projector.publisher.publish(messages);
        let ended = in_time(self.limits.handler_timeout, publishing).await;
        let error = match ended {
            Ok(Ok(())) => {
                let most = self.original.publisher.messages_max();
                self.at_once = self.at_once.saturating_mul(TWO).min(most);
                return Ok(());
            }
            Ok(Err(error)) => error,
            Err(CutOff::TimedOut(error)) => {
                self.projector = Publishing::clone(&self.original);
                self.at_once = half(messages.len());
                return Err(PublishFailure::Unavailable { published, error });
            }
            Err(CutOff::Panicked(error)) => {
                self.projector = Publishing::clone(&self.original);
                return Err(PublishFailure::Somewhere { published, error });
            }
        };
        let text = error_text(&*error.source);
        Err(match error.what {
            Unpublished::Unavailable => PublishFailure::Unavailable { published, error: text },
            Unpublished::Rejected(at) if at < messages.len() => {
                let (at, cause) = (published + at, FailedBy::Handler);
                PublishFailure::Event { at, error: text, cause }
            }
            Unpublished::Rejected(_) => PublishFailure::Somewhere { published, error: text },
        })
    }
}

const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("it is not zero");

fn half(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count / 2).unwrap_or(NonZeroUsize::MIN)
}

fn place(limits: &WorkLimits, is_replay: bool) -> HandlerPlace {
    let (command_ids, version) = (Arc::clone(&limits.command_ids), limits.version);
    HandlerPlace { command_ids, version, is_replay, event: None }
}
