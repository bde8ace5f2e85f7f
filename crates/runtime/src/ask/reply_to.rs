use super::answer_slot::AnswerSlot;
use crate::{AskError, Receipt, cell::OpenAsk};
use actum_persistence::{
    error_chain::full_text,
    panics::{guard, log_safely},
};
use std::{error::Error, sync::Arc};
use tracing::Span;

/// What a caller gets in the end.
pub(crate) type Answer<R, X> = Result<(R, Receipt), AskError<X>>;

/// Where an answer goes: to a caller who waits, or into the log when nobody does. Exactly once.
pub(crate) struct ReplyTo<R, X: Error + 'static> {
    waiting: Option<Arc<AnswerSlot<R, X>>>,
    told: bool,
    span: Span,
}

impl<R, X: Error + 'static> ReplyTo<R, X> {
    pub(crate) fn caller(slot: Arc<AnswerSlot<R, X>>, span: Span) -> Self {
        Self { waiting: Some(slot), told: false, span }
    }

    pub(crate) fn nobody(span: Span) -> Self {
        Self { waiting: None, told: true, span }
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Marks the command as begun; says whether it may be: not when its caller was told that it was not.
    pub(crate) fn begin(&self) -> bool {
        self.waiting.as_ref().is_none_or(|slot| slot.begin())
    }

    /// The caller's wait, where somebody waits.
    pub(crate) fn open_ask(&self) -> Option<Arc<dyn OpenAsk>>
    where
        R: Send + 'static,
        X: Send + 'static,
    {
        let slot = Arc::clone(self.waiting.as_ref()?);
        Some(slot)
    }

    /// Whether the answer is still owed.
    pub(crate) fn is_open(&self) -> bool {
        self.waiting.is_some() || self.told
    }

    /// The caller was told in another way.
    pub(crate) fn forget(&mut self) {
        self.waiting = None;
        self.told = false;
    }

    /// Sends the answer. Nothing of the user's in it can make this panic: neither its text nor its end, nor the waking
    /// of a caller.
    pub(crate) fn send(&mut self, answer: Answer<R, X>) {
        if !self.span.is_disabled() {
            log_safely(|| {
                self.span.record("outcome", outcome(&answer));
            });
        }
        if std::mem::take(&mut self.told)
            && let Err(error) = &answer
            && let Err(panic) = guard(|| self.log(error))
        {
            log_safely(|| {
                tracing::error!(panic, "logging the failure of a command sent by `tell` panicked");
            });
        }
        match self.waiting.take() {
            Some(slot) => discard(|| slot.settle(answer)), // the caller may have gone: its own choice
            None => discard(|| answer),
        }
    }

    /// Nobody waits for the answer, so the log is where it is not lost.
    fn log(&self, error: &AskError<X>) {
        let _entered = self.span.enter();
        match error {
            AskError::Rejected(rejection) => {
                tracing::debug!(%rejection, "command sent by `tell` was rejected");
            }
            error => {
                tracing::warn!(error = %full_text(error), "command sent by `tell` failed");
            }
        }
    }
}

/// Drops a value of the user's, in the midst of a partition that must not fail with it.
pub(super) fn discard<T>(value: impl FnOnce() -> T) {
    if let Err(panic) = guard(|| drop(value())) {
        log_safely(|| tracing::error!(panic, "dropping a command or its answer panicked"));
    }
}

fn outcome<R, X>(answer: &Answer<R, X>) -> &'static str {
    match answer {
        Ok(_) => "replied",
        Err(AskError::Rejected(_)) => "rejected",
        Err(AskError::Overloaded { .. }) => "overloaded",
        Err(AskError::Timeout { .. }) => "timeout",
        Err(AskError::RevisionMismatch { .. }) => "revision_mismatch",
        Err(AskError::Conflict { .. }) => "conflict",
        Err(AskError::Unavailable { .. }) => "unavailable",
        Err(AskError::OutcomeUnknown { .. }) => "outcome_unknown",
        Err(AskError::CommandIdReused { .. }) => "command_id_reused",
        Err(AskError::ReplyDeleted { .. }) => "reply_deleted",
        Err(AskError::Corrupt { .. }) => "corrupt",
        Err(AskError::Invalid { .. }) => "invalid",
        Err(AskError::Panicked { .. }) => "panicked",
    }
}
