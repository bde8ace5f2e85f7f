//! The journal of the simulation: what a store owes, in memory and at once, with outcomes that come late.

mod appends;
mod batch;
mod lanes;
mod reads;
mod snapshots;
mod states;

pub(crate) use batch::{Batch, HeldBy, Written};
pub(crate) use lanes::EventAtNr;
pub(crate) use snapshots::Kept;

use super::{Dice, Scene};
use actum_host::cell::TakenSnapshot;
use actum_model::{EntityKey, Partition, Timestamp};
use actum_persistence::store::{
    CommandRecord, EventId, Incarnation, JournalLayout, StateRecord, StoreError, StoredCommand,
    StoredEvent,
};
use bytes::Bytes;
use std::collections::{BTreeMap, HashSet};

/// Everything that is stored.
pub(crate) struct Journal {
    pub(crate) layout: JournalLayout,
    /// Who may write.
    fence: Incarnation,
    /// The position of the last event of every lane.
    heads: Vec<u64>,
    /// The events of every lane, in order.
    lanes: Vec<Vec<EventAtNr>>,
    /// By entity.
    members: Vec<(EntityKey, Partition)>,
    histories: Vec<History>,
    records: Vec<Option<StateRecord>>,
    /// By entity, the commands of durable states.
    commands: Vec<BTreeMap<u64, (StoredCommand, Bytes)>>,
    /// By entity, how many of those one read brings.
    commands_read_max: Vec<usize>,
    snapshots: Vec<Vec<Kept>>,
    event_ids: HashSet<EventId>,
    write_ids: HashSet<EventId>,
    /// Transactions whose writers have lost sight of them: they commit later, or never.
    pub(crate) late_appends: Vec<Batch<actum_persistence::store::EntityAppend>>,
    pub(crate) late_writes: Vec<Batch<actum_persistence::store::StateWrite>>,
    /// Snapshots whose savers have died: they are saved later, or never.
    pub(crate) late_snapshots: Vec<TakenSnapshot>,
    /// What was stored and the ledger has not seen.
    pub(crate) stored: Vec<Stored>,
    /// Requests that break the contract of a store.
    pub(crate) misuses: Vec<String>,
}

/// The events of one entity.
#[derive(Default)]
struct History {
    /// All of them, deleted or not.
    events: Vec<StoredEvent>,
    /// How many are deleted.
    floor: u64,
}

/// What one write of one entity has stored.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) entity: u32,
    /// How many changes the entity had before.
    pub(crate) expected: u64,
    pub(crate) changes: Vec<StoredChange>,
    /// With a durable state: its commands, and up to which they are not needed any more.
    pub(crate) commands: Option<(Vec<CommandRecord>, u64)>,
}

/// One event, or one revision.
#[derive(Clone, Debug)]
pub(crate) struct StoredChange {
    /// The command it comes from.
    pub(crate) nr: u32,
    /// Which change of it, of how many.
    pub(crate) part: (u64, u64),
    /// The state after it, where it is stored whole.
    pub(crate) digest: Option<u64>,
    pub(crate) position: u64,
    /// Unknown for all but the last revision of a write.
    pub(crate) timestamp: Option<Timestamp>,
}

/// Who writes underneath the engines.
const FOREIGNER: Incarnation = Incarnation::new(u64::MAX);

impl Journal {
    pub(crate) fn new(scene: &Scene) -> Self {
        let (layout, entities) = (scene.layout, scene.entities.len());
        let reads_max = scene.entities.iter().map(|e| scene.kinds[e.kind].commands_read_max);
        Self {
            layout,
            commands_read_max: reads_max.collect(),
            fence: Incarnation::new(0),
            heads: vec![0; usize::from(layout.lanes.get())],
            lanes: vec![Vec::new(); usize::from(layout.lanes.get())],
            members: scene.entities.iter().map(|e| (e.key.clone(), e.partition)).collect(),
            histories: (0..entities).map(|_| History::default()).collect(),
            records: vec![None; entities],
            commands: vec![BTreeMap::new(); entities],
            snapshots: (0..entities).map(|_| Vec::new()).collect(),
            event_ids: HashSet::new(),
            write_ids: HashSet::new(),
            late_appends: Vec::new(),
            late_writes: Vec::new(),
            late_snapshots: Vec::new(),
            stored: Vec::new(),
            misuses: Vec::new(),
        }
    }

    /// Gives the writer slot to a new incarnation. What is under way of the former one ends before: it commits or not.
    pub(crate) fn claim(&mut self, dice: &mut Dice) -> Incarnation {
        while self.commit_late(dice, 500) {}
        self.fence = Incarnation::new(self.fence.get() + 1);
        self.fence
    }

    /// Lets a transaction that no process waits for end: it commits in so many of a thousand cases. Says whether there was
    /// one.
    pub(crate) fn commit_late(&mut self, dice: &mut Dice, per_mille: u64) -> bool {
        let (appends, writes) = (self.late_appends.len(), self.late_writes.len());
        if appends + writes == 0 {
            return false;
        }
        let at = dice.place(appends + writes);
        if at < appends {
            let batch = self.late_appends.swap_remove(at);
            if dice.chance(per_mille) {
                let _ = Written::execute(self, &batch);
            }
        } else {
            let batch = self.late_writes.swap_remove(at - appends);
            if dice.chance(per_mille) {
                let _ = Written::execute(self, &batch);
            }
        }
        true
    }

    /// How many changes of `entity` are stored.
    pub(crate) fn head(&self, entity: u32) -> u64 {
        let record = self.records[entity as usize].as_ref();
        let revision = record.map_or(0, |record| record.revision.get());
        revision.max(self.histories[entity as usize].events.len() as u64)
    }

    fn check_fence(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        if incarnation == self.fence || incarnation == FOREIGNER {
            return Ok(());
        }
        Err(StoreError::Fenced { incarnation })
    }
}

/// The number of an entity, which is its id.
pub(crate) fn number_of(key: &EntityKey) -> u32 {
    key.id().parse().expect("the ids of the simulation are numbers")
}
