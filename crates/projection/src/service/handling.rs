use super::work::{NotDone, WorkLimits};
use crate::{
    definition::Sources,
    handler::{Failed, HandlerError, HandlerPlace, Projector, Target, any_cause},
};
use actum_persistence::{panics::guarded, store::StoreError};
use actum_reader::segment::{Batch, BatchOutcome, FailedBy, error_text};
use std::{error::Error, future::Future, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

/// A projector at work: its clone, and how to get a fresh one.
pub(super) struct Handling<P: Projector> {
    pub(super) projector: P,
    pub(super) original: Arc<P>,
    pub(super) sources: Arc<Sources<P>>,
    pub(super) limits: WorkLimits,
    /// Whether an error says that something cannot be reached.
    pub(super) is_unavailable: fn(&(dyn Error + 'static)) -> bool,
}

/// How far a batch was handled, and why not further.
pub(super) struct Handled {
    pub(super) events: usize,
    pub(super) failure: Option<HandlingFailure>,
}

pub(super) struct HandlingFailure {
    error: Arc<str>,
    cause: FailureCause,
    /// Whether it failed behind the events, when what was begun for them was to be finished.
    pub(super) is_of_flush: bool,
    /// Whether the handler was left in the middle of something.
    pub(super) is_cut_off: bool,
}

enum FailureCause {
    Failed(FailedBy),
    Unavailable,
}

impl HandlingFailure {
    /// What it means for a batch of which nothing is known to be done.
    pub(super) fn somewhere(self) -> BatchOutcome {
        BatchOutcome::FailedSomewhere { error: self.error }
    }

    /// What it means for a batch of which the first `handled` events were handled.
    pub(super) fn outcome(self, handled: usize) -> BatchOutcome {
        let error = self.error;
        match self.cause {
            FailureCause::Unavailable if self.is_of_flush => {
                BatchOutcome::Unavailable { handled: 0, error }
            }
            FailureCause::Unavailable => BatchOutcome::Unavailable { handled, error },
            FailureCause::Failed(_) if self.is_of_flush => BatchOutcome::FailedSomewhere { error },
            FailureCause::Failed(cause) => BatchOutcome::Failed { at: handled, error, cause },
        }
    }
}

impl<P: Projector> Handling<P> {
    /// Handles the events of a batch, one at least, as long as there is time, and finishes what was begun for them.
    pub(super) async fn run(
        &mut self,
        batch: &Batch,
        connection: &mut <P::Target as Target>::Connection,
    ) -> Handled {
        let end = Instant::now() + self.limits.batch_time;
        let mut events = 0;
        for event in &batch.events {
            if events > 0 && (self.limits.hurry.is_set() || Instant::now() >= end) {
                break;
            }
            let live_from = self.limits.live_from.position(batch.lane);
            let place = self.place(event.event.position <= live_from);
            let Some(source) = self.sources.get(event.entity.kind()) else {
                events += 1; // the filter of the reader lets none through
                continue;
            };
            let source = Arc::clone(source);
            let projecting =
                source.project(&mut self.projector, batch.lane, event.clone(), connection, place);
            let ended = in_time(self.limits.handler_timeout, projecting).await;
            let failure = match ended {
                Ok(Ok(())) => None,
                Ok(Err(Failed::Undecodable { error, cause })) => {
                    let cause = FailureCause::Failed(cause);
                    Some(HandlingFailure { error, cause, is_of_flush: false, is_cut_off: false })
                }
                Ok(Err(Failed::Handler(error))) => Some(self.failure(&error, false)),
                Err(cut_off) => Some(self.cut_off(cut_off, false)),
            };
            if let Some(failure) = failure {
                return Handled { events, failure: Some(failure) };
            }
            events += 1;
        }
        let failure = self.flush(connection).await.err();
        Handled { events, failure }
    }

    pub(super) async fn flush(
        &mut self,
        connection: &mut <P::Target as Target>::Connection,
    ) -> Result<(), HandlingFailure> {
        let mut ctx = crate::handler::ProjectCtx::new(connection, self.place(false));
        match in_time(self.limits.handler_timeout, self.projector.flush(&mut ctx)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.failure(&error, true)),
            Err(cut_off) => Err(self.cut_off(cut_off, true)),
        }
    }

    pub(super) fn place(&self, is_replay: bool) -> HandlerPlace {
        let WorkLimits { command_ids, version, .. } = &self.limits;
        let (command_ids, version) = (Arc::clone(command_ids), *version);
        HandlerPlace { command_ids, version, is_replay, event: None }
    }

    fn failure(&self, error: &HandlerError, is_of_flush: bool) -> HandlingFailure {
        let cause = if self.says_unavailable(error) {
            FailureCause::Unavailable
        } else {
            FailureCause::Failed(FailedBy::Handler)
        };
        HandlingFailure { error: error_text(&*error.source), cause, is_of_flush, is_cut_off: false }
    }

    fn cut_off(&mut self, cut_off: CutOff, is_of_flush: bool) -> HandlingFailure {
        self.projector = P::clone(&self.original);
        let cause = FailureCause::Failed(FailedBy::Handler);
        HandlingFailure { error: cut_off.text(), cause, is_of_flush, is_cut_off: true }
    }

    fn says_unavailable(&self, error: &HandlerError) -> bool {
        error.is_unavailable
            || any_cause(&*error.source, |error| says_unavailable(error, self.is_unavailable))
    }
}

/// The outcome of something that is done outside of a batch.
pub(super) fn done(ended: Result<Result<(), HandlerError>, CutOff>) -> Result<(), NotDone> {
    let why = match ended {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error_text(&*error.source),
        Err(cut_off) => cut_off.text(),
    };
    Err(NotDone { why, is_stale: false })
}

fn says_unavailable(
    error: &(dyn Error + 'static),
    of_target: fn(&(dyn Error + 'static)) -> bool,
) -> bool {
    let of_store = error.downcast_ref::<StoreError>();
    of_target(error) || matches!(of_store, Some(StoreError::Unavailable { .. }))
}

/// Runs a handler; says what happened if it panicked or took too long.
pub(super) async fn in_time<R>(
    limit: Duration,
    handler: impl Future<Output = R>,
) -> Result<R, CutOff> {
    match timeout(limit, guarded(handler)).await {
        Ok(Ok(ended)) => Ok(ended),
        Ok(Err(panic)) => Err(CutOff::Panicked(format!("the handler panicked: {panic}").into())),
        Err(_) => {
            Err(CutOff::TimedOut(format!("the handler has not returned within {limit:?}").into()))
        }
    }
}

/// Why a handler was left in the middle of something, in words.
pub(super) enum CutOff {
    Panicked(Arc<str>),
    TimedOut(Arc<str>),
}

impl CutOff {
    pub(super) fn text(self) -> Arc<str> {
        let (Self::Panicked(text) | Self::TimedOut(text)) = self;
        text
    }
}
