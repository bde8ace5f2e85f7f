use actum_model::Metadata;
use std::time::Duration;

/// What comes with an append beside its events.
#[derive(Clone, Debug, Default)]
pub struct AppendOptions {
    /// What is stored with each event.
    pub metadata: Metadata,
    /// What has caused it; counts more than the cause in `metadata`, and than what the caller's context adds.
    pub cause: Option<String>,
    /// How long to wait for the answer; the engine's `ask_timeout` if none is given.
    pub timeout: Option<Duration>,
}
