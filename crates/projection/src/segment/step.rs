use super::Batch;
use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::progress::ProgressSave;
use std::{sync::Arc, time::Duration};

/// What a segment does next.
#[derive(Clone, Debug)]
pub(crate) enum SegmentStep {
    /// Reads a page of a lane.
    ReadLane { lane: Lane, after: Position },
    /// Reads events of an entity: as many as a page has, or one.
    ReadEntity { entity: EntityKey, after: SequenceNr, one: bool },
    /// Handles events.
    Handle(Batch),
    /// Saves progress without events.
    Save(ProgressSave),
    /// Waits for events, or until then.
    Idle { until: Option<Duration> },
    /// Waits until then, whatever happens in the journal.
    Wait { until: Duration },
    /// Ends.
    End(SegmentEnd),
}

/// Why a segment ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SegmentEnd {
    /// It was asked to; everything is saved, and it can be released.
    Released,
    /// It needs a person.
    Stopped(Arc<str>),
    /// Another runner has it, or it was rewound, or it is not known whether a save was kept: only a new claim, which the save
    /// cannot follow, shows what is true.
    Lost,
}
