use crate::clock::Clock;
use actum_host::{Burst, log_burst};
use actum_persistence::panics::log_safely;

/// The failures of commands of one kind of entity that were sent by `tell`: no one waits for their answers, so the log is
/// where they are not lost.
pub(crate) struct TellFailures {
    kind: &'static str,
    clock: Clock,
    burst: Burst,
}

impl TellFailures {
    pub(crate) fn new(kind: &'static str, clock: Clock) -> Self {
        Self { kind, clock, burst: Burst::default() }
    }

    pub(super) fn failed(&self, command: &'static str, error: &str) {
        let (report, kind) = (self.burst.failed(error, self.clock.now()), self.kind);
        log_burst!(
            report, of: [kind,], at: [kind, command,], error,
            "command sent by `tell` failed", keeps: "commands sent by `tell` keep failing"
        );
    }

    pub(super) fn succeeded(&self) {
        if let Some(failures) = self.burst.succeeded(|| self.clock.now()) {
            let kind = self.kind;
            log_safely(|| {
                tracing::info!(kind, failures, "commands sent by `tell` succeed again");
            });
        }
    }
}
