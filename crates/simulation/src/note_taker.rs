use super::{Log, Note, journal::number_of};
use actum_host::{Failure, LeaveReason, Observer, Outcome, Recovery, SentWrite};
use actum_model::{EntityKey, Revision};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};
use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

/// Writes down what the partitions of one process show.
pub(crate) struct NoteTaker {
    life: u32,
    log: Log,
    /// How many entities are in memory.
    entities: AtomicUsize,
    /// How often a handler has run.
    handled: AtomicUsize,
    /// How many commands were answered by their partitions.
    answered: AtomicUsize,
}

impl NoteTaker {
    pub(crate) fn new(life: u32, log: Log) -> Self {
        let [entities, handled, answered] = Default::default();
        Self { life, log, entities, handled, answered }
    }

    pub(crate) fn entities(&self) -> usize {
        self.entities.load(Relaxed)
    }

    /// So many entities were dropped with their partition.
    pub(crate) fn dropped(&self, entities: usize) {
        self.entities.fetch_sub(entities, Relaxed);
    }

    pub(crate) fn handled_count(&self) -> usize {
        self.handled.load(Relaxed)
    }

    pub(crate) fn answered_count(&self) -> usize {
        self.answered.load(Relaxed)
    }
}

impl Observer for NoteTaker {
    fn handled(&self, _: &'static str, _: &'static str, _: Duration) {
        self.handled.fetch_add(1, Relaxed);
    }

    fn answered(&self, _: &'static str, _: &'static str, _: Outcome) {
        self.answered.fetch_add(1, Relaxed);
    }

    fn activated(&self, entity: &EntityKey) {
        self.entities.fetch_add(1, Relaxed);
        self.log.write(Note::Came { life: self.life, entity: number_of(entity) });
    }

    fn recovered(&self, entity: &EntityKey, recovery: Recovery) {
        let (entity, at) = (number_of(entity), recovery.sequence_nr.get());
        self.log.write(Note::Recovered { life: self.life, entity, at });
    }

    fn read_failed(&self, entity: &EntityKey, error: &StoreError) {
        let (entity, failure) = (number_of(entity), Box::new(Failure::of_read(error.clone())));
        self.log.write(Note::Unread { life: self.life, entity, failure });
    }

    fn left(&self, entity: &EntityKey, reason: LeaveReason) {
        self.entities.fetch_sub(1, Relaxed);
        self.log.write(Note::Left { life: self.life, entity: number_of(entity), reason });
    }

    fn write_sent(&self, entity: &EntityKey, write: SentWrite) {
        let SentWrite { expected, last } = write;
        let (entity, expected, last) = (number_of(entity), expected.get(), last.get());
        self.log.write(Note::Sent { life: self.life, entity, expected, last });
    }

    fn write_settled(&self, entity: &EntityKey, result: &Result<Committed, CommitError>) {
        let result = match result {
            Ok(committed) => Ok(committed.last),
            Err(error) => Err(Box::new(Failure::of_commit(error.clone(), Revision::ZERO))),
        };
        self.log.write(Note::Committed { life: self.life, entity: number_of(entity), result });
    }
}
