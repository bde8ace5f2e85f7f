use actum_persistence::panics::{guard, log_safely};

/// What runs in this process once a change is durable.
///
/// It may be dropped anywhere: an action that never runs, because its change was not stored, may own what panics when it
/// is dropped.
pub struct AfterCommit(Option<Box<dyn FnOnce() + Send>>);

impl AfterCommit {
    pub fn new(action: Box<dyn FnOnce() + Send>) -> Self {
        Self(Some(action))
    }

    /// Runs it. May panic: that is the user's code.
    pub fn run(mut self) {
        if let Some(action) = self.0.take() {
            action();
        }
    }
}

impl Drop for AfterCommit {
    fn drop(&mut self) {
        let Some(action) = self.0.take() else { return };
        if let Err(panic) = guard(|| drop(action)) {
            log_safely(|| tracing::error!(panic, "dropping an after_commit action panicked"));
        }
    }
}
