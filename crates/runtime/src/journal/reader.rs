use super::{
    queries,
    read_room::{HeldRoom, ReadRoom},
    read_sink::ReadSink,
    wanted_read::{Answers, WantedRead},
};
use actum_host::{
    cell::{Read, Ticket},
    partition::Found,
};
use actum_model::Partition;
use actum_persistence::{
    panics::{guarded, log_safely},
    store::{PageLimit, StoreError, Stores},
};
use parking_lot::Mutex;
use std::{collections::VecDeque, num::NonZeroU32};
use tokio::sync::Notify;

/// Reads for entities that recover: those that wake while one query runs go together into the next.
///
/// A fixed number of tasks bounds how many reads are under way, and [`ReadRoom`] how many bytes they bring.
pub(crate) struct Reader {
    waiting: Mutex<VecDeque<WantedRead>>,
    more: Notify,
    batch_max: NonZeroU32,
    room: ReadRoom,
}

impl Reader {
    /// Reads for up to `batch_max` entities at once, in `readers` tasks that hold up to `bytes_max` bytes.
    pub(crate) fn new(batch_max: NonZeroU32, readers: u32, bytes_max: usize) -> Self {
        let room = ReadRoom::new(bytes_max, readers);
        Self { waiting: Mutex::default(), more: Notify::new(), batch_max, room }
    }

    pub(crate) fn submit(
        &self,
        partition: Partition,
        reads: impl IntoIterator<Item = (Read, Ticket)>,
    ) {
        let wanted = reads.into_iter().map(|(read, ticket)| WantedRead { partition, read, ticket });
        self.waiting.lock().extend(wanted);
        self.more.notify_one();
    }

    /// Serves reads, and hands what they bring to `sink`; until the task is aborted.
    pub(crate) async fn run(&self, stores: &Stores, sink: &dyn ReadSink, limit: PageLimit) {
        loop {
            let share = self.room.share().await;
            let batch = self.next_batch();
            if batch.is_empty() {
                drop(share);
                self.more.notified().await;
                continue;
            }
            let limit = self.room.page(limit, batch.len());
            // a store that panics fails its readers, not the reader of all
            let answers = match guarded(queries::answer(stores, &batch, limit)).await {
                Ok(answers) => answers,
                Err(what) => {
                    log_safely(|| tracing::error!(panic = what, "store panicked while reading"));
                    batch
                        .iter()
                        .map(|_| Err(StoreError::unavailable("reading an entity", what.clone())))
                        .collect()
                }
            };
            let held = self.room.divide(share, &answers);
            deliver(batch, answers, held, sink);
        }
    }

    fn next_batch(&self) -> Vec<WantedRead> {
        let mut waiting = self.waiting.lock();
        let count = waiting.len().min(self.room.entities(self.batch_max));
        let batch = waiting.drain(..count).collect();
        if !waiting.is_empty() {
            self.more.notify_one(); // there is enough for another task
        }
        batch
    }
}

fn deliver(batch: Vec<WantedRead>, answers: Answers, held: Vec<HeldRoom>, sink: &dyn ReadSink) {
    debug_assert_eq!(batch.len(), answers.len(), "every read is answered");
    for ((wanted, answer), held) in batch.into_iter().zip(answers).zip(held) {
        let answer = match (wanted.read.record_of(), answer) {
            // it says which read has failed
            (Some(sequence_nr), Err(error)) => Ok(Found::Record { sequence_nr, found: Err(error) }),
            (_, answer) => answer,
        };
        sink.found(wanted.partition, wanted.ticket, answer, held);
    }
}
