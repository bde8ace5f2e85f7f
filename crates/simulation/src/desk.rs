use super::{Scene, Writer};
use actum_host::cell::{Read, TakenSnapshot, Ticket};
use actum_model::{Lane, Partition};
use actum_persistence::store::{EntityAppend, Incarnation, StateWrite};
use std::collections::BTreeSet;

/// What the partitions of a process have on its way to the stores.
pub(crate) struct Desk {
    pub(crate) lanes: Vec<Writer<EntityAppend>>,
    pub(crate) states: Writer<StateWrite>,
    pub(crate) reads: Vec<Asked>,
    pub(crate) snapshots: Vec<TakenSnapshot>,
    /// The cells that have begun to recover.
    pub(crate) recoveries: BTreeSet<(Partition, Ticket)>,
}

/// A read that waits for its answer.
pub(crate) struct Asked {
    pub(crate) read: Read,
    pub(crate) partition: Partition,
    pub(crate) ticket: Ticket,
}

impl Desk {
    pub(crate) fn new(scene: &Scene, incarnation: Incarnation) -> Self {
        let lanes = scene.layout.lanes.iter();
        let settings = &scene.group_commit;
        Self {
            lanes: lanes.map(|lane| Writer::new(lane, incarnation, settings)).collect(),
            states: Writer::new(Lane::new(0), incarnation, settings),
            reads: Vec::new(),
            snapshots: Vec::new(),
            recoveries: BTreeSet::new(),
        }
    }

    pub(crate) fn read(&mut self, read: Read, partition: Partition, ticket: Ticket) {
        self.reads.push(Asked { read, partition, ticket });
    }

    /// Whether nothing is on its way but snapshots.
    pub(crate) fn is_quiet(&self) -> bool {
        self.reads.is_empty() && self.has_written()
    }

    /// Whether no write is on its way.
    pub(crate) fn has_written(&self) -> bool {
        self.states.is_quiet() && self.lanes.iter().all(Writer::is_quiet)
    }
}
