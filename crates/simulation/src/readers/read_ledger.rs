use super::{ReaderScene, RowTable};
use crate::journal::{EventAtNr, Journal};
use actum_model::{Lane, Offset, Position};
use actum_persistence::progress::{DeadLetterPlace, Epoch, Segment, StoredProjection};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What the readers have done, as the promises need it: it learns of every event that was handled, every save that was kept and
/// every claim, and asks the journal for the rest.
pub(super) struct ReadLedger {
    pub(super) scene: ReaderScene,
    /// By entity, by number.
    pub(super) marks: Vec<Vec<Mark>>,
    pub(super) holders: BTreeMap<Segment, Option<Holding>>,
    /// By partition: the epoch of the last claim.
    pub(super) epochs: Vec<Epoch>,
    pub(super) saved: BTreeMap<Segment, Offset>,
    /// By entity.
    pub(super) parked: BTreeMap<u32, HeldBack>,
    pub(super) letters: BTreeMap<DeadLetterPlace, EventAtNr>,
    /// How often each event has failed since it was given up last.
    pub(super) tries: BTreeMap<EventAtNr, u32>,
    pub(super) lives: Vec<LifeOfRunner>,
    pub(super) violations: Vec<String>,
}

/// What has happened to an event.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// How often it was handled since the last rewind to before it.
    pub(super) times: u32,
    /// Whether it was ever handled.
    pub(super) was_seen: bool,
    /// In which epoch of its segment it was handled last.
    pub(super) epoch: Epoch,
    /// Whether later ones may go first: it was a dead letter, or was discarded.
    pub(super) is_skipped: bool,
    /// Whether that was ever so, whatever was rewound since.
    pub(super) was_skipped: bool,
    /// Whether it may stay unhandled for ever.
    pub(super) is_discarded: bool,
}

/// Who runs a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holding {
    pub(super) epoch: Epoch,
    pub(super) life: usize,
}

/// The events of an entity from this one on are held back.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeldBack {
    pub(super) from: u64,
    /// Whether it was asked to be replayed since it was parked.
    pub(super) may_replay: bool,
    /// Whether it was asked to be discarded since then.
    pub(super) may_discard: bool,
}

pub(super) struct LifeOfRunner {
    pub(super) name: Arc<str>,
    pub(super) renewed: Option<Duration>,
    pub(super) has_left: bool,
}

impl Mark {
    /// Later ones may go first.
    pub(super) fn skip(&mut self) {
        (self.is_skipped, self.was_skipped) = (true, true);
    }

    /// It comes again.
    fn begin_again(&mut self) {
        let Self { was_seen, was_skipped, epoch, .. } = *self;
        *self = Self { was_seen, was_skipped, epoch, ..Self::default() };
    }
}

impl ReadLedger {
    pub(super) fn new(scene: &ReaderScene, stored: &StoredProjection) -> Self {
        let segments = stored.segments.iter();
        let saved = segments.map(|one| (one.segment, one.progress.offset().clone()));
        Self {
            marks: vec![Vec::new(); scene.wanted.len()],
            scene: scene.clone(),
            holders: BTreeMap::new(),
            epochs: vec![Epoch::default(); usize::from(scene.layout.partitions.get())],
            saved: saved.collect(),
            parked: BTreeMap::new(),
            letters: BTreeMap::new(),
            tries: BTreeMap::new(),
            lives: Vec::new(),
            violations: Vec::new(),
        }
    }

    pub(super) fn wrong(&mut self, what: String) {
        self.violations.push(what);
    }

    /// The mark of an event.
    pub(super) fn mark(&mut self, at: EventAtNr) -> &mut Mark {
        let marks = &mut self.marks[at.entity as usize];
        if marks.len() < at.nr as usize {
            marks.resize(at.nr as usize, Mark::default());
        }
        &mut marks[at.nr as usize - 1]
    }

    /// An event was handled: for a target that is exact, its row is kept; for another one, the consumer was called.
    pub(super) fn handled(&mut self, at: EventAtNr, segment: Segment, epoch: Epoch) {
        let is_exact = self.scene.rules.is_exact;
        let held = self.parked.get(&at.entity).filter(|held| held.from <= at.nr);
        // one that was replaced may call a consumer, and knows nothing of what was parked since
        let holder = self.holders.get(&segment).copied().flatten();
        let is_holder = holder.is_some_and(|holder| holder.epoch == epoch);
        if let Some(held) = held.filter(|held| is_holder && !held.may_replay) {
            self.wrong(format!("{at:?} is handled, and held back: {held:?}"));
        }
        let mark = *self.mark(at);
        if mark.times > 0 && is_exact {
            self.wrong(format!("{at:?} is handled twice"));
        }
        if (is_exact && mark.times == 0) || !mark.was_seen {
            let is_done = |mark: &Mark| {
                mark.is_skipped
                    || if is_exact { mark.times > 0 } else { mark.was_seen }
                    || (mark.was_skipped && !is_holder) // it does not know of a rewind
            };
            // those in front of that one were checked when it was handled
            let before = at.nr.checked_sub(2).map(|at_before| at_before as usize);
            let before = before.map(|place| self.marks[at.entity as usize][place]);
            if before.is_some_and(|before| !is_done(&before)) {
                self.wrong(format!("{at:?} is handled in front of the event before it"));
            }
        }
        let mark = self.mark(at);
        (mark.times, mark.was_seen) = (mark.times + 1, true);
        mark.epoch = mark.epoch.max(epoch);
    }

