use super::{Job, Verdict};
use actum_model::Entity;
use std::vec::Drain;

/// Commands that are to be answered, each with its verdict.
pub struct Settlements<E: Entity>(Vec<(Box<dyn Job<E>>, Verdict)>);

impl<E: Entity> Settlements<E> {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Answers a command.
    pub fn settle(&mut self, job: Box<dyn Job<E>>, verdict: Verdict) {
        self.0.push((job, verdict));
    }

    /// Takes all of them, in order.
    pub fn drain(&mut self) -> Drain<'_, (Box<dyn Job<E>>, Verdict)> {
        self.0.drain(..)
    }
}

impl<E: Entity> Default for Settlements<E> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
