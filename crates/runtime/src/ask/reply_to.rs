use crate::{AskError, Receipt};
use actum_persistence::{error_chain::full_text, panics::guard};
use std::error::Error;
use tokio::sync::oneshot;
use tracing::Span;

/// What a caller gets in the end.
pub(crate) type Answer<R, X> = Result<(R, Receipt), AskError<X>>;

/// Where an answer goes: to a caller who waits, or into the log when nobody does. Exactly once.
pub(crate) struct ReplyTo<R, X: Error + 'static> {
    waiting: Option<oneshot::Sender<Answer<R, X>>>,
    told: bool,
    span: Span,
}

impl<R, X: Error + 'static> ReplyTo<R, X> {
    pub(crate) fn caller(sender: oneshot::Sender<Answer<R, X>>, span: Span) -> Self {
        Self { waiting: Some(sender), told: false, span }
    }

    pub(crate) fn nobody(span: Span) -> Self {
        Self { waiting: None, told: true, span }
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
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
            self.span.record("outcome", outcome(&answer));
        }
        if std::mem::take(&mut self.told)
            && let Err(error) = &answer
            && let Err(panic) = guard(|| self.log(error))
        {
            tracing::error!(panic, "logging the failure of a told command panicked");
        }
        match self.waiting.take() {
            Some(sender) => discard(|| sender.send(answer)), // the caller may have gone: its own choice
            None => discard(|| answer),
        }
    }

    /// Nobody waits for the answer, so the log is where it is not lost.
    fn log(&self, error: &AskError<X>) {
        let _entered = self.span.enter();
        match error {
            AskError::Rejected(rejection) => {
                tracing::debug!(%rejection, "told command was rejected");
            }
            error => {
                tracing::warn!(error = %full_text(error), "told command failed");
            }
        }
    }
}

/// Drops a value of the user's, in the midst of a partition that must not fail with it.
pub(super) fn discard<T>(value: impl FnOnce() -> T) {
    if let Err(panic) = guard(|| drop(value())) {
        tracing::error!(panic, "dropping a command or its answer panicked");
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
        Err(AskError::Corrupt { .. }) => "corrupt",
        Err(AskError::Invalid { .. }) => "invalid",
        Err(AskError::Panicked { .. }) => "panicked",
    }
}
