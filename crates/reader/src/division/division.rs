use super::{NotDivided, new_segment::NewSegment};
use crate::versions::FollowLimit;
use actum_model::{LaneCount, Offset, PartitionCount};
use actum_persistence::progress::{Epoch, Segment, StoredProjection, StoredSegment};
use std::num::NonZeroU16;

/// The segments that a projection is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Division {
    pub(super) into: Vec<Segment>,
}

/// What comes next of a division.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DivisionStep {
    /// The projection has these segments.
    Done,
    /// These have an owner that may still save, and are to be taken from it.
    Release(Vec<(Segment, Epoch)>),
    /// These have to read on first, exactly so far.
    Level(Vec<Behind>),
    /// Those that were seen are to be replaced by these.
    Divide {
        /// Those that were seen.
        seen: Vec<(Segment, Epoch)>,
        /// What is to be kept in place of them.
        into: Vec<StoredSegment>,
    },
}

/// A segment that is behind one with which it is merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// Its partitions.
    pub segment: Segment,
    /// The epoch in which it was seen.
    pub epoch: Epoch,
    /// How far it has to read.
    pub to: Offset,
    /// How many positions those are.
    pub positions: u64,
}

/// How far a segment may be behind: while it catches up the others rest.
const BEHIND_MAX: u64 = 100_000;

impl Division {
    /// Into so many segments whose sizes differ by one at most.
    ///
    /// # Errors
    /// [`NotDivided::TooMany`] when there are fewer partitions.
    pub fn into(partitions: PartitionCount, count: NonZeroU16) -> Result<Self, NotDivided> {
        if count.get() > partitions.get() {
            return Err(NotDivided::TooMany { partitions: partitions.get() });
        }
        Ok(Self { into: Segment::divide(partitions, count) })
    }

    /// Into the segments that it has.
    #[must_use]
    pub fn as_kept(stored: &StoredProjection) -> Self {
        Self { into: stored.segments.iter().map(|one| one.segment).collect() }
    }

    /// The same for a version that follows: divided further, so that each of its segments lies in one of the active version.
    #[must_use]
    pub fn within(self, active: &FollowLimit) -> Self {
        Self { into: active.divided(&self.into) }
    }

    /// How many segments it makes.
    #[must_use]
    pub fn count(&self) -> usize {
        self.into.len()
    }

    /// What comes next, by what is kept.
    ///
    /// # Errors
    /// [`NotDivided`] when that cannot be done.
    pub fn next(&self, stored: &StoredProjection) -> Result<DivisionStep, NotDivided> {
        let lanes = stored.layout.lanes;
        let (stay, replaced): (Vec<_>, Vec<_>) =
            stored.segments.iter().partition(|one| self.into.binary_search(&one.segment).is_ok());
        let is_new = |new: &&Segment| stay.binary_search_by_key(*new, |one| one.segment).is_err();
        let new = self.into.iter().filter(is_new);
        let new: Vec<_> = new.map(|new| NewSegment::made_of(&replaced, *new)).collect();
        if new.is_empty() {
            return Ok(DivisionStep::Done);
        }
        check_stopped(&replaced, &new)?;
        let behind = behind(&replaced, &places(&replaced, &new, lanes));
        check_behind(&behind, stored.is_paused)?;
        let owned: Vec<_> = replaced.iter().filter(|one| one.owner.is_some()).map(seen).collect();
        if !owned.is_empty() {
            return Ok(DivisionStep::Release(owned));
        }
        if !behind.is_empty() {
            return Ok(DivisionStep::Level(behind));
        }
        let into = stored_segments(&replaced, &new, lanes);
        Ok(DivisionStep::Divide { seen: replaced.iter().map(seen).collect(), into })
    }
}

fn seen(one: &&StoredSegment) -> (Segment, Epoch) {
    (one.segment, one.epoch)
}

/// Up to where each of the replaced segments has to read: as far as those that have come furthest in a lane of a segment
/// that they become together.
fn places(replaced: &[&StoredSegment], new: &[NewSegment], lanes: LaneCount) -> Vec<Offset> {
    let mut places: Vec<_> = replaced.iter().map(|one| one.progress.offset().clone()).collect();
    // one that becomes a part of two binds both: they are in a row, so there and back reaches all of them
    for one in new.iter().chain(new.iter().rev()) {
        for lane in one.segment.lanes(lanes) {
            let furthest = one.of_lane(lane, lanes).map(|of| places[of].position(lane)).max();
            let furthest = furthest.unwrap_or_default();
            one.of_lane(lane, lanes).for_each(|of| places[of].advance(lane, furthest));
        }
    }
    places
}

fn behind(replaced: &[&StoredSegment], places: &[Offset]) -> Vec<Behind> {
    let behind = replaced.iter().zip(places).map(|(one, to)| {
        let lanes = one.progress.offset().positions().iter().zip(to.positions());
        let positions = lanes.map(|(at, to)| to.get().saturating_sub(at.get())).sum();
        Behind { segment: one.segment, epoch: one.epoch, to: to.clone(), positions }
    });
    behind.filter(|behind| behind.positions > 0).collect()
}

fn check_stopped(replaced: &[&StoredSegment], new: &[NewSegment]) -> Result<(), NotDivided> {
    let merged = new.iter().filter(|one| one.is_merged()).flat_map(|one| &one.parts);
    for one in merged.map(|part| replaced[part.of]) {
        if let Some(why) = &one.stopped {
            let (partitions, why) = (one.segment.partitions(), why.clone());
            return Err(NotDivided::Stopped { partitions, why });
        }
    }
    Ok(())
}

fn check_behind(behind: &[Behind], is_paused: bool) -> Result<(), NotDivided> {
    let Some(furthest) = behind.iter().max_by_key(|behind| behind.positions) else {
        return Ok(());
    };
    let (partitions, behind) = (furthest.segment.partitions(), furthest.positions);
    if is_paused {
        return Err(NotDivided::Paused { partitions, behind });
    }
    if behind > BEHIND_MAX {
        return Err(NotDivided::FarBehind { partitions, behind, behind_max: BEHIND_MAX });
    }
    Ok(())
}

fn stored_segments(
    replaced: &[&StoredSegment],
    new: &[NewSegment],
    lanes: LaneCount,
) -> Vec<StoredSegment> {
    let mut counted = vec![false; replaced.len()];
    let stored = new.iter().map(|one| {
        let stored = one.stored(replaced, lanes, |of| !counted[of]);
        one.parts.iter().for_each(|part| counted[part.of] = true);
        stored
    });
    stored.collect()
}
