use super::TellFailures;
use crate::{
    clock::Clock,
    partition::{PartitionHandle, PartitionHandles, PartitionTable},
};
use actum_host::{
    Failure, Load,
    cell::{Job, Moment},
    partition::{Delivery, Inbox},
};
use actum_model::{Entity, EntityKey};
use std::{sync::Arc, time::Duration};

/// Where commands for one kind of entity enter the engine. Which partition a command is for, and whether that is open here,
/// is decided as it is delivered.
pub(crate) struct Entrance<E: Entity> {
    ports: PartitionTable<Port<E>>,
    load: Arc<Load>,
    clock: Clock,
    ask_timeout: Duration,
    pub(super) tells: Arc<TellFailures>,
}

/// Where they enter one partition.
struct Port<E: Entity> {
    inbox: Arc<Inbox<E>>,
    handle: Arc<PartitionHandle>,
}

impl<E: Entity> Entrance<E> {
    pub(crate) fn new(
        inboxes: &PartitionTable<Arc<Inbox<E>>>,
        handles: &PartitionHandles,
        load: Arc<Load>,
        clock: Clock,
        ask_timeout: Duration,
        tells: Arc<TellFailures>,
    ) -> Self {
        let ports = PartitionTable::new(handles.count(), |partition| Port {
            inbox: Arc::clone(&inboxes[partition]),
            handle: Arc::clone(&handles[partition]),
        });
        Self { ports, load, clock, ask_timeout, tells }
    }

    /// Leaves a command in the inbox of its partition; answers it at once when it is not taken.
    pub(crate) fn deliver(&self, key: EntityKey, job: Box<dyn Job<E>>) {
        if let Err((job, failure)) = self.try_deliver(key, job) {
            job.settle(Err(failure));
        }
    }

    /// Leaves a command in the inbox of its partition, or gives it back with the reason.
    pub(crate) fn try_deliver(
        &self,
        key: EntityKey,
        job: Box<dyn Job<E>>,
    ) -> Result<(), (Box<dyn Job<E>>, Failure)> {
        if let Err(failure) = self.load.admit() {
            return Err((job, failure));
        }
        let partition = key.partition(self.ports.count());
        let Port { inbox, handle } = &self.ports[partition];
        match inbox.push(Delivery { key, job }) {
            Ok(()) => {
                handle.notify();
                Ok(())
            }
            Err((Delivery { job, .. }, why)) => {
                self.load.answered(1);
                Err((job, why.into_failure(partition)))
            }
        }
    }

    pub(crate) fn deadline(&self, timeout: Option<Duration>) -> Moment {
        self.clock.now().after(timeout.unwrap_or(self.ask_timeout))
    }
}
