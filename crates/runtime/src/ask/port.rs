use super::TellFailures;
use crate::{clock::Clock, partition::Door};
use actum_host::{
    Failure, Load,
    cell::{Job, Moment},
    partition::{Delivery, Inbox},
};
use actum_model::{Entity, EntityKey};
use std::{sync::Arc, time::Duration};

/// Where commands for one kind of entity enter a partition of this node.
pub(crate) struct Port<E: Entity> {
    pub(crate) inbox: Arc<Inbox<E>>,
    pub(crate) door: Arc<Door>,
    pub(crate) load: Arc<Load>,
    pub(crate) clock: Clock,
    pub(crate) ask_timeout: Duration,
    pub(crate) tells: Arc<TellFailures>,
}

impl<E: Entity> Port<E> {
    /// Leaves a command in the inbox; answers it at once when it is not taken.
    pub(crate) fn deliver(&self, key: EntityKey, job: Box<dyn Job<E>>) {
        if let Err((job, failure)) = self.try_deliver(key, job) {
            job.settle(Err(failure));
        }
    }

    /// Leaves a command in the inbox, or gives it back with the reason.
    pub(crate) fn try_deliver(
        &self,
        key: EntityKey,
        job: Box<dyn Job<E>>,
    ) -> Result<(), (Box<dyn Job<E>>, Failure)> {
        if let Err(failure) = self.load.admit() {
            return Err((job, failure));
        }
        match self.inbox.push(Delivery { key, job }) {
            Ok(()) => {
                self.door.knock();
                Ok(())
            }
            Err((delivery, failure)) => {
                self.load.answered(1);
                Err((delivery.job, failure))
            }
        }
    }

    pub(crate) fn deadline(&self, timeout: Option<Duration>) -> Moment {
        self.clock.now().after(timeout.unwrap_or(self.ask_timeout))
    }
}
