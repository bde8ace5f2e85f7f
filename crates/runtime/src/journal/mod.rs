//! What partitions send to the stores: writes to the lane writers, reads to the readers, snapshots to the saver.

mod queries;
mod read_room;
mod read_sink;
mod reader;
mod retention;
mod saver;
mod wanted_read;

pub(crate) use read_room::HeldRoom;
pub(crate) use read_sink::ReadSink;
pub(crate) use reader::Reader;
pub(crate) use retention::{Decode, Retention};
pub(crate) use saver::Saver;

use actum_host::cell::{CHANGE_BYTES, Read, TakenSnapshot, Ticket};
use actum_model::{Lane, Partition};
use actum_persistence::{
    Weight,
    group_commit::LaneQueue,
    store::{EntityAppend, StateWrite},
};
use std::sync::Arc;

/// The ways to the stores, shared by all partitions.
pub(crate) struct StoreAccess {
    lanes: Box<[Arc<LaneQueue<EntityAppend, Ticket>>]>,
    states: Arc<LaneQueue<StateWrite, Ticket>>,
    reader: Arc<Reader>,
    saver: Arc<Saver>,
}

impl StoreAccess {
    pub(crate) fn new(
        lanes: Vec<Arc<LaneQueue<EntityAppend, Ticket>>>,
        states: Arc<LaneQueue<StateWrite, Ticket>>,
        reader: Arc<Reader>,
        saver: Arc<Saver>,
    ) -> Self {
        Self { lanes: lanes.into(), states, reader, saver }
    }

    /// `is_alone` when the engine holds no other command. Says whether it woke the writer.
    pub(crate) fn append(
        &self,
        lane: Lane,
        appends: impl Iterator<Item = (EntityAppend, Ticket)>,
        is_alone: bool,
    ) -> bool {
        let lane = &self.lanes[lane.index()];
        if is_alone { lane.submit_alone(appends) } else { lane.submit(appends) }
    }

    /// As [`append`](Self::append).
    pub(crate) fn write(
        &self,
        writes: impl Iterator<Item = (StateWrite, Ticket)>,
        is_alone: bool,
    ) -> bool {
        if is_alone { self.states.submit_alone(writes) } else { self.states.submit(writes) }
    }

    pub(crate) fn read(
        &self,
        partition: Partition,
        reads: impl IntoIterator<Item = (Read, Ticket)>,
    ) {
        self.reader.submit(partition, reads);
    }

    pub(crate) fn save(&self, snapshots: impl Iterator<Item = TakenSnapshot>) {
        self.saver.submit(snapshots);
    }

    /// How many bytes wait to be written, those under way included.
    pub(crate) fn queued_bytes(&self) -> usize {
        let room = |weight: Weight| weight.bytes + weight.events * CHANGE_BYTES;
        let appends: usize = self.lanes.iter().map(|lane| room(lane.pending())).sum();
        appends + room(self.states.pending())
    }
}