    /// An event could not be handled by its handler.
    pub(super) fn tried(&mut self, at: EventAtNr) {
        *self.tries.entry(at).or_default() += 1;
    }

    /// Everything begins behind `to` again: what is parked is forgotten, and so are dead letters behind that.
    pub(super) fn rewound(&mut self, to: &Offset, journal: &Journal) {
        let is_behind = |at: EventAtNr, lane: Lane| journal.event(at).position > to.position(lane);
        for (entity, held) in std::mem::take(&mut self.parked) {
            let lane = self.lane_of(entity, journal);
            for nr in held.from..=journal.events_of(entity).len() as u64 {
                let at = EventAtNr { entity, nr };
                if !is_behind(at, lane) && self.mark(at).times == 0 {
                    let mark = self.mark(at);
                    mark.skip();
                    mark.is_discarded = true;
                }
            }
        }
        self.letters.retain(|place, _| place.position <= to.position(place.lane));
        for entity in 0..self.marks.len() as u32 {
            let lane = self.lane_of(entity, journal);
            let marks = self.marks[entity as usize].iter_mut();
            for (nr, mark) in (1..).zip(marks) {
                if is_behind(EventAtNr { entity, nr }, lane) {
                    mark.begin_again();
                }
            }
        }
        self.saved.values_mut().for_each(|saved| *saved = to.clone());
        self.holders.values_mut().for_each(|holder| *holder = None);
        self.tries.clear();
    }

    /// Up to which event of an entity everything was read, and is not asked for any more.
    pub(super) fn read_of(&self, entity: u32, journal: &Journal) -> u64 {
        if !self.wants(entity) {
            return u64::MAX;
        }
        let (lane, partition) = (self.lane_of(entity, journal), journal.partition_of(entity));
        let saved = self.saved.iter().find(|(segment, _)| segment.contains(partition));
        let read_to = saved.map_or(Position::ZERO, |(_, saved)| saved.position(lane));
        let read = journal.events_of(entity).partition_point(|event| event.position <= read_to);
        let parked = self.parked.get(&entity).map(|held| held.from - 1);
        let letters = self.letters.values().filter(|at| at.entity == entity).map(|at| at.nr - 1);
        letters.chain(parked).chain([read as u64]).min().unwrap_or_default()
    }

    /// What the rows are, by the journal, as far as each segment has come.
    pub(super) fn fold(&self, journal: &Journal) -> RowTable {
        let mut rows = RowTable::new(self.scene.wanted.len());
        let entities = (0..self.scene.wanted.len() as u32).filter(|entity| self.wants(*entity));
        for entity in entities {
            let (lane, partition) = (self.lane_of(entity, journal), journal.partition_of(entity));
            let saved = self.saved.iter().find(|(segment, _)| segment.contains(partition));
            let read_to = saved.map_or(Position::ZERO, |(_, saved)| saved.position(lane));
            let held = self.parked.get(&entity).map_or(u64::MAX, |held| held.from);
            for (nr, event) in (1..held).zip(journal.events_of(entity)) {
                let at = EventAtNr { entity, nr };
                let mark = self.marks[entity as usize].get(nr as usize - 1);
                let is_out = mark.is_some_and(|mark| mark.is_discarded && mark.times == 0)
                    || self.letters.get(&DeadLetterPlace { lane, position: event.position })
                        == Some(&at);
                if event.position <= read_to && !is_out {
                    rows.add(at, journal);
                }
            }
        }
        rows
    }

    pub(super) fn wants(&self, entity: u32) -> bool {
        self.scene.wanted[entity as usize]
    }

    pub(super) fn lane_of(&self, entity: u32, journal: &Journal) -> Lane {
        Lane::of_partition(journal.partition_of(entity), self.scene.layout.lanes)
    }

    /// At the end everything is handled but what was discarded, and nothing is held back.
    pub(super) fn check_end(&mut self, journal: &Journal) {
        let mut missing = Vec::new();
        for entity in (0..self.scene.wanted.len() as u32).filter(|entity| self.wants(*entity)) {
            let marks = &self.marks[entity as usize];
            for nr in 1..=journal.events_of(entity).len() {
                let mark = marks.get(nr - 1).copied().unwrap_or_default();
                if mark.times == 0 && !mark.is_discarded {
                    missing.push(format!("event {nr} of {entity} was never handled"));
                }
            }
        }
        self.violations.append(&mut missing);
        let left = self.parked.len() + self.letters.len();
        if left > 0 {
            self.wrong(format!("{left} entities and events are held back for ever"));
        }
    }
}
