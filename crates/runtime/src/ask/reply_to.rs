use super::{TellFailures, answer::Answer, answer_slot::AnswerSlot};
use actum_host::{AskError, cell::OpenAsk};
use actum_persistence::{
    error_chain::full_text,
    panics::{guard, log_safely},
};
use std::{error::Error, sync::Arc};
use tracing::Span;

/// Where an answer goes: to a caller who waits, or into the log when no one does. Exactly once.
pub(crate) struct ReplyTo<R, X: Error + 'static> {
    to: To<R, X>,
    span: Span,
}

enum To<R, X: Error + 'static> {
    Caller(Arc<AnswerSlot<R, X>>),
    /// The command of this manifest was sent by `tell`.
    Log(&'static str, Arc<TellFailures>),
    /// It was answered.
    Nowhere,
}

impl<R, X: Error + 'static> ReplyTo<R, X> {
    pub(crate) fn caller(slot: Arc<AnswerSlot<R, X>>, span: Span) -> Self {
        Self { to: To::Caller(slot), span }
    }

    pub(crate) fn log(command: &'static str, failures: Arc<TellFailures>, span: Span) -> Self {
        Self { to: To::Log(command, failures), span }
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Marks the command as begun; says whether it may be: not when its caller has the answer that it was not.
    pub(crate) fn begin(&self) -> bool {
        if let To::Caller(slot) = &self.to { slot.begin() } else { true }
    }

    /// The caller's wait, if there is one.
    pub(crate) fn open_ask(&self) -> Option<Arc<dyn OpenAsk>>
    where
        R: Send + 'static,
        X: Send + 'static,
    {
        let To::Caller(slot) = &self.to else { return None };
        let slot = Arc::clone(slot);
        Some(slot)
    }

    /// Whether the answer is still owed.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.to, To::Nowhere)
    }

    /// The caller got its answer in another way.
    pub(crate) fn forget(&mut self) {
        self.to = To::Nowhere;
    }

    /// Sends the answer. Nothing of the user's in it can make this panic: neither its text nor its end, nor the waking
    /// of a caller.
    pub(crate) fn send(&mut self, answer: Answer<R, X>) {
        if !self.span.is_disabled() {
            log_safely(|| {
                self.span.record("outcome", outcome(&answer));
            });
        }
        match std::mem::replace(&mut self.to, To::Nowhere) {
            To::Caller(slot) => discard(|| slot.settle(answer)), // the caller may have gone: its own choice
            To::Log(command, failures) => {
                let _entered = self.span.enter();
                if let Err(panic) = guard(|| log(command, &answer, &failures)) {
                    log_safely(|| {
                        tracing::error!(
                            panic,
                            "logging the failure of a command sent by `tell` panicked"
                        );
                    });
                }
                discard(|| answer);
            }
            To::Nowhere => discard(|| answer),
        }
    }
}

fn log<R, X: Error + 'static>(
    command: &'static str,
    answer: &Answer<R, X>,
    failures: &TellFailures,
) {
    match answer {
        Ok(_) => failures.succeeded(),
        Err(AskError::Rejected(rejection)) => {
            tracing::debug!(command, %rejection, "command sent by `tell` was rejected");
        }
        Err(error) => failures.failed(command, &full_text(error)),
    }
}

/// Drops a value of the user's, in the midst of a partition that must not fail with it.
pub(super) fn discard<T>(value: impl FnOnce() -> T) {
    if let Err(panic) = guard(|| drop(value())) {
        log_safely(|| tracing::error!(panic, "dropping a command or its answer panicked"));
    }
}

fn outcome<R, X>(answer: &Answer<R, X>) -> &'static str {
    answer.as_ref().map_or_else(AskError::label, |_| "replied")
}
