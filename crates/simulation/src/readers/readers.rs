use super::{ReadSide, ReaderFlaw, SimDivider, SimRunner};
use crate::{Coverage, Dice, Scene, journal::Journal};
use actum_host::Moment;
use actum_persistence::progress::Segment;
use std::time::Duration;

/// The processes that read the journal of a run, and what they have around them.
pub(crate) struct Readers {
    pub(super) side: ReadSide,
    pub(super) runners: Vec<SimRunner>,
    pub(super) divider: Option<SimDivider>,
    /// How many processes there were.
    pub(super) born: u64,
    acts: Vec<Act>,
    steps: u64,
}

/// Something that a process can do now; it is named by its place.
#[derive(Clone, Copy, Debug)]
enum Act {
    Round(usize),
    Poll(usize),
    Task(usize, Segment),
    Divide,
    Level(Segment),
}

/// Of so many runs one has readers.
const RUNS_WITHOUT: u64 = 3;
/// After so many steps all rows are compared with the journal.
const STEPS_UNCHECKED: u64 = 500;
/// What keeps the dice of readers apart from those of writers.
const APART: u64 = 0x5eed_0f4e_ade2_5000;

impl Readers {
    /// Those of a seed, if it has some.
    pub(crate) fn of_seed(seed: u64, scene: &Scene, traced: bool) -> Option<Self> {
        let mut dice = Dice::new(seed ^ APART);
        let has_some = dice.below(RUNS_WITHOUT) == 0;
        has_some.then(|| Self::new(scene, ReaderFlaw::None, dice, traced))
    }

    /// Those of a seed, with a flaw.
    #[cfg(test)]
    pub(crate) fn flawed(seed: u64, scene: &Scene, flaw: ReaderFlaw) -> Self {
        Self::new(scene, flaw, Dice::new(seed ^ APART), false)
    }

    fn new(scene: &Scene, flaw: ReaderFlaw, dice: Dice, traced: bool) -> Self {
        let side = ReadSide::new(scene, flaw, dice, traced);
        let mut readers =
            Self { side, runners: Vec::new(), divider: None, born: 0, acts: Vec::new(), steps: 0 };
        readers.start_one();
        readers
    }

    /// Lets something happen, no later than `now`.
    pub(crate) fn step(&mut self, now: Moment, journal: &Journal) {
        let until = Duration::from_micros(now.as_micros());
        match self.side.dice.weighted(&self.side.scene.odds) {
            0 => {
                if self.side.dice.chance(100) || !self.act(journal) {
                    self.pass(until);
                }
            }
            1 => self.mishap(journal),
            2 => self.person(journal),
            _ => self.side.end_late(journal),
        }
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS_UNCHECKED) {
            self.side.check_rows(journal);
        }
    }

    /// Up to which event of an entity those who read need none any more: retention may delete them.
    pub(crate) fn read_of(&self, entity: u32, journal: &Journal) -> u64 {
        self.side.ledger.read_of(entity, journal)
    }

    /// Hands out what was seen, found wrong and done since this was asked last.
    pub(crate) fn report(
        &mut self,
        coverage: &mut Coverage,
        violations: &mut Vec<String>,
        trace: Option<&mut Vec<String>>,
    ) {
        self.side.sights.drain(..).for_each(|seen| coverage.saw(seen));
        violations.append(&mut self.side.ledger.violations);
        if let (Some(trace), Some(mine)) = (trace, &mut self.side.trace) {
            trace.append(mine);
        }
    }

    /// Lets one process do something that it can do now; false if none can.
    pub(super) fn act(&mut self, journal: &Journal) -> bool {
        let now = self.side.now;
        self.acts.clear();
        for (at, runner) in self.runners.iter_mut().enumerate() {
            if runner.is_frozen(now) {
                continue;
            }
            runner.hear(&mut self.side, journal);
            self.acts.extend(runner.has_round(now).then_some(Act::Round(at)));
            self.acts.extend(runner.has_poll(now).then_some(Act::Poll(at)));
            self.acts.extend(runner.ready(now).map(|segment| Act::Task(at, segment)));
        }
        if let Some(divider) = self.divider.as_ref().filter(|it| !it.is_frozen(now)) {
            self.acts.extend(divider.has_step(now).then_some(Act::Divide));
            self.acts.extend(divider.ready(now).map(Act::Level));
        }
        if self.acts.is_empty() {
            return false;
        }
        let side = &mut self.side;
        match self.acts[side.dice.place(self.acts.len())] {
            Act::Round(at) => self.runners[at].round(side, journal),
            Act::Poll(at) => self.runners[at].poll(side, journal),
            Act::Task(at, segment) => self.runners[at].step(segment, side, journal),
            Act::Divide => {
                self.divider.take_if(|divider| divider.step(side, journal));
            }
            Act::Level(segment) => {
                let divider = self.divider.as_mut();
                divider.into_iter().for_each(|it| it.step_task(segment, side, journal));
            }
        }
        self.end_leaving();
        true
    }

    /// Time goes by, until the next moment at which something is due, or a while.
    fn pass(&mut self, until: Duration) {
        let due = self.due().unwrap_or(until).min(until);
        self.side.now = self.side.now.max(due);
    }

    /// When something is due that is not yet.
    pub(super) fn due(&self) -> Option<Duration> {
        let now = self.side.now;
        let divider = self.divider.as_ref().and_then(|divider| divider.due(now));
        self.runners.iter().filter_map(|runner| runner.due(now)).chain(divider).min()
    }
}
