use super::{
    Around, Board, Chain, Desk, Dice, Entrance, Holdings, KindEntrance, Log, Note, NoteTaker,
    Order, Scene, Seat, Seen, SimEntrance, SimPartition, Tally, Traits, TurnTerms,
    journal::Journal,
};
use actum_host::{
    Load, Moment,
    cell::{ByEvents, ByState, Ticket},
    partition::{CapKeeper, Inbox},
};
use actum_model::{EntityKey, Lane};
use actum_persistence::{group_commit::Settled, store::Incarnation};
use std::{cell::RefCell, sync::Arc};

/// One life of the process: its partitions, and what they have on its way.
pub(crate) struct Process {
    pub(crate) life: u32,
    pub(crate) incarnation: Incarnation,
    pub(crate) partitions: Vec<SimPartition>,
    pub(crate) desk: RefCell<Desk>,
    pub(crate) load: Arc<Load>,
    seats: Vec<Seat>,
    keeper: CapKeeper,
    note_taker: NoteTaker,
    log: Log,
    pub(crate) clocks: Clocks,
    /// Whether it knows that it was fenced.
    pub(crate) fenced: bool,
    /// How many more steps it may take to stop, once it has begun to.
    pub(crate) patience: Option<u32>,
}

/// The clocks of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    /// How far its wall clock is off, in microseconds.
    pub(crate) skew: i64,
    /// What its monotonic clock showed at the beginning of everything, in microseconds.
    pub(crate) ahead: u64,
}

/// The most bytes that may be staged: more than there ever are.
const JOURNAL_BYTES_MAX: usize = usize::MAX / 2;

impl Process {
    pub(crate) fn new(
        life: u32,
        incarnation: Incarnation,
        clocks: Clocks,
        scene: &Scene,
        log: &Log,
    ) -> Self {
        let load = Load::new(scene.commands_max, scene.entities_max, JOURNAL_BYTES_MAX)
            .with_command_ids_bytes_max(scene.ids_bytes_max);
        let load = Arc::new(load);
        let partitions = scene.layout.partitions.iter().map(|nr| {
            let kinds = scene.kinds.iter();
            let entrances = kinds.map(|traits| {
                SimEntrance::new(entrance(traits, incarnation, scene, &load), scene.inbox_max)
            });
            let lane = Lane::of_partition(nr, scene.layout.lanes);
            SimPartition::new(nr, lane, entrances.collect())
        });
        Self {
            life,
            incarnation,
            partitions: partitions.collect(),
            desk: RefCell::new(Desk::new(scene, incarnation)),
            seats: scene.layout.partitions.iter().map(|_| Seat::new()).collect(),
            keeper: CapKeeper::new(load.clone()),
            load,
            note_taker: NoteTaker::new(life, log.clone()),
            log: log.clone(),
            clocks,
            fenced: false,
            patience: None,
        }
    }

    /// Whether it is alive as far as it knows, and takes commands.
    pub(crate) fn takes_commands(&self) -> bool {
        self.patience.is_none()
    }

    pub(crate) fn send(&mut self, partition: usize, kind: usize, key: EntityKey, order: Order) {
        self.partitions[partition].send(kind, key, order);
    }

    pub(crate) fn turn(&mut self, partition: usize, terms: TurnTerms) {
        self.with(partition, terms, SimPartition::turn);
    }

    fn with(
        &mut self,
        partition: usize,
        terms: TurnTerms,
        act: impl FnOnce(&mut SimPartition, &Around<'_>),
    ) {
        let Self { life, desk, note_taker, log, load, keeper, seats, partitions, .. } = self;
        let around = Around { life: *life, desk, note_taker, log, load, keeper, seats, terms };
        act(&mut partitions[partition], &around);
    }

    /// Whether something is on its way to a partition, or it is handed the cap.
    pub(crate) fn is_awake(&self, partition: usize) -> bool {
        self.partitions[partition].has_mail()
            || self.seats[partition].keeps_cap()
            || self.partitions[partition].is_down()
    }

    /// Whether nothing is on its way, to or from any partition.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut partitions = 0..self.partitions.len();
        self.desk.borrow().is_quiet() && partitions.all(|at| !self.is_awake(at))
    }

    /// Leaves what was settled with the partitions.
    pub(crate) fn leave(&mut self, settled: Vec<Settled<Ticket>>) {
        for Settled { ticket, partition, result } in settled {
            self.partitions[partition.index()].settled(ticket, result);
        }
    }

