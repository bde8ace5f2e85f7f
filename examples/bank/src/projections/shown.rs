use actum::{ProjectionState, ProjectionStatus};
use serde::{Deserialize, Serialize};

/// A projection, as the bank shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownProjection {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// `running`, `waiting`, `paused`, `stopped` and so on.
    pub state: String,
    /// Why it is not running, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How many events of the journal it has read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<u64>,
    /// How many it has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_events: Option<u64>,
    /// How long ago the oldest of those happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_seconds: Option<f64>,
    /// How many events it handles a second.
    pub rate: f64,
    /// How long it takes to catch up at that rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<f64>,
    /// How many entities are parked.
    pub parked: u64,
    /// How many dead letters there are.
    pub dead_letters: u64,
    /// How many segments it has.
    pub segments: usize,
}

impl ShownProjection {
    /// One of which nothing is kept yet.
    pub(crate) fn starting(name: String, why: Option<String>) -> Self {
        Self {
            name,
            version: 0,
            state: "starting".to_owned(),
            why,
            read: None,
            lag_events: None,
            lag_seconds: None,
            rate: 0.0,
            eta_seconds: None,
            parked: 0,
            dead_letters: 0,
            segments: 0,
        }
    }
}

impl From<ProjectionStatus> for ShownProjection {
    fn from(status: ProjectionStatus) -> Self {
        let (state, why) = state(&status.state);
        let read = |offset: &actum::Offset| offset.positions().iter().map(|at| at.get()).sum();
        Self {
            name: status.id.name().to_owned(),
            version: status.id.version().get(),
            state: state.to_owned(),
            why,
            read: status.segments.iter().map(|segment| read(&segment.offset)).min(),
            lag_events: Some(status.lag.events),
            lag_seconds: status.lag.age.map(|age| age.as_secs_f64()),
            rate: status.rate,
            eta_seconds: status.eta.map(|eta| eta.as_secs_f64()),
            parked: status.parked,
            dead_letters: status.dead_letters,
            segments: status.segments.len(),
        }
    }
}

fn state(state: &ProjectionState) -> (&'static str, Option<String>) {
    let text = |why: &std::sync::Arc<str>| Some(why.to_string());
    match state {
        ProjectionState::Starting { waits } => ("starting", waits.as_ref().and_then(text)),
        ProjectionState::Running => ("running", None),
        ProjectionState::Waiting { why } => ("waiting", text(why)),
        ProjectionState::Rebuilding { .. } => ("rebuilding", None),
        ProjectionState::Following { .. } => ("following", None),
        ProjectionState::Paused => ("paused", None),
        ProjectionState::Stopped { why } => ("stopped", text(why)),
        ProjectionState::Failed { why } => ("failed", text(why)),
        ProjectionState::StoppedHere => ("stopped here", None),
        ProjectionState::Ended => ("ended", None),
        _ => ("unknown", None),
    }
}
