use super::{
    DeadLetter, DeadLetterPlace, Epoch, ParkedEntity, ProjectionId, ReadProgress, Segment,
};
use actum_model::{EntityKey, Offset, SequenceNr, Timestamp};

/// A change of what is kept of a projection, for which it has to be at a known place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgressChange {
    /// A segment has come further.
    Save(ProgressSave),
    /// All segments begin somewhere else.
    Rewind(Rewind),
    /// Nothing: what is kept is what a transaction has written beside it, such as the tables of a projection.
    Nothing,
}

/// What the runner of a segment has done. All of it is kept, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressSave {
    /// The projection.
    pub projection: ProjectionId,
    /// The segment.
    pub segment: Segment,
    /// The epoch of the runner's claim.
    pub epoch: Epoch,
    /// How far it has come.
    pub progress: ReadProgress,
    /// How many events were handled since the last save.
    pub handled: u64,
    /// When, by the clock of the runner.
    pub saved_at: Timestamp,
    /// Parked entities of which events were handled or discarded.
    pub replayed: Vec<ReplayedTo>,
    /// Entities that are parked from now on, or again, in place of what was kept of them, also where they are among those
    /// that were replayed. They are kept without a request, whatever they have here.
    pub parked: Vec<ParkedEntity>,
    /// Dead letters that were handled.
    pub letters_replayed: Vec<DeadLetterPlace>,
    /// Events that are skipped, each in place of the letter that was kept of it, also where that is among those that were
    /// replayed. They are kept without a request, whatever they have here.
    pub dead_letters: Vec<DeadLetter>,
}

/// How far the events of a parked entity were handled. What was asked for stays asked until it is not parked any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedTo {
    /// The entity.
    pub entity: EntityKey,
    /// The first event that was not handled; none when the entity is not parked any more.
    pub from: Option<SequenceNr>,
}

/// Lets a projection begin somewhere else. What is parked is forgotten, and so are dead letters behind that place. Every
/// segment gets the next epoch and no owner, so that a runner at work changes nothing any more; one that has stopped
/// goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewind {
    /// The projection.
    pub projection: ProjectionId,
    /// Where it begins.
    pub to: Offset,
    /// Where live begins from now on.
    pub live_from: Offset,
    /// The epoch in which each segment was seen, in order: when the segments are others or one of them has another epoch,
    /// nothing is changed.
    pub seen: Vec<(Segment, Epoch)>,
}

impl ProgressSave {
    /// Nothing was handled.
    #[must_use]
    pub fn nothing(
        projection: ProjectionId,
        segment: Segment,
        epoch: Epoch,
        progress: ReadProgress,
    ) -> Self {
        Self {
            projection,
            segment,
            epoch,
            progress,
            handled: 0,
            saved_at: Timestamp::default(),
            replayed: Vec::new(),
            parked: Vec::new(),
            letters_replayed: Vec::new(),
            dead_letters: Vec::new(),
        }
    }
}
