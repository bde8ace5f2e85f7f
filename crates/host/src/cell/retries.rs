use super::{Identity, Job, Settlements, Verdict, Waiting};
use crate::{Failure, Moment};
use actum_model::{Entity, SequenceNr};
use std::collections::VecDeque;

/// Commands whose ids the entity seems to remember, while they wait for what was recorded the first time: until that is
/// durable, and then until it is read.
pub struct Retries<E: Entity>(Vec<Retry<E>>);

/// One of them.
pub struct Retry<E: Entity> {
    pub job: Box<dyn Job<E>>,
    pub identity: Identity,
    /// The last change of the command that has its id, as far as the hash can say.
    pub first: SequenceNr,
    /// Whether the record of that change is on its way.
    reads: bool,
    /// Changes of commands whose ids have the same hash and are others.
    pub tried: Vec<SequenceNr>,
}

impl<E: Entity> Retry<E> {
    pub fn new(job: Box<dyn Job<E>>, identity: Identity) -> Self {
        Self { job, identity, first: SequenceNr::ZERO, reads: false, tried: Vec::new() }
    }
}

impl<E: Entity> Retries<E> {
    pub fn none() -> Self {
        Self(Vec::new())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets a retry wait for the record of its `first`.
    pub fn wait(&mut self, retry: Retry<E>) {
        self.0.push(Retry { reads: false, ..retry });
    }

    /// Whose records must be read now that everything up to `durable` is: each once, however many wait for it.
    pub fn due(&mut self, durable: SequenceNr) -> Vec<SequenceNr> {
        let mut due = Vec::new();
        for at in 0..self.0.len() {
            let Retry { first, reads, .. } = self.0[at];
            if reads || first > durable {
                continue;
            }
            if !self.0.iter().any(|other| other.reads && other.first == first) {
                due.push(first);
            }
            self.0[at].reads = true;
        }
        due
    }

    /// Takes those that wait for this record.
    pub fn take(&mut self, first: SequenceNr) -> VecDeque<Retry<E>> {
        self.0.extract_if(.., |retry| retry.reads && retry.first == first).collect()
    }

    /// An append has failed, and everything behind `durable` with it: those whose first time was among it get what it
    /// means to them, the others come back.
    pub fn fail(
        self,
        durable: SequenceNr,
        verdict: impl Fn(SequenceNr) -> Verdict,
        settled: &mut Settlements<E>,
    ) -> Waiting<E> {
        let mut others = Waiting::none();
        for retry in self.0 {
            if retry.first > durable {
                settled.settle(retry.job, verdict(retry.first));
            } else {
                others.push(retry.job);
            }
        }
        others
    }

    /// Takes all of them.
    pub fn into_jobs(self) -> impl Iterator<Item = (Box<dyn Job<E>>, SequenceNr)> {
        self.0.into_iter().map(|retry| (retry.job, retry.first))
    }

    /// Answers those whose callers have stopped waiting: their first time may be applied. Says when the next one does.
    pub fn expire(&mut self, now: Moment, settled: &mut Settlements<E>) -> Moment {
        let late = self.0.extract_if(.., |retry| retry.job.envelope().deadline <= now);
        for retry in late {
            settled.settle(retry.job, Err(Failure::Timeout { maybe_applied: true }));
        }
        self.0.iter().map(|retry| retry.job.envelope().deadline).min().unwrap_or(Moment::NEVER)
    }
}
