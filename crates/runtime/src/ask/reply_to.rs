use crate::{AskError, Receipt};
use std::error::Error;
use tokio::sync::oneshot;
use tracing::Span;

/// What a caller gets in the end.
pub(crate) type Answer<R, X> = Result<(R, Receipt), AskError<X>>;

/// Where an answer goes: to a caller who waits, or into the log when nobody does. Exactly once.
pub(crate) struct ReplyTo<R, X: Error> {
    waiting: Option<oneshot::Sender<Answer<R, X>>>,
    told: bool,
    span: Span,
}

impl<R, X: Error> ReplyTo<R, X> {
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

    pub(crate) fn send(&mut self, answer: Answer<R, X>) {
        if !self.span.is_disabled() {
            self.span.record("outcome", outcome(&answer));
        }
        if std::mem::take(&mut self.told)
            && let Err(error) = &answer
        {
            // nobody waits for the answer, so the log is where it is not lost
            let _entered = self.span.enter();
            match error {
                AskError::Rejected(rejection) => {
                    tracing::debug!(%rejection, "told command was rejected");
                }
                error => {
                    tracing::warn!(%error, "told command failed");
                }
            }
        }
        if let Some(sender) = self.waiting.take() {
            let _ = sender.send(answer); // the caller may have gone: its own choice
        }
    }
}

fn outcome<R, X>(answer: &Answer<R, X>) -> &'static str {
    match answer {
        Ok(_) => "replied",
        Err(AskError::Rejected(_)) => "rejected",
        Err(AskError::Overloaded { .. }) => "overloaded",
        Err(AskError::Timeout { .. }) => "timeout",
        Err(AskError::Conflict { .. }) => "conflict",
        Err(AskError::Unavailable { .. }) => "unavailable",
        Err(AskError::OutcomeUnknown { .. }) => "outcome_unknown",
        Err(AskError::Corrupt { .. }) => "corrupt",
        Err(AskError::Invalid { .. }) => "invalid",
        Err(AskError::Panicked { .. }) => "panicked",
    }
}
