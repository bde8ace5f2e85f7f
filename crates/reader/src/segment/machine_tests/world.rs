use super::{database::Database, model_journal::ModelJournal};
use crate::segment::{
    Backoff, Batch, BatchOutcome, FailedBy, OnFailure, SegmentEnd, SegmentMachine, SegmentRules,
    SegmentStep, Surrounding,
};
use actum_model::{EntityKey, LaneCount, Offset, Partition, Timestamp};
use actum_persistence::{
    progress::{ParkedRequest, ProgressSave, ProjectionId, ReadProgress, Segment, StoredSegment},
    store::PageLimit,
};
use fastrand::Rng;
use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

/// A segment in a world where things go wrong by chance, while `is_bad`.
pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) is_bad: bool,
    lanes: LaneCount,
    rules: SegmentRules,
    pub(super) journal: ModelJournal,
    pub(super) database: Database,
    machine: Option<SegmentMachine>,
    now: Duration,
    /// Events that cannot be handled.
    poison: BTreeMap<(EntityKey, u64), FailedBy>,
    /// How often each event of a lane has failed since the claim.
    failures: BTreeMap<(EntityKey, u64), u32>,
    parked_before: usize,
    last_step: (String, Duration, u32),
}

const ENTITIES: u16 = 10;

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let lanes = LaneCount::new(rng.u16(1..4)).unwrap();
        let policy = |rng: &mut Rng| {
            [OnFailure::Stop, OnFailure::SkipToDeadLetters, OnFailure::ParkEntity][rng.usize(0..3)]
        };
        let rules = SegmentRules {
            batch_interval: Duration::ZERO,
            batch: PageLimit::default()
                .with_events(NonZeroU32::new(rng.u32(1..12)).unwrap())
                .with_bytes(rng.usize(1..40)),
            retries: rng.u32(0..3),
            backoff: Backoff { first: Duration::from_millis(10), max: Duration::from_secs(1) },
            unavailable: Backoff { first: Duration::from_millis(10), max: Duration::from_secs(1) },
            on_failure: policy(&mut rng),
            on_unknown: policy(&mut rng),
            parked_max: rng.usize(1..12),
            parked_in_row_max: rng.u32(1..10),
            latest_only: false,
            is_exact: rng.bool(),
            save_interval: Duration::from_millis(rng.u64(0..500)),
        };
        let segment = Segment::new(Partition::new(0), Partition::new(ENTITIES - 1)).unwrap();
        let stored = StoredSegment::new(segment, ReadProgress::behind(Offset::beginning(lanes)));
        Self {
            rng,
            is_bad: true,
            lanes,
            rules,
            journal: ModelJournal::new(lanes),
            database: Database::new(stored),
            machine: None,
            now: Duration::ZERO,
            poison: BTreeMap::new(),
            failures: BTreeMap::new(),
            parked_before: 0,
            last_step: Default::default(),
        }
    }

    fn around(&mut self) -> Surrounding {
        Surrounding { now: self.now, wall: Timestamp::default(), chance: self.rng.f64() }
    }

    fn goes_wrong(&mut self) -> bool {
        self.is_bad && self.rng.u8(0..10) == 0
    }

    /// Something that others do: writers, people, other runners.
    pub(super) fn disturb(&mut self) {
        match self.rng.u8(0..12) {
            0..=5 => (0..self.rng.u8(1..8)).for_each(|_| self.append()),
            6 => {
                let requests = [ParkedRequest::Replay, ParkedRequest::Discard];
                let request = requests[self.rng.usize(0..2)];
                let all = self.rng.bool();
                let rng = &mut self.rng;
                let asked = self.database.parked.values_mut().filter(|_| all || rng.bool());
                for parked in asked {
                    parked.request = Some(request);
                    if request == ParkedRequest::Discard {
                        self.database.asked_to_discard.insert(parked.entity.clone());
                    }
                }
            }
            7 => {
                let rng = &mut self.rng;
                let asked = self.database.letters.values_mut().filter(|_| rng.bool());
                asked.for_each(|letter| letter.is_requested = true);
            }
            8 => {
                let letter = self.database.letters.pop_first().map(|(_, letter)| letter);
                letter.into_iter().for_each(|letter| {
                    self.database.discard(letter.entity, letter.sequence_nr.get());
                });
            }
            9 => self.request(),
            10 => self.machine.iter_mut().for_each(SegmentMachine::stop),
            _ if self.rng.u8(0..4) == 0 => self.database.free(), // another one claims it
            _ => self.poison.clear(),
        }
    }

    fn append(&mut self) {
        let nr = self.rng.u16(0..ENTITIES);
        self.journal.append(nr);
        if self.rng.u8(0..6) == 0 {
            let entity = EntityKey::new("account", format!("a{nr}")).unwrap();
            let nr = self.journal.events_of(&entity).count() as u64;
            let causes = [FailedBy::Handler, FailedBy::Damage, FailedBy::UnknownType];
            self.poison.insert((entity, nr), causes[self.rng.usize(0..3)]);
        }
    }

    pub(super) fn mend(&mut self) {
        self.is_bad = false;
        self.poison.clear();
    }

    /// The runner passes on what is requested.
    pub(super) fn request(&mut self) {
        if let Some(machine) = &mut self.machine {
            let parked = self.database.parked.values().cloned().collect();
            let letters = self.database.letters.values().filter(|letter| letter.is_requested);
            machine.requested(parked, letters.cloned().collect());
        }
    }

    /// Whether all is handled, and nothing is kept that waits for a person.
    pub(super) fn is_done(&self) -> bool {
        self.database.parked.is_empty()
            && self.database.letters.is_empty()
            && *self.database.segment.progress.offset() == self.journal.heads()
    }

    /// One step of the runner of the segment; there is one from now on if there was none.
    pub(super) fn step(&mut self) {
        let Some(machine) = &mut self.machine else { return self.claim() };
        let step = machine.next(self.now, &self.journal.heads());
        self.check_no_loop(&step);
        match step {
            SegmentStep::ReadLane { .. } | SegmentStep::ReadEntity { .. } if self.goes_wrong() => {
                let around = self.around();
                self.machine().read_failed("away", around);
            }
            SegmentStep::ReadLane { lane, after } => {
                let limit = self.rng.usize(1..20);
                let page = self.journal.read_lane(lane, after, limit);
                let around = self.around();
                self.machine().read_lane(lane, page, around);
            }
            SegmentStep::ReadEntity { entity, after, one } => {
                let limit = if one { 1 } else { self.rng.usize(1..6) };
                let page = self.journal.read_entity(&entity, after, limit);
                let around = self.around();
                self.machine().read_entity(page, around);
            }
            SegmentStep::Handle(batch) => {
                let outcome = if self.rules.is_exact {
                    self.exact(&batch)
                } else {
                    self.at_least_once(&batch)
                };
                let (around, is_saved) =
                    (self.around(), matches!(outcome, BatchOutcome::Saved { .. }));
                self.machine().ended(&batch, outcome, around);
                if is_saved {
                    self.check_saved();
                }
            }
            SegmentStep::Save(save) => self.save(&save),
            SegmentStep::Idle { until } => {
                self.now = until.unwrap_or(self.now).max(self.now + Duration::from_millis(1));
            }
            SegmentStep::Wait { until } => {
                assert!(until > self.now, "it waits for what is over");
                self.now = until;
            }
            SegmentStep::End(end) => {
                self.machine = None;
                if end != SegmentEnd::Lost {
                    self.database.free();
                }
            }
        }
    }

    fn machine(&mut self) -> &mut SegmentMachine {
        self.machine.as_mut().unwrap()
    }

    fn claim(&mut self) {
        self.database.free();
        self.failures.clear();
        let id = ProjectionId::new("balances", NonZeroU32::MIN).unwrap();
        let stored = self.database.segment.clone();
        let parked: Vec<_> = self.database.parked.values().cloned().collect();
        let (lanes, rules) = (self.lanes, self.rules.clone());
        self.machine = Some(SegmentMachine::new(id, stored, &parked, lanes, rules, self.now));
        self.request();
    }

    /// No step comes again and again at one time.
    fn check_no_loop(&mut self, step: &SegmentStep) {
        let step = format!("{step:?}");
        let (last, now, times) = &mut self.last_step;
        if *last == step && *now == self.now {
            *times += 1;
            assert!(*times < 3, "the same again and again: {step}");
        } else {
            self.last_step = (step, self.now, 0);
        }
    }

    fn save(&mut self, save: &ProgressSave) {
        let around = self.around();
        match self.rng.u8(0..3) {
            0 if self.goes_wrong() => return self.machine().save_failed("away", around),
            1 if self.goes_wrong() => {
                self.database.save(save, &self.journal);
                return self.machine().lose(); // it is not known whether it was kept
            }
            _ => {}
        }
        if self.database.save(save, &self.journal) {
            self.machine().saved(save, around.now);
            self.check_saved();
        } else {
            self.machine().lose();
        }
    }

    /// What is in memory of parked entities is what is kept.
    fn check_saved(&mut self) {
        let machine = self.machine.as_ref().unwrap();
        assert!(!machine.unsaved.has_records());
        let here: BTreeMap<_, _> =
            machine.parked.iter().map(|(key, one)| (key.clone(), one.from)).collect();
        let kept: BTreeMap<_, _> =
            self.database.parked.iter().map(|(key, one)| (key.clone(), one.from)).collect();
        assert_eq!(here, kept, "parked in memory, and kept");
        if kept.len() < self.parked_before {
            self.failures.clear(); // events that were held back may come in front of the one that fails
        }
        self.parked_before = kept.len();
    }

    /// Counts a failure of the first event of a batch.
    fn failed(&mut self, batch: &Batch) {
        let first = &batch.events[0];
        let key = (first.entity.clone(), first.event.sequence_nr.get());
        let failures = self.failures.entry(key).or_default();
        *failures += 1;
        let max = self.rules.retries + 1;
        assert!(
            !batch.is_of_lane() || *failures <= max + 1,
            "it is tried {failures} times, not {max}"
        );
    }

    /// The first event of the batch that cannot be handled.
    fn poisoned(&self, batch: &Batch) -> Option<(usize, FailedBy)> {
        let key = |event: &actum_persistence::store::JournalEvent| {
            (event.entity.clone(), event.event.sequence_nr.get())
        };
        batch
            .events
            .iter()
            .enumerate()
            .find_map(|(at, event)| self.poison.get(&key(event)).map(|cause| (at, *cause)))
    }

    fn exact(&mut self, batch: &Batch) -> BatchOutcome {
        if self.goes_wrong() {
            return BatchOutcome::Unavailable { handled: 0, error: "away".into() };
        }
        if let Some((at, cause)) = self.poisoned(batch) {
            if at == 0 {
                self.failed(batch);
            }
            return match self.rng.u8(0..4) {
                0 if cause == FailedBy::Handler => {
                    BatchOutcome::FailedSomewhere { error: "flush".into() }
                }
                _ => BatchOutcome::Failed { at, error: "poison".into(), cause },
            };
        }
        let handled = self.some_of(batch);
        if self.goes_wrong() {
            return BatchOutcome::Unavailable { handled, error: "away".into() };
        }
        let is_unknown = self.goes_wrong();
        if is_unknown && self.rng.bool() {
            return BatchOutcome::Unknown { error: "broken off".into() };
        }
        if !self.database.save(&batch.save(handled, Timestamp::default()), &self.journal) {
            return BatchOutcome::Stale;
        }
        self.handle(batch, handled);
        if is_unknown {
            return BatchOutcome::Unknown { error: "broken off".into() };
        }
        BatchOutcome::Saved { handled }
    }

    fn at_least_once(&mut self, batch: &Batch) -> BatchOutcome {
        if self.goes_wrong() {
            let handled = self.some_of(batch);
            self.handle_until_poison(batch, handled);
            return BatchOutcome::Unavailable { handled: 0, error: "away".into() };
        }
        if let Some((at, cause)) = self.poisoned(batch) {
            if at == 0 {
                self.failed(batch);
            }
            self.handle(batch, at);
            return BatchOutcome::Failed { at, error: "poison".into(), cause };
        }
        let handled = self.some_of(batch);
        self.handle(batch, handled);
        if self.goes_wrong() {
            return BatchOutcome::Unavailable { handled, error: "away".into() };
        }
        let is_unknown = self.goes_wrong();
        if is_unknown && self.rng.bool() {
            return BatchOutcome::Unknown { error: "broken off".into() };
        }
        if !self.database.save(&batch.save(handled, Timestamp::default()), &self.journal) {
            return BatchOutcome::Stale;
        }
        if is_unknown {
            return BatchOutcome::Unknown { error: "broken off".into() };
        }
        BatchOutcome::Saved { handled }
    }

    /// How many of a batch are handled in its time.
    fn some_of(&mut self, batch: &Batch) -> usize {
        let all = batch.events.len();
        if self.rng.bool() { all } else { self.rng.usize(1..=all) }
    }

    fn handle_until_poison(&mut self, batch: &Batch, handled: usize) {
        let poisoned = self.poisoned(batch).map_or(handled, |(at, _)| at);
        self.handle(batch, handled.min(poisoned));
    }

    fn handle(&mut self, batch: &Batch, handled: usize) {
        for event in &batch.events[..handled] {
            let nr = event.event.sequence_nr.get();
            self.database.handle(&event.entity, nr, self.rules.is_exact);
        }
    }
}
