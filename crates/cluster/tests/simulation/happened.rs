use crate::entity::Tags;
use actum_model::{Offset, Partition};
use actum_persistence::store::Incarnation;
use parking_lot::Mutex;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// What has happened in a run, in its order: the whole run is on one thread.
#[derive(Default)]
pub(crate) struct Happened {
    /// The time of the world, in microseconds.
    now: AtomicU64,
    /// Counts what clients see.
    order: AtomicU64,
    pub(crate) owners: Mutex<Vec<OwnerChange>>,
    pub(crate) removed: Mutex<Vec<Removal>>,
    pub(crate) attempts: Mutex<Vec<Attempt>>,
    pub(crate) wrong: Mutex<Vec<String>>,
}

/// A partition has another owner, for everything behind these heads of the journal.
#[derive(Clone, Debug)]
pub(crate) struct OwnerChange {
    pub(crate) partition: Partition,
    pub(crate) owner: Option<Incarnation>,
    pub(crate) heads: Offset,
}

/// A node was removed from the table by another one.
#[derive(Clone, Debug)]
pub(crate) struct Removal {
    pub(crate) at: Duration,
    pub(crate) node: String,
    #[expect(dead_code, reason = "it is shown when something is wrong")]
    pub(crate) by: Incarnation,
}

/// A command that was sent, once.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) entity: usize,
    #[expect(dead_code, reason = "it is shown when something is wrong")]
    pub(crate) node: String,
    /// What it adds; none where it only reads.
    pub(crate) tag: Option<u64>,
    pub(crate) begun: u64,
    pub(crate) ended: Option<(u64, Outcome)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered(Tags),
    /// Nothing of it was stored, nor will be.
    NotApplied(String),
    MaybeApplied(String),
}

impl Happened {
    pub(crate) fn now(&self) -> Duration {
        Duration::from_micros(self.now.load(Ordering::Relaxed))
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.now.fetch_add(time.as_micros() as u64, Ordering::Relaxed);
    }

    pub(crate) fn begin(&self, entity: usize, node: &str, tag: Option<u64>) -> usize {
        let (node, begun) = (node.to_owned(), self.next());
        let mut attempts = self.attempts.lock();
        attempts.push(Attempt { entity, node, tag, begun, ended: None });
        attempts.len() - 1
    }

    pub(crate) fn end(&self, attempt: usize, outcome: Outcome) {
        let ended = self.next();
        self.attempts.lock()[attempt].ended = Some((ended, outcome));
    }

    pub(crate) fn is_answered(&self, attempt: usize) -> bool {
        let attempts = self.attempts.lock();
        matches!(attempts[attempt].ended, Some((_, Outcome::Answered(_))))
    }

    pub(crate) fn wrong(&self, what: String) {
        self.wrong.lock().push(what);
    }

    fn next(&self) -> u64 {
        self.order.fetch_add(1, Ordering::Relaxed)
    }
}
