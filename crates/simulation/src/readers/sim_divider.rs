use super::{ReadSide, ReaderFlaw, SimTask};
use crate::{Seen, journal::Journal};
use actum_persistence::progress::{Epoch, Segment, SegmentClaim, StoredProjection, StoredSegment};
use actum_reader::{
    division::{Behind, Division, DivisionStep},
    share_out::{RestMachine, SeenRenewals, division_name},
};
use std::{collections::BTreeMap, num::NonZeroU16, sync::Arc, time::Duration};

/// A process that divides the projection into other segments: the runners rest meanwhile.
pub(super) struct SimDivider {
    name: Arc<str>,
    /// Its number in the ledger.
    life: usize,
    /// How far its clock is ahead.
    ahead: Duration,
    wanted: Division,
    machine: RestMachine,
    /// Whether it has asked the runners to rest.
    has_asked: bool,
    renewed: Duration,
    /// Segments that read on until they are level with others.
    tasks: BTreeMap<Segment, SimTask>,
    /// When it does something next.
    step_at: Duration,
    give_up_at: Duration,
    pub(super) frozen_until: Duration,
}

/// How often it does something.
const INTERVAL: Duration = Duration::from_millis(10);
/// After so many leases it gives up.
const LEASES_MAX: u32 = 6;

impl SimDivider {
    pub(super) fn new(me: &str, count: NonZeroU16, side: &mut ReadSide) -> Option<Self> {
        let wanted = Division::into(side.scene.layout.partitions, count).ok()?;
        let (name, lease) = (division_name(me), side.scene.lease);
        let machine = RestMachine::new(Arc::clone(&name), lease, SeenRenewals::default());
        Some(Self {
            life: side.ledger.born(Arc::clone(&name)),
            name,
            ahead: Duration::from_micros(side.dice.below(1 << 40)),
            wanted,
            machine,
            has_asked: false,
            renewed: side.now,
            tasks: BTreeMap::new(),
            step_at: side.now,
            give_up_at: side.now + side.scene.lease * LEASES_MAX,
            frozen_until: Duration::ZERO,
        })
    }

    pub(super) fn is_frozen(&self, now: Duration) -> bool {
        now < self.frozen_until
    }

    /// Whether it does something now by itself.
    pub(super) fn has_step(&self, now: Duration) -> bool {
        self.step_at <= now
    }

    /// The segments that have something to do.
    pub(super) fn ready(&self, now: Duration) -> impl Iterator<Item = Segment> {
        let ready = self.tasks.iter().filter(move |(_, task)| task.is_ready(now, 0));
        ready.map(|(segment, _)| *segment)
    }

    /// When something is due behind `now`.
    pub(super) fn due(&self, now: Duration) -> Option<Duration> {
        let tasks = self.tasks.values().filter_map(SimTask::due);
        let due = tasks.chain([self.step_at]).map(|due| due.max(self.frozen_until));
        due.filter(|due| *due > now).min()
    }

    /// Does what can be done now; true when it has ended.
    pub(super) fn step(&mut self, side: &mut ReadSide, journal: &Journal) -> bool {
        self.step_at = side.now + INTERVAL;
        if self.renewed + side.scene.lease <= side.now {
            std::mem::take(&mut self.tasks).into_values().for_each(|task| task.die(side, journal));
        }
        if side.dice.chance(side.faults.round_fails) {
            return false;
        }
        let stored = side.desk.load();
        let next = self.wanted.next(&stored);
        let is_over = next.is_err() || side.now >= self.give_up_at || self.gives_way(&stored, side);
        if is_over || next == Ok(DivisionStep::Done) {
            return self.end(side);
        }
        if !self.ask(&stored, side) || !self.tasks.is_empty() {
            return false;
        }
        match next {
            Ok(DivisionStep::Release(owned)) => self.release(owned, &stored, side),
            Ok(DivisionStep::Level(behind)) => self.level(behind, &stored, side),
            Ok(DivisionStep::Divide { seen, into }) => self.divide(&seen, &into, side, journal),
            Ok(DivisionStep::Done) | Err(_) => {}
        }
        false
    }

