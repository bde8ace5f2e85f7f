use super::{ReadSide, SimTask};
use crate::{Seen, journal::Journal};
use actum_model::Offset;
use actum_persistence::progress::{Epoch, Segment, SegmentClaim};
use actum_reader::{
    runner::{Round, RunnerMachine},
    segment::SegmentEnd,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// A process that runs the projection.
pub(super) struct SimRunner {
    pub(super) name: Arc<str>,
    /// Its number in the ledger.
    pub(super) life: usize,
    /// How far its clock is ahead.
    ahead: Duration,
    machine: RunnerMachine,
    pub(super) tasks: BTreeMap<Segment, SimTask>,
    /// What is left to do of a round.
    todo: VecDeque<Todo>,
    round_at: Duration,
    poll_at: Duration,
    pub(super) frozen_until: Duration,
    /// How far it knows the journal to go, and how often that has changed.
    heads: Offset,
    heard: u64,
    /// How many events there were when something was announced last.
    announced: u64,
    /// Whether it ends in order.
    pub(super) is_leaving: bool,
}

enum Todo {
    Release(Segment, Epoch),
    Claim(SegmentClaim),
}

impl SimRunner {
    pub(super) fn new(name: Arc<str>, side: &mut ReadSide) -> Self {
        let ahead = Duration::from_micros(side.dice.below(1 << 40)); // clocks of two lives have nothing in common
        let machine =
            RunnerMachine::new(Arc::clone(&name), side.scene.followed_lease(), side.now + ahead);
        Self {
            life: side.ledger.born(Arc::clone(&name)),
            name,
            ahead,
            machine,
            tasks: BTreeMap::new(),
            todo: VecDeque::new(),
            round_at: side.now,
            poll_at: side.now,
            frozen_until: Duration::ZERO,
            heads: Offset::beginning(side.scene.layout.lanes),
            heard: 0,
            announced: 0,
            is_leaving: false,
        }
    }

    pub(super) fn is_frozen(&self, now: Duration) -> bool {
        now < self.frozen_until
    }

    /// Whether a round, or a part of one, is due.
    pub(super) fn has_round(&self, now: Duration) -> bool {
        !self.is_leaving && (self.round_at <= now || !self.todo.is_empty())
    }

    pub(super) fn has_poll(&self, now: Duration) -> bool {
        self.poll_at <= now
    }

    /// The segments that have something to do.
    pub(super) fn ready(&self, now: Duration) -> impl Iterator<Item = Segment> {
        let ready = self.tasks.iter().filter(move |(_, task)| task.is_ready(now, self.heard));
        ready.map(|(segment, _)| *segment)
    }

    /// When something is due behind `now`.
    pub(super) fn due(&self, now: Duration) -> Option<Duration> {
        let round = (!self.is_leaving).then_some(self.round_at);
        let tasks = self.tasks.values().filter_map(SimTask::due);
        let due = tasks.chain(round).chain([self.poll_at]);
        due.map(|due| due.max(self.frozen_until)).filter(|due| *due > now).min()
    }

    /// Something was announced, or would have been.
    pub(super) fn hear(&mut self, side: &mut ReadSide, journal: &Journal) {
        if self.announced == journal.count() {
            return;
        }
        self.announced = journal.count();
        if side.dice.chance(side.faults.announcement_lost) {
            side.saw(Seen::AnnouncementLost);
        } else {
            self.learn(journal);
        }
    }

    /// Asks how far the journal goes.
    pub(super) fn poll(&mut self, side: &mut ReadSide, journal: &Journal) {
        self.poll_at = side.now + side.scene.poll;
        if side.scene.flaw != super::ReaderFlaw::HeadsNotPolled
            && !side.dice.chance(side.faults.page_fails)
            && self.learn(journal)
        {
            side.saw(Seen::HeadsPolled);
        }
    }

    fn learn(&mut self, journal: &Journal) -> bool {
        let heads = journal.lane_heads();
        let is_news = heads != self.heads;
        if is_news {
            self.heads = heads;
            self.heard += 1;
        }
        is_news
    }

    /// Begins a round, or goes on with it.
    pub(super) fn round(&mut self, side: &mut ReadSide, journal: &Journal) {
        let now = side.now + self.ahead;
        if self.machine.has_lapsed(now) && self.machine.runs_any() {
            side.saw(Seen::LeaseLapsed);
            self.abort_all(side, journal);
        }
        match self.todo.pop_front() {
            Some(_) if self.machine.has_lapsed(now) => self.fail_round(side), // no answer in time
            Some(Todo::Release(segment, epoch)) => self.release(segment, epoch, side),
            Some(Todo::Claim(claim)) => self.claim(&claim, side),
            None => return self.begin_round(side),
        }
        if self.todo.is_empty() {
            self.machine.round_done();
        }
    }

    fn begin_round(&mut self, side: &mut ReadSide) {
        let now = side.now + self.ahead;
        if side.dice.chance(side.faults.round_fails) {
            if side.dice.chance(500) {
                self.renew(side); // and no answer comes
            }
            return self.fail_round(side);
        }
        self.renew(side);
        self.machine.renewed(now);
        let stored = side.desk.load();
        let round = self.machine.round(&stored, now);
        side.say(|| format!("{} has the round {round:?}", self.name));
        let Round { lost, ended, released, requested, claims, rests: _ } = round;
        for segment in lost {
            self.tasks.get_mut(&segment).into_iter().for_each(|task| task.controls.is_lost = true);
        }
        for segment in ended {
            self.tasks.get_mut(&segment).into_iter().for_each(|task| task.controls.ends = true);
        }
        for segment in requested {
            let task = self.tasks.get_mut(&segment);
            task.into_iter().for_each(|task| task.controls.has_requests = true);
        }
        self.todo
            .extend(released.into_iter().map(|(segment, epoch)| Todo::Release(segment, epoch)));
        self.todo.extend(claims.into_iter().map(Todo::Claim));
        let rested = self.machine.rested_at(now).map(|at| at.saturating_sub(self.ahead));
        let next = side.now + self.machine.interval();
        self.round_at = rested.map_or(next, |rested| rested.min(next));
    }

    fn renew(&mut self, side: &mut ReadSide) {
        side.desk.renew(&self.name, self.machine.dead());
        side.ledger.renewed(self.life, side.now);
    }

    /// What is kept could not be reached, in time.
    fn fail_round(&mut self, side: &mut ReadSide) {
        side.saw(Seen::RoundFailed);
        self.todo.clear();
        let around = side.around(self.ahead);
        self.round_at = side.now + self.machine.round_failed(around.now, around.chance);
    }

    fn release(&mut self, segment: Segment, epoch: Epoch, side: &mut ReadSide) {
        if side.dice.chance(side.faults.round_fails) {
            return self.fail_round(side);
        }
        if side.desk.release(segment, epoch).is_ok() {
            side.ledger.freed(segment);
        }
    }

    fn claim(&mut self, claim: &SegmentClaim, side: &mut ReadSide) {
        let fails = side.dice.chance(side.faults.round_fails);
        if fails && side.dice.chance(500) {
            return self.fail_round(side);
        }
        let Some(claimed) = side.desk.claim(claim) else {
            side.saw(Seen::ClaimRefused);
            return;
        };
        let was_taken = side.ledger.claimed(claim, &claimed, self.life, side.now);
        side.say(|| format!("{} has claimed {:?}", self.name, claimed));
        side.saw(if was_taken { Seen::SegmentTakenOver } else { Seen::SegmentClaimed });
        if fails {
            side.saw(Seen::ClaimUnanswered);
            return self.fail_round(side);
        }
        let segment = claimed.segment;
        self.machine.begun(segment, claimed.epoch);
        if side.dice.chance(side.faults.page_fails) {
            // what is parked could not be read
            return self.machine.ended(segment, &SegmentEnd::Lost, side.now + self.ahead);
        }
        let mut task = SimTask::begin(claimed, self.life, self.ahead, side);
        task.controls.ends = self.is_leaving;
        self.tasks.insert(segment, task);
    }

    /// A task goes a step further.
    pub(super) fn step(&mut self, segment: Segment, side: &mut ReadSide, journal: &Journal) {
        let Some(task) = self.tasks.get_mut(&segment) else { return };
        if let Some(end) = task.step(&self.heads, self.heard, side, journal) {
            side.say(|| format!("{} has ended {segment}: {end:?}", self.name));
            self.tasks.remove(&segment);
            self.machine.ended(segment, &end, side.now + self.ahead);
            self.round_at = side.now;
        }
    }

    /// Begins to end in order.
    pub(super) fn leave(&mut self) {
        self.is_leaving = true;
        self.todo.clear();
        self.tasks.values_mut().for_each(|task| task.controls.ends = true);
    }

    /// Everything that runs is broken off.
    pub(super) fn abort_all(&mut self, side: &mut ReadSide, journal: &Journal) {
        for (segment, task) in std::mem::take(&mut self.tasks) {
            task.die(side, journal);
            self.machine.ended(segment, &SegmentEnd::Lost, side.now + self.ahead);
        }
    }
}
