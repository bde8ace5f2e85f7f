use super::super::JournalLayout;
use super::{ProjectionId, Segment};
use actum_model::Offset;

/// A projection as it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProjection {
    /// Its name and version.
    pub id: ProjectionId,
    /// The kinds of entities whose events it handles, and of streams behind [`SOURCE_OF_STREAMS`](super::SOURCE_OF_STREAMS), in
    /// order of bytes; all if empty. Of one that handles the changes of durable states, their kinds behind
    /// [`SOURCE_OF_STATES`](super::SOURCE_OF_STATES): its offsets are of changes then.
    pub sources: Vec<String>,
    /// How the journal that it reads is divided.
    pub layout: JournalLayout,
    /// How it is divided: every partition in one segment.
    pub segments: Vec<Segment>,
    /// Where it begins.
    pub start: Offset,
    /// Where live begins: an event that is not behind this happened before the projection was there.
    pub live_from: Offset,
}
