use super::super::JournalLayout;
use super::{Epoch, NewProjection, ProjectionId, ReadProgress, SOURCE_OF_STATES, Segment};
use actum_model::{Offset, Timestamp};
use std::sync::Arc;

/// What is kept of a projection, read in one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredProjection {
    /// Its name and version.
    pub id: ProjectionId,
    /// The kinds of entities whose events it handles, and of streams behind [`SOURCE_OF_STREAMS`](super::SOURCE_OF_STREAMS), in
    /// order of bytes; all if empty. Of one that handles the changes of durable states, their kinds behind
    /// [`SOURCE_OF_STATES`](super::SOURCE_OF_STATES): its offsets are of changes then.
    pub sources: Vec<String>,
    /// How its journal is divided.
    pub layout: JournalLayout,
    /// Where live begins.
    pub live_from: Offset,
    /// Whether it is asked to pause.
    pub is_paused: bool,
    /// Whether it is the version of its name that is in use.
    pub is_active: bool,
    /// Its segments, in order.
    pub segments: Vec<StoredSegment>,
    /// Who runs it, or waits to, in the order of their names.
    pub runners: Vec<RunnerRow>,
    /// How many entities are parked.
    pub parked: u64,
    /// How many of those have a request that was not carried out.
    pub requested: u64,
    /// How many dead letters there are.
    pub dead_letters: u64,
    /// How many of those are asked to be replayed.
    pub letters_requested: u64,
}

/// What is kept of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredSegment {
    /// Its partitions.
    pub segment: Segment,
    /// How far it has come.
    pub progress: ReadProgress,
    /// The epoch of its last claim.
    pub epoch: Epoch,
    /// Who runs it.
    pub owner: Option<Arc<str>>,
    /// How many events were handled.
    pub handled: u64,
    /// When the progress was saved last, by the clock of the runner that did.
    pub saved_at: Timestamp,
    /// Why it has stopped, if it needs a person.
    pub stopped: Option<Arc<str>>,
}

/// One that runs segments, or waits for some. It lives while its renewal changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunnerRow {
    /// Its name, of this life alone.
    pub name: Arc<str>,
    /// How often it has renewed.
    pub renewal: u64,
}

impl StoredProjection {
    /// Whether it handles the changes of durable states: then its offsets say nothing of events.
    #[must_use]
    pub fn reads_states(&self) -> bool {
        self.sources.iter().any(|source| source.starts_with(SOURCE_OF_STATES))
    }

    /// A projection as it begins, and nothing has been handled.
    #[must_use]
    pub fn new(new: NewProjection, is_active: bool) -> Self {
        let NewProjection { id, sources, layout, segments, start, live_from } = new;
        let segments = segments.into_iter();
        let segments = segments
            .map(|segment| StoredSegment::new(segment, ReadProgress::behind(start.clone())));
        Self {
            id,
            sources,
            layout,
            live_from,
            is_paused: false,
            is_active,
            segments: segments.collect(),
            runners: Vec::new(),
            parked: 0,
            requested: 0,
            dead_letters: 0,
            letters_requested: 0,
        }
    }

    /// How far all of its segments have come, in each lane.
    #[must_use]
    pub fn read_to(&self) -> Offset {
        let lanes = self.layout.lanes;
        let slowest = |lane| {
            let segments = self.segments.iter().filter(|one| one.segment.has_lane(lane, lanes));
            segments.map(|one| one.progress.offset().position(lane)).min().unwrap_or_default()
        };
        Offset::of_positions(lanes.iter().map(slowest).collect::<Vec<_>>())
    }

    /// The epoch of each of its segments, in order.
    #[must_use]
    pub fn epochs(&self) -> Vec<(Segment, Epoch)> {
        self.segments.iter().map(|segment| (segment.segment, segment.epoch)).collect()
    }
}

impl StoredSegment {
    /// A segment that no one has claimed yet.
    #[must_use]
    pub fn new(segment: Segment, progress: ReadProgress) -> Self {
        Self {
            segment,
            progress,
            epoch: Epoch::default(),
            owner: None,
            handled: 0,
            saved_at: Timestamp::default(),
            stopped: None,
        }
    }
}

impl RunnerRow {
    /// A runner that has renewed so often.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, renewal: u64) -> Self {
        Self { name: name.into(), renewal }
    }
}
