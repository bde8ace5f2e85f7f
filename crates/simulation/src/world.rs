use super::{
    Clients, Clocks, Coverage, Dice, Faults, Ledger, Log, Note, Order, Plan, Process, Readers,
    Scene, Seen, TurnTerms,
    journal::Journal,
    process::place_of,
    writer::{LifeInLedger, Store},
};
use actum_host::{
    Moment,
    cell::{FoundState, Ticket},
    partition::Found,
};
use actum_model::{EntityKey, Timestamp};
use actum_persistence::{group_commit::Settled, store::StoreError};

/// One run: everything there is, and the dice that decide what happens next.
pub(crate) struct World {
    pub(crate) scene: Scene,
    pub(crate) faults: Faults,
    pub(crate) dice: Dice,
    pub(crate) journal: Journal,
    pub(crate) ledger: Ledger,
    pub(crate) clients: Clients,
    /// The newest last. Former ones may not know yet that they were fenced.
    pub(crate) processes: Vec<Process>,
    /// Those who read the journal, if the run has some.
    pub(crate) readers: Option<Readers>,
    pub(crate) log: Log,
    pub(crate) now: Moment,
    notes: Vec<Note>,
    /// Everything that happened, if that is wanted.
    trace: Option<Vec<String>>,
}

/// How many microseconds a partition is stuck at most.
const STUCK_MAX: u64 = 20_000;

/// When a run begins, for its wall clocks: late enough to look back from.
const BEGINNING: i64 = 1_000_000_000_000;

impl World {
    pub(crate) fn new(seed: u64, traced: bool) -> Self {
        let mut dice = Dice::new(seed);
        let scene = Scene::new(&mut dice);
        let readers = Readers::of_seed(seed, &scene, traced);
        Self { readers, ..Self::of(scene, dice, traced) }
    }

    pub(crate) fn of(scene: Scene, dice: Dice, traced: bool) -> Self {
        let mut world = Self {
            faults: scene.faults.clone(),
            journal: Journal::new(&scene),
            ledger: Ledger::new(&scene),
            clients: Clients::new(scene.entities.len()),
            processes: Vec::new(),
            readers: None,
            log: Log::default(),
            now: Moment::from_micros(1),
            notes: Vec::new(),
            trace: traced.then(Vec::new),
            scene,
            dice,
        };
        world.start();
        world
    }

    /// Lets something happen, and checks it.
    pub(crate) fn step(&mut self) {
        match self.dice.weighted(&self.scene.odds) {
            0 => self.send(),
            1 => self.turn(),
            2 => self.write(),
            3 => self.read(),
            4 => self.save(),
            5 => self.wait(),
            _ => self.fault(),
        }
        self.look();
        self.read_on();
        self.ledger.coverage.steps += 1;
    }

    /// Those who read go a step further.
    fn read_on(&mut self) {
        let Self { readers: Some(readers), ledger, .. } = self else { return };
        readers.step(self.now, &self.journal);
        readers.report(&mut ledger.coverage, &mut ledger.violations, self.trace.as_mut());
    }

    /// Those who read have read everything.
    pub(crate) fn finish_reading(&mut self) {
        let Self { readers: Some(readers), ledger, .. } = self else { return };
        readers.come_to_rest(&self.journal);
        readers.report(&mut ledger.coverage, &mut ledger.violations, self.trace.as_mut());
    }

    /// Shows the ledger what happened since it looked last.
    pub(crate) fn look(&mut self) {
        self.log.take(&mut self.notes);
        let is_quiet = self.notes.is_empty();
        if let Some(trace) = &mut self.trace {
            trace.extend(self.journal.stored.iter().map(|stored| format!("{stored:?}")));
            trace.extend(self.notes.iter().map(|note| format!("{note:?}")));
        }
        self.ledger.look(&mut self.notes, &mut self.journal.stored);
        self.ledger.violations.append(&mut self.journal.misuses);
        if is_quiet {
            return; // what processes count has not changed
        }
        for process in &mut self.processes {
            process.take_misuses(&mut self.ledger.violations);
            if process.life == self.ledger.turn_of {
                self.ledger.check_holdings(&process.holdings()); // those of others have not changed
            }
        }
    }

