use super::ReaderFlaw;
use crate::{Dice, Scene};
use actum_model::{LaneCount, Offset};
use actum_persistence::{
    progress::{NewProjection, ProjectionId, Segment},
    store::{JournalLayout, PageLimit},
};
use actum_reader::segment::{Backoff, OnFailure, SegmentRules};
use std::{
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};

/// What does not change for those who read during a run. Drawn from the seed.
#[derive(Clone, Debug)]
pub(crate) struct ReaderScene {
    pub(super) layout: JournalLayout,
    /// By entity: whether its events are read.
    pub(super) wanted: Vec<bool>,
    pub(super) segments: NonZeroU16,
    pub(super) rules: SegmentRules,
    pub(super) lease: Duration,
    /// How often a process asks how far the journal goes.
    pub(super) poll: Duration,
    /// How many positions a page has at most.
    pub(super) page: usize,
    /// How many processes there are at most.
    pub(super) runners_max: usize,
    /// How likely each sort of step is, see [`Readers`](super::Readers).
    pub(super) odds: [u64; 4],
    pub(super) flaw: ReaderFlaw,
}

impl ReaderScene {
    pub(super) fn any(scene: &Scene, flaw: ReaderFlaw, dice: &mut Dice) -> Self {
        let takes = [dice.chance(900), dice.chance(600)];
        let takes = [takes[0], takes[1] || !takes[0], false];
        Self {
            layout: scene.layout,
            wanted: scene.entities.iter().map(|member| takes[member.kind]).collect(),
            segments: NonZeroU16::new(dice.between(1, 3) as u16).expect("at least 1"),
            rules: any_rules(dice),
            lease: millis(dice, 60, 2_000),
            poll: millis(dice, 20, 500),
            page: dice.between(1, 12) as usize,
            runners_max: dice.between(1, 4) as usize,
            odds: [
                200,
                dice.between(1, 4),  // mishap
                dice.between(2, 8),  // person
                dice.between(1, 10), // a save that was given up ends
            ],
            flaw,
        }
    }

    /// The rules that segments follow.
    pub(super) fn followed_rules(&self) -> SegmentRules {
        let rules = self.rules.clone();
        match self.flaw {
            ReaderFlaw::RetriesSkipped => SegmentRules { retries: 0, ..rules },
            _ => rules,
        }
    }

    /// The lease that runners go by.
    pub(super) fn followed_lease(&self) -> Duration {
        if self.flaw == ReaderFlaw::ClaimedEarly { self.lease / 4 } else { self.lease }
    }

    /// The projection as it begins.
    pub(super) fn projection(&self) -> NewProjection {
        let lanes: LaneCount = self.layout.lanes;
        NewProjection {
            id: projection_id(),
            sources: Vec::new(),
            layout: self.layout,
            segments: Segment::divide(self.layout.partitions, self.segments),
            start: Offset::beginning(lanes),
            live_from: Offset::beginning(lanes),
        }
    }

    /// How long it takes at most until everything is read once nothing goes wrong any more: until a runner that was about to
    /// wait has waited, until one that has died is known to have, also one that had asked the others to rest, and until what is little has gathered for as long as it may.
    pub(super) fn settling_max(&self) -> Duration {
        let SegmentRules { batch_interval, backoff, unavailable, save_interval, batch, .. } =
            &self.rules;
        let pauses = self.lease * 4 + backoff.max + unavailable.max + self.poll + REST;
        pauses + *save_interval * 2 + *batch_interval * (batch.events.get() + 6)
    }
}

/// How long a segment that was lost is not claimed again.
const REST: Duration = Duration::from_millis(500);

pub(super) fn projection_id() -> ProjectionId {
    ProjectionId::new("read-model", NonZeroU32::MIN).expect("a short name")
}

fn any_rules(dice: &mut Dice) -> SegmentRules {
    let backoff =
        |dice: &mut Dice| Backoff { first: millis(dice, 1, 20), max: millis(dice, 20, 200) };
    let events = NonZeroU32::new(dice.between(1, 8) as u32).expect("at least 1");
    SegmentRules {
        batch: PageLimit::default().with_events(events).with_bytes(match dice.chance(200) {
            true => dice.between(1, 40) as usize,
            false => 1 << 20,
        }),
        batch_interval: if dice.chance(200) { millis(dice, 1, 20) } else { Duration::ZERO },
        retries: dice.between(0, 3) as u32,
        backoff: backoff(dice),
        unavailable: backoff(dice),
        on_failure: any_policy(dice),
        on_unknown: any_policy(dice),
        parked_max: dice.between(1, 8) as usize,
        parked_in_row_max: dice.between(1, 6) as u32,
        latest_only: false,
        is_exact: dice.chance(600),
        save_interval: millis(dice, 0, 300),
    }
}

fn any_policy(dice: &mut Dice) -> OnFailure {
    [OnFailure::Stop, OnFailure::SkipToDeadLetters, OnFailure::ParkEntity, OnFailure::ParkEntity]
        [dice.place(4)]
}

fn millis(dice: &mut Dice, low: u64, high: u64) -> Duration {
    Duration::from_millis(dice.between(low, high))
}