    /// Whether another one divides it.
    fn gives_way(&mut self, stored: &StoredProjection, side: &ReadSide) -> bool {
        let now = side.now + self.ahead;
        self.machine.see(&stored.runners, now);
        self.machine.gives_way_to(&stored.runners, self.has_asked, now).is_some()
    }

    /// Asks the runners to rest; says whether they do.
    fn ask(&mut self, stored: &StoredProjection, side: &mut ReadSide) -> bool {
        self.has_asked = true;
        side.desk.renew(&self.name, &[]);
        side.ledger.renewed(self.life, side.now);
        self.renewed = side.now;
        let now = side.now + self.ahead;
        self.machine.see(&stored.runners, now);
        self.machine.is_at_rest(stored, now)
    }

    /// Takes segments from owners that seem to be dead.
    fn release(
        &self,
        owned: Vec<(Segment, Epoch)>,
        stored: &StoredProjection,
        side: &mut ReadSide,
    ) {
        for (segment, epoch) in owned {
            let kept = stored.segments.iter().find(|kept| kept.segment == segment);
            let owner = kept.and_then(|kept| kept.owner.as_ref());
            if side.desk.release(segment, epoch).is_ok() {
                side.saw(Seen::ReleasedToDivide);
                // its own are those of an attempt that was broken off
                if let Some(owner) = owner.filter(|owner| **owner != self.name) {
                    side.ledger.taken_from(owner, &self.name, side.now);
                }
                side.ledger.freed(segment);
            }
        }
    }

    /// Has segments read on, each exactly as far as those that it will be merged with.
    fn level(&mut self, behind: Vec<Behind>, stored: &StoredProjection, side: &mut ReadSide) {
        if side.scene.flaw == ReaderFlaw::MergedUnlevelled {
            return self.merge_as_it_is(stored, side);
        }
        for Behind { segment, epoch, to, .. } in behind {
            let (projection, runner) = (stored.id.clone(), Arc::clone(&self.name));
            let claim = SegmentClaim { projection, segment, runner, epoch, replaces: None };
            let Some(claimed) = side.desk.claim(&claim) else { continue };
            side.ledger.claimed(&claim, &claimed, self.life, side.now);
            side.saw(Seen::SegmentLevelled);
            let task = SimTask::begin(claimed, self.life, self.ahead, side).until(to);
            self.tasks.insert(segment, task);
        }
    }

    /// What must not be done: they become one where the first of them is.
    fn merge_as_it_is(&self, stored: &StoredProjection, side: &mut ReadSide) {
        let whole = Segment::all(stored.layout.partitions);
        let into = [StoredSegment::new(whole, stored.segments[0].progress.clone())];
        if side.desk.divide(&stored.epochs(), &into).is_ok() {
            side.ledger.divided(&stored.epochs(), &into);
        }
    }

    fn divide(
        &self,
        seen: &[(Segment, Epoch)],
        into: &[StoredSegment],
        side: &mut ReadSide,
        journal: &Journal,
    ) {
        side.say(|| format!("{} divides {seen:?} into {into:?}", self.name));
        if side.desk.divide(seen, into).is_ok() {
            side.saw(if seen.len() > into.len() { Seen::Merged } else { Seen::Divided });
            side.ledger.divided(seen, into);
            side.check_rows(journal);
        }
    }

    /// A task goes a step further.
    pub(super) fn step_task(&mut self, segment: Segment, side: &mut ReadSide, journal: &Journal) {
        let Some(task) = self.tasks.get_mut(&segment) else { return };
        if task.step(&journal.lane_heads(), 0, side, journal).is_some() {
            self.tasks.remove(&segment);
        }
    }

    /// Ends when what it runs has ended.
    fn end(&mut self, side: &mut ReadSide) -> bool {
        self.tasks.values_mut().for_each(|task| task.controls.ends = true);
        if self.tasks.is_empty() && self.has_asked {
            side.desk.leave(&self.name);
            side.ledger.left(self.life);
        }
        self.tasks.is_empty()
    }

    /// Its process crashes: within a lease the others go on.
    pub(super) fn die(self, side: &mut ReadSide, journal: &Journal) {
        side.saw(Seen::DividerCrashed);
        self.tasks.into_values().for_each(|task| task.die(side, journal));
    }
}
