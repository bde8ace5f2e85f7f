use super::{Scene, Writer};
use actum_host::cell::{Read, TakenSnapshot, Ticket};
use actum_model::Lane;
use actum_persistence::store::{EntityAppend, Incarnation, StateWrite};

/// What the hosts of a process have on its way to the stores.
pub(crate) struct Desk {
    pub(crate) lanes: Vec<Writer<EntityAppend>>,
    pub(crate) states: Writer<StateWrite>,
    pub(crate) reads: Vec<Asked>,
    pub(crate) snapshots: Vec<TakenSnapshot>,
    pub(crate) bytes_staged: usize,
    pub(crate) bytes_unstaged: usize,
}

/// A read that waits for its answer.
pub(crate) struct Asked {
    pub(crate) read: Read,
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
            bytes_staged: 0,
            bytes_unstaged: 0,
        }
    }

    pub(crate) fn read(&mut self, read: Read, ticket: Ticket) {
        self.reads.push(Asked { read, ticket });
    }

    /// Whether nothing is on its way but snapshots.
    pub(crate) fn is_quiet(&self) -> bool {
        self.reads.is_empty() && self.states.is_quiet() && self.lanes.iter().all(Writer::is_quiet)
    }
}
