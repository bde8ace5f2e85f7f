use super::{AskStage, EarlyEnd, GivenUp, Job, Settlements};
use crate::{Bound, Failure, Moment};
use actum_model::Entity;
use std::collections::{VecDeque, vec_deque};

/// Commands that wait for their entity, in order.
pub struct Waiting<E: Entity>(VecDeque<Box<dyn Job<E>>>);

impl<E: Entity> Waiting<E> {
    pub fn none() -> Self {
        Self(VecDeque::new())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &dyn Job<E>> {
        self.0.iter().map(|job| &**job)
    }

    pub fn push(&mut self, job: Box<dyn Job<E>>) {
        self.0.push_back(job);
    }

    /// Puts others behind them, and leaves those empty.
    pub fn append(&mut self, others: &mut Self) {
        self.0.append(&mut others.0);
    }

    /// Lets a command wait, if fewer than `max` do.
    pub fn stash(&mut self, job: Box<dyn Job<E>>, max: usize, settled: &mut Settlements<E>) {
        if self.0.len() >= max {
            settled.settle(job, Err(Failure::Overloaded { bound: Bound::EntityCommands }));
        } else {
            self.0.push_back(job);
        }
    }

    /// Answers those whose callers have stopped waiting; says when the next one does.
    pub fn expire(&mut self, now: Moment, settled: &mut Settlements<E>) -> Moment {
        let mut next = Moment::NEVER;
        for job in std::mem::take(&mut self.0) {
            let deadline = job.envelope().deadline;
            if deadline <= now {
                let maybe_applied = is_begun(&*job);
                settled.settle(job, Err(Failure::Timeout { maybe_applied }));
            } else {
                next = next.min(deadline);
                self.0.push_back(job);
            }
        }
        next
    }

    /// Answers them because they will not be handled. Of one that was begun before the first time may well be stored.
    pub fn abandon(self, why: &GivenUp, settled: &mut Settlements<E>) {
        for job in self.0 {
            let failure = EarlyEnd::Abandoned(why).failure(is_begun(&*job));
            settled.settle(job, Err(failure));
        }
    }

    /// Answers them with a failure.
    pub fn fail(self, failure: &Failure, settled: &mut Settlements<E>) {
        for job in self.0 {
            settled.settle(job, Err(failure.clone()));
        }
    }
}

/// Whether a command was begun before: a retry that waits for the second time, and whose first time may well be stored.
pub(super) fn is_begun<E: Entity>(job: &dyn Job<E>) -> bool {
    job.open_ask().is_some_and(|ask| ask.stage() == AskStage::Begun)
}

impl<E: Entity> IntoIterator for Waiting<E> {
    type Item = Box<dyn Job<E>>;
    type IntoIter = vec_deque::IntoIter<Box<dyn Job<E>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<E: Entity> FromIterator<Box<dyn Job<E>>> for Waiting<E> {
    fn from_iter<I: IntoIterator<Item = Box<dyn Job<E>>>>(jobs: I) -> Self {
        Self(jobs.into_iter().collect())
    }
}

impl<E: Entity> Default for Waiting<E> {
    fn default() -> Self {
        Self::none()
    }
}
