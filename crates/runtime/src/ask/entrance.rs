use super::TellFailures;
use crate::{
    clock::Clock,
    elsewhere::Route,
    partition::{PartitionHandle, PartitionHandles, PartitionTable},
    settings::{CallerContext, ObserverRef},
};
use actum_host::{
    Failure, Load, Moment,
    cell::Job,
    partition::{Delivery, Inbox, NotTaken},
};
use actum_model::{Entity, EntityKey, Metadata, Partition};
use std::{sync::Arc, time::Duration};

/// Where commands for one kind of entity enter the engine. Which partition a command is for, and whether that is open here,
/// is decided as it is delivered.
pub(crate) struct Entrance<E: Entity> {
    ports: PartitionTable<Port<E>>,
    parts: EntranceParts,
}

/// Where they enter one partition.
struct Port<E: Entity> {
    inbox: Arc<Inbox<E>>,
    handle: Arc<PartitionHandle>,
}

/// What an entrance consists of beside its partitions.
#[derive(Clone)]
pub(crate) struct EntranceParts {
    pub(crate) load: Arc<Load>,
    pub(crate) clock: Clock,
    pub(crate) ask_timeout: Duration,
    pub(crate) tells: Arc<TellFailures>,
    pub(crate) caller_context: Option<CallerContext>,
    pub(crate) observer: Option<ObserverRef>,
    /// The way of commands whose partition is not open here.
    pub(crate) route: Option<Route>,
}

/// A command that was not taken, and why.
type NotDelivered<E> = (Box<dyn Job<E>>, Failure);

impl<E: Entity> Entrance<E> {
    pub(crate) fn new(
        inboxes: &PartitionTable<Arc<Inbox<E>>>,
        handles: &PartitionHandles,
        parts: EntranceParts,
    ) -> Self {
        let ports = PartitionTable::new(handles.count(), |partition| Port {
            inbox: Arc::clone(&inboxes[partition]),
            handle: Arc::clone(&handles[partition]),
        });
        Self { ports, parts }
    }

    /// Leaves a command in the inbox of its partition, or sends it to where that is open; answers it at once when it is not
    /// taken.
    pub(super) fn deliver(&self, key: EntityKey, job: Box<dyn Job<E>>) {
        if let Err((job, failure)) = self.try_deliver(key, job) {
            job.settle(Err(failure));
        }
    }

    /// As [`Entrance::deliver`], and gives the command back with the reason when it is not taken.
    pub(super) fn try_deliver(
        &self,
        key: EntityKey,
        job: Box<dyn Job<E>>,
    ) -> Result<(), NotDelivered<E>> {
        let entered = self.leave(key, job);
        if let (Some(observer), Err((job, failure))) = (&self.parts.observer, &entered) {
            observer.refused(E::KIND, job.command(), failure);
        }
        entered
    }

    fn leave(&self, key: EntityKey, job: Box<dyn Job<E>>) -> Result<(), NotDelivered<E>> {
        if let Err(failure) = self.parts.load.admit() {
            return Err((job, failure));
        }
        let partition = key.partition(self.ports.count());
        let Port { inbox, handle } = &self.ports[partition];
        let observed = self.parts.observer.as_ref().map(|observer| (observer, job.command()));
        match inbox.push(Delivery { key, job }) {
            Ok(()) => {
                if let Some((observer, command)) = observed {
                    observer.admitted(E::KIND, command);
                }
                handle.notify();
                Ok(())
            }
            Err((delivery, why)) => self.not_taken(partition, delivery, why),
        }
    }

    /// Away from the path of a command that is taken.
    #[cold]
    fn not_taken(
        &self,
        partition: Partition,
        Delivery { key, job }: Delivery<E>,
        why: NotTaken,
    ) -> Result<(), NotDelivered<E>> {
        match (why, &self.parts.route) {
            (NotTaken::NotHere, Some(route)) => {
                match job.into_portable() {
                    Some(job) => route.send(partition, key, job),
                    None => self.parts.load.answered(1), // it was dropped, and has answered its caller
                }
                Ok(())
            }
            (why, _) => {
                self.parts.load.answered(1);
                Err((job, why.into_failure(partition)))
            }
        }
    }

    pub(super) fn deadline(&self, timeout: Option<Duration>) -> Moment {
        self.parts.clock.now().after(timeout.unwrap_or(self.parts.ask_timeout))
    }

    /// What was given with a command, and what the caller's context adds.
    pub(super) fn metadata(&self, given: Metadata) -> Metadata {
        match &self.parts.caller_context {
            None => given,
            Some(context) => context.add_to(given),
        }
    }

    /// Where failures of commands go for which no caller waits.
    pub(super) fn tells(&self) -> &Arc<TellFailures> {
        &self.parts.tells
    }
}