    /// Begins to stop: takes no command any more.
    pub(crate) fn stop(&mut self, patience: u32, terms: TurnTerms) {
        self.patience = Some(patience);
        for at in 0..self.partitions.len() {
            self.with(at, terms, SimPartition::drain);
        }
    }

    /// Whether every partition says that nothing is under way.
    pub(crate) fn is_drained(&self) -> bool {
        self.partitions.iter().all(SimPartition::is_drained)
    }

    /// A partition fails, and with it whatever it does.
    pub(crate) fn fail_partition(&mut self, at: usize) {
        let before = self.load.entities();
        self.partitions[at].fail();
        self.note_taker.dropped(before - self.load.entities());
    }

    /// A partition that was down is brought back, unless writes of its former life are not settled.
    pub(crate) fn start_partition(&mut self, at: usize) {
        if self.partitions[at].has_unsettled() {
            return self.log.write(Note::Saw(Seen::RestartWaitedForWrites));
        }
        self.keeper.end(); // the former life may have failed in the middle of one
        self.partitions[at].start();
    }

    /// Its writers stop: what they have not done is settled.
    pub(crate) fn stop_writers(&mut self, journal: &mut Journal, dice: &mut Dice) {
        let desk = self.desk.get_mut();
        let lanes = desk.lanes.iter_mut();
        let mut settled: Vec<_> = lanes.flat_map(|lane| lane.stop(journal, dice)).collect();
        settled.extend(desk.states.stop(journal, dice));
        self.leave(settled);
    }

    /// Nothing of it does anything any more; its transactions may still end either way. Says what it counts although it
    /// is gone.
    pub(crate) fn die(mut self, journal: &mut Journal, dice: &mut Dice) -> Holdings {
        let desk = self.desk.get_mut();
        desk.lanes.iter_mut().for_each(|lane| lane.die(journal, dice));
        desk.states.die(journal, dice);
        journal.late_snapshots.append(&mut desk.snapshots);
        (0..self.partitions.len()).for_each(|at| self.fail_partition(at));
        self.holdings()
    }

    pub(crate) fn abandon(&mut self, terms: TurnTerms) {
        for at in 0..self.partitions.len() {
            self.with(at, terms, SimPartition::abandon);
        }
    }

    /// What was found wrong since this was asked last.
    pub(crate) fn take_misuses(&mut self, into: &mut Vec<String>) {
        self.partitions.iter_mut().for_each(|partition| into.append(&mut partition.misuses));
    }

    pub(crate) fn holdings(&self) -> Holdings {
        let sum = |count: fn(&Tally) -> usize| {
            self.partitions.iter().flat_map(SimPartition::tallies).map(count).sum()
        };
        let Self { life, load, note_taker, .. } = self;
        Holdings {
            life: *life,
            commands: (load.commands(), sum(Tally::held)),
            entities: (load.entities(), note_taker.entities()),
            staged_bytes: JOURNAL_BYTES_MAX - load.room(0),
            id_bytes: load.ids().bytes(),
            handled: (note_taker.handled_count(), sum(Tally::handled)),
            answered: (note_taker.answered_count(), sum(Tally::answered_inside)),
        }
    }

    /// Whether one of its partitions must take a turn by now, or is down and cannot.
    pub(crate) fn needs_waking(&self, now: Moment) -> bool {
        self.partitions.iter().any(|partition| partition.is_down() || partition.due() <= now)
    }

    /// When one of its partitions must take a turn at the latest.
    pub(crate) fn due(&self) -> Moment {
        let partitions = self.partitions.iter();
        partitions.map(SimPartition::due).min().unwrap_or(Moment::NEVER)
    }
}

/// Where an entity is: its partition, and the place of its kind.
pub(crate) fn place_of(scene: &Scene, entity: u32) -> (usize, usize) {
    let member = &scene.entities[entity as usize];
    (member.partition.index(), member.kind)
}

fn entrance(
    traits: &Traits,
    incarnation: Incarnation,
    scene: &Scene,
    load: &Arc<Load>,
) -> Box<dyn Entrance> {
    let (by, load) = ((incarnation, load.ids()), load.clone());
    if traits.by_state {
        let inbox = Arc::new(Inbox::<Board>::new(scene.inbox_max, load.clone()));
        Box::new(KindEntrance::<ByState<Board>> { context: traits.boards(by), inbox, load })
    } else {
        let inbox = Arc::new(Inbox::<Chain>::new(scene.inbox_max, load.clone()));
        Box::new(KindEntrance::<ByEvents<Chain>> { context: traits.chains(by), inbox, load })
    }
}
