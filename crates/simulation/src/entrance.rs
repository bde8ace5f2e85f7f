use super::{SimJob, Subject};
use actum_host::{
    Failure, Load,
    cell::{Job, KindContext},
    partition::{Delivery, HostedKind, HostedModel, Inbox, KindHost, Refuses},
};
use actum_model::{EntityKey, Partition};
use std::sync::Arc;

/// Where commands for one kind of entity enter a partition, whatever the kind.
pub(crate) trait Entrance {
    /// Leaves a command in the inbox; answers it when it is not taken, and says why.
    fn push(&self, key: EntityKey, job: SimJob) -> Result<(), Failure>;

    /// The cells of that kind, for a new life of the partition.
    fn host(&self, nr: u16) -> Box<dyn HostedKind>;

    fn inbox(&self) -> &dyn Refuses;
}

/// The inbox of one kind, and what its cells need.
pub(crate) struct KindEntrance<M: HostedModel> {
    pub(crate) context: Arc<KindContext<M::Entity>>,
    pub(crate) inbox: Arc<Inbox<M::Entity>>,
    pub(crate) load: Arc<Load>,
}

impl<M: HostedModel<Entity: Subject>> Entrance for KindEntrance<M> {
    fn push(&self, key: EntityKey, job: SimJob) -> Result<(), Failure> {
        let job: Box<dyn Job<M::Entity>> = Box::new(job);
        if let Err(failure) = self.load.admit() {
            job.settle(Err(failure.clone()));
            return Err(failure);
        }
        self.inbox.push(Delivery { key, job }).map_err(|(delivery, why)| {
            let failure = why.into_failure(Partition::new(0));
            self.load.answered(1);
            delivery.job.settle(Err(failure.clone()));
            failure
        })
    }

    fn host(&self, nr: u16) -> Box<dyn HostedKind> {
        let Self { context, inbox, load } = self;
        let host = KindHost::<M>::new(nr, context.clone(), inbox.clone(), load.clone());
        Box::new(host)
    }

    fn inbox(&self) -> &dyn Refuses {
        &*self.inbox
    }
}
