use crate::Failure;
use actum_persistence::store::StoreError;
use std::borrow::Cow;

/// Why commands that were taken are not served any more: what their callers get.
#[derive(Clone, Debug)]
pub struct GivenUp {
    reason: Cow<'static, str>,
    /// The store's error, where it was the store.
    source: Option<Box<StoreError>>,
}

impl GivenUp {
    /// For a reason of the runtime's own.
    pub const fn because(reason: &'static str) -> Self {
        Self { reason: Cow::Borrowed(reason), source: None }
    }

    /// Because this has happened to the store.
    pub fn of_store(error: StoreError) -> Self {
        let reason = Cow::Borrowed("the store failed");
        Self { reason, source: Some(Box::new(error)) }
    }

    /// What the caller gets, depending on whether the command may have been applied.
    pub fn failure(&self, maybe_applied: bool) -> Failure {
        let (reason, source) = (self.reason.clone(), self.source.clone());
        if maybe_applied {
            Failure::OutcomeUnknown { reason, source }
        } else {
            Failure::Unavailable { reason, source }
        }
    }
}
