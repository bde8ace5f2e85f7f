use super::{
    Beat, Clients, Coverage, Dice, Ledger, Log, Note, Order, Plan, Process, Scene, Seen,
    journal::{Found, Journal, number_of},
    scene::Faults,
    writer::Store,
};
use actum_host::cell::{FoundState, Moment, Ticket};
use actum_model::{EntityKey, Timestamp};
use actum_persistence::{
    group_commit::Settled,
    store::{EntityAppend, StateWrite, StoreError},
};

/// One run: everything there is, and the dice that decide what happens next.
pub(crate) struct World {
    pub(crate) scene: Scene,
    pub(crate) faults: Faults,
    pub(crate) dice: Dice,
    pub(crate) journal: Journal,
    pub(crate) ledger: Ledger,
    pub(crate) clients: Clients,
    /// The newest last. Former ones may not know yet that they were shut out.
    pub(crate) processes: Vec<Process>,
    pub(crate) log: Log,
    pub(crate) now: Moment,
    notes: Vec<Note>,
    /// Everything that happened, if that is wanted.
    trace: Option<Vec<String>>,
}

/// When a run begins, for its wall clocks: late enough to look back from.
const BEGINNING: i64 = 1_000_000_000_000;

impl World {
    pub(crate) fn new(seed: u64, traced: bool) -> Self {
        let mut dice = Dice::new(seed);
        let scene = Scene::new(&mut dice);
        Self::of(scene, dice, traced)
    }

    pub(crate) fn of(scene: Scene, dice: Dice, traced: bool) -> Self {
        let mut world = Self {
            faults: scene.faults.clone(),
            journal: Journal::new(&scene),
            ledger: Ledger::new(&scene),
            clients: Clients::new(scene.entities.len()),
            processes: Vec::new(),
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

    /// Lets something happen, and looks at it.
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
        self.ledger.coverage.steps += 1;
    }

    /// Shows the ledger what happened since the last look.
    pub(crate) fn look(&mut self) {
        self.log.take(&mut self.notes);
        if let Some(trace) = &mut self.trace {
            trace.extend(self.journal.stored.iter().map(|stored| format!("{stored:?}")));
            trace.extend(self.notes.iter().map(|note| format!("{note:?}")));
        }
        self.ledger.look(&mut self.notes, &mut self.journal.stored);
        self.ledger.violations.append(&mut self.journal.misuses);
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
        let host = Process::host_of(&self.scene, order.entity);
        let key = self.key(order.entity);
        self.ledger.sent(order.clone(), self.processes[at].life);
        self.processes[at].hosts[host].send(key, order);
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
        let mut beat = self.beat(at);
        if self.dice.chance(800) {
            beat.take = self.dice.between(1, 4) as usize;
        }
        let process = &mut self.processes[at];
        let mail = |host: &usize| process.hosts[*host].has_mail();
        let with_mail: Vec<usize> = (0..process.hosts.len()).filter(mail).collect();
        let hosts = process.hosts.len();
        match with_mail.is_empty() {
            true if self.dice.chance(300) => {
                let (host, nth) = (self.dice.place(hosts), self.dice.place(12));
                process.hosts[host].nudge(nth, &beat, &mut process.desk);
            }
            true => process.turn(self.dice.place(hosts), &beat),
            false => process.turn(with_mail[self.dice.place(with_mail.len())], &beat),
        }
    }

    pub(crate) fn beat(&mut self, at: usize) -> Beat {
        let room = if self.dice.chance(self.faults.no_room) {
            self.dice.below(super::ledger::NARROW as u64) as usize
        } else {
            usize::MAX
        };
        let micros = BEGINNING + self.now.as_micros() as i64 + self.processes[at].skew;
        let uptime = (self.processes[at].uptime + self.now.as_micros()) / 1_000_000;
        let (wall, uptime) = (Timestamp::from_micros(micros), uptime as u32);
        Beat { now: self.now, wall, uptime, room, take: usize::MAX }
    }

    fn any_process(&mut self) -> Option<usize> {
        let count = self.processes.len();
        (count > 0).then(|| if self.dice.chance(700) { count - 1 } else { self.dice.place(count) })
    }

    fn write(&mut self) {
        let Some(at) = self.any_process() else { return };
        let lanes = self.processes[at].desk.lanes.len();
        let lane = self.dice.place(lanes + 1);
        self.write_lane(at, lane);
    }

    /// Takes a writer a step further; the one behind the last lane is that of the durable states.
    pub(crate) fn write_lane(&mut self, at: usize, lane: usize) {
        let Self { journal, dice, faults, ledger, processes, .. } = self;
        let process = &mut processes[at];
        let life = process.life;
        let mut coverage = std::mem::take(&mut ledger.coverage);
        let mut store = Store { journal, dice, faults, coverage: &mut coverage };
        let (settled, fenced): (Vec<Settled<Ticket>>, bool) = match process.desk.lanes.get_mut(lane)
        {
            Some(lane) => lane.step(&mut store, |_: &EntityAppend| Vec::new()),
            None => process.desk.states.step(&mut store, |write: &StateWrite| {
                let entity = number_of(&write.entity);
                ledger.held(life, entity, write.expected.get(), write.revision.get())
            }),
        };
        ledger.coverage = coverage;
        process.fenced |= fenced;
        process.leave(settled);
    }

    fn read(&mut self) {
        let Some(at) = self.any_process() else { return };
        let count = self.processes[at].desk.reads.len();
        if count > 0 {
            let nth = self.dice.place(count);
            self.answer(at, nth);
        }
    }

    /// Answers one of the reads that wait.
    pub(crate) fn answer(&mut self, at: usize, nth: usize) {
        let asked = self.processes[at].desk.reads.swap_remove(nth);
        let found = if self.dice.chance(self.faults.read_fails) {
            let error = match self.dice.below(3) {
                0 => StoreError::outcome_unknown("reading", "the simulation says so"),
                _ => StoreError::unavailable("reading", "the simulation says so"),
            };
            match asked.read.record_of() {
                Some(sequence_nr) => Ok(Found::Record { sequence_nr, found: Err(error) }),
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
        let host = usize::from(asked.ticket.kind);
        self.processes[at].hosts[host].leave_found(asked.ticket, found);
    }

    fn save(&mut self) {
        let Some(at) = self.any_process() else { return };
        let waiting = self.processes[at].desk.snapshots.len();
        if waiting > 0 {
            let nth = self.dice.place(waiting);
            self.save_nth(at, nth);
        }
    }

    /// Time goes by: a little, or as long as nothing is due. Whoever has something due takes a turn.
    fn wait(&mut self) {
        let micros = match self.dice.weighted(&[45, 45, 8, 2]) {
            0 => self.dice.between(1, 1_000),
            1 => self.dice.between(1_000, 10_000),
            2 => self.dice.between(10_000, 100_000),
            _ => self.dice.between(100_000, 3_000_000),
        };
        self.pass(micros);
    }

    pub(crate) fn pass(&mut self, micros: u64) {
        self.now = Moment::from_micros(self.now.as_micros() + micros);
        for at in 0..self.processes.len() {
            let beat = self.beat(at);
            let process = &mut self.processes[at];
            for host in 0..process.hosts.len() {
                if process.hosts[host].due() <= beat.now {
                    process.turn(host, &beat);
                }
            }
        }
        self.look();
        self.ledger.check_deadlines(self.now);
    }
}
