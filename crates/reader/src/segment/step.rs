use super::Batch;
use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::progress::ProgressSave;
use std::{sync::Arc, time::Duration};

/// What a segment does next.
#[derive(Clone, Debug)]
pub enum SegmentStep {
    /// Reads a page of a lane.
    ReadLane {
        /// The lane.
        lane: Lane,
        /// The page begins behind this.
        after: Position,
    },
    /// Reads events of an entity: as many as a page has, or one.
    ReadEntity {
        /// The entity.
        entity: EntityKey,
        /// The first event is behind this.
        after: SequenceNr,
        /// Whether one event is enough.
        one: bool,
    },
    /// Handles events.
    Handle(Batch),
    /// Saves progress without events.
    Save(ProgressSave),
    /// Waits for events, or until then.
    Idle {
        /// When; none if only events end it.
        until: Option<Duration>,
    },
    /// Waits until then, whatever happens in the journal.
    Wait {
        /// When.
        until: Duration,
    },
    /// Ends.
    End(SegmentEnd),
}

/// Why a segment ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentEnd {
    /// It was asked to; everything is saved, and it can be released.
    Released,
    /// It needs a person.
    Stopped(Arc<str>),
    /// Another runner has it, or it was rewound, or it is not known whether a save was kept: only a new claim, which the save
    /// cannot follow, shows what is true.
    Lost,
}