    pub(crate) fn say(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(what());
        }
    }

    pub(crate) fn trace(&self) -> &[String] {
        self.trace.as_deref().unwrap_or_default()
    }

    pub(crate) fn coverage(&self) -> &Coverage {
        &self.ledger.coverage
    }

    fn send(&mut self) {
        let taking = self.processes.iter().enumerate().filter(|(_, it)| it.takes_commands());
        let taking: Vec<usize> = taking.map(|(at, _)| at).collect();
        let Some(newest) = taking.last() else { return };
        let at =
            if self.dice.chance(800) { *newest } else { taking[self.dice.place(taking.len())] };
        let (life, now) = (self.processes[at].life, self.now);
        let Self { clients, dice, scene, ledger, .. } = self;
        let order = clients.order(dice, scene, ledger, now, life);
        self.deliver(at, order);
    }

    pub(crate) fn deliver(&mut self, at: usize, order: Order) {
        self.say(|| format!("{order:?}"));
        let (partition, kind) = place_of(&self.scene, order.entity);
        let key = self.key(order.entity);
        self.ledger.sent(order.clone(), self.processes[at].life);
        self.processes[at].send(partition, kind, key, order);
    }

    /// A command that only looks, with much time.
    pub(crate) fn look_at(&mut self, at: usize, entity: u32) {
        let order = Order {
            nr: self.ledger.sent.len() as u32,
            entity,
            id: None,
            command: "look",
            plan: Plan::LOOK,
            deadline: Moment::NEVER,
            expected_revision: None,
        };
        self.deliver(at, order);
    }

    pub(crate) fn key(&self, entity: u32) -> EntityKey {
        self.scene.entities[entity as usize].key.clone()
    }

    fn turn(&mut self) {
        let Some(at) = self.any_process() else { return };
        let mut terms = self.terms(at);
        if self.dice.chance(800) {
            terms.take = self.dice.between(1, 4) as usize;
        }
        let process = &mut self.processes[at];
        let count = process.partitions.len();
        let awake: Vec<usize> =
            (0..count).filter(|partition| process.is_awake(*partition)).collect();
        let partition = if awake.is_empty() {
            self.dice.place(count) // it is woken for nothing
        } else {
            awake[self.dice.place(awake.len())]
        };
        if process.partitions[partition].is_down() && self.dice.chance(300) {
            process.start_partition(partition);
        }
        if self.dice.chance(self.faults.ended_early / 5) {
            self.end_waits(at, partition, terms);
        }
        self.processes[at].turn(partition, terms);
    }

    /// A watchdog ends waits of a partition, by a clock that it reads after the partition has read it for its turn.
    fn end_waits(&mut self, at: usize, partition: usize, terms: TurnTerms) {
        let after = self.dice.between(1, STUCK_MAX);
        let now = Moment::from_micros(self.now.as_micros() + after);
        self.log.write(Note::Passed { now });
        self.processes[at].partitions[partition].end_late(terms.own(now));
    }

    pub(crate) fn terms(&mut self, at: usize) -> TurnTerms {
        let room = if self.dice.chance(self.faults.no_room) {
            self.dice.below(super::ledger::NARROW as u64) as usize
        } else {
            usize::MAX
        };
        let Clocks { skew, ahead } = self.processes[at].clocks;
        let wall = Timestamp::from_micros(BEGINNING + self.now.as_micros() as i64 + skew);
        let refuses = self.dice.chance(self.faults.lapse);
        TurnTerms { now: self.now, ahead, wall, room, refuses, take: usize::MAX }
    }

    fn any_process(&mut self) -> Option<usize> {
        let count = self.processes.len();
        (count > 0).then(|| if self.dice.chance(700) { count - 1 } else { self.dice.place(count) })
    }

    fn write(&mut self) {
        let Some(at) = self.any_process() else { return };
        let lanes = self.scene.layout.lanes.get();
        let lane = self.dice.place(usize::from(lanes) + 1);
        self.write_lane(at, lane);
    }

    /// Takes a writer a step further; the one behind the last lane is that of the durable states.
    pub(crate) fn write_lane(&mut self, at: usize, lane: usize) {
        let Self { journal, dice, faults, ledger, processes, .. } = self;
        let process = &mut processes[at];
        let life = process.life;
        let mut coverage = std::mem::take(&mut ledger.coverage);
        let mut store = Store { journal, dice, faults, coverage: &mut coverage };
        let held = LifeInLedger { life, ledger };
        let desk = process.desk.get_mut();
        let (settled, fenced): (Vec<Settled<Ticket>>, bool) = match desk.lanes.get_mut(lane) {
            Some(lane) => lane.step(&mut store, &held),
            None => desk.states.step(&mut store, &held),
        };
        ledger.coverage = coverage;
        process.fenced |= fenced;
        process.leave(settled);
    }

    fn read(&mut self) {
        let Some(at) = self.any_process() else { return };
        let count = self.processes[at].desk.get_mut().reads.len();
        if count > 0 {
            let nth = self.dice.place(count);
            self.answer(at, nth);
        }
    }

    /// Answers one of the reads that wait.
    pub(crate) fn answer(&mut self, at: usize, nth: usize) {
        let asked = self.processes[at].desk.get_mut().reads.swap_remove(nth);
        let found = if self.dice.chance(self.faults.read_fails) {
            let error = match self.dice.below(3) {
                0 => StoreError::outcome_unknown("reading", "the simulation says so"),
                _ => StoreError::unavailable("reading", "the simulation says so"),
            };
            match asked.read.record_of() {
                Some(sequence_nr) => {
                    self.ledger.coverage.saw(Seen::RecordUnread);
                    Ok(Found::Record { sequence_nr, found: Err(error) })
                }
                None => Err(error),
            }
        } else {
            Ok(self.journal.answer(&asked.read, self.scene.page))
        };
        match &found {
            Ok(Found::Events(found)) if found.snapshot.is_some() => {
                self.ledger.coverage.saw(Seen::SnapshotUsed);
            }
            Ok(Found::State(FoundState::Commands(commands))) if !commands.is_empty() => {
                self.ledger.coverage.saw(Seen::OlderCommandsRead);
            }
            _ => {}
        }
        let life = self.processes[at].life;
        self.say(|| format!("life {life} reads {:?}: {found:?}", asked.read));
        let partition = &mut self.processes[at].partitions[asked.partition.index()];
        partition.found.push_back((asked.ticket, found));
    }

    fn save(&mut self) {
        let Some(at) = self.any_process() else { return };
        let waiting = self.processes[at].desk.get_mut().snapshots.len();
        if waiting > 0 {
            let nth = self.dice.place(waiting);
            self.save_nth(at, nth);
        }
    }
}
