use super::{Elsewhere, RoutedCommand, WaitsElsewhere};
use crate::clock::Clock;
use actum_host::{Load, cell::PortableJob};
use actum_model::{EntityKey, Partition};
use std::sync::Arc;

/// The way of commands out of an engine.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) elsewhere: Arc<dyn Elsewhere>,
    pub(crate) waits: Arc<WaitsElsewhere>,
    pub(crate) clock: Clock,
    pub(crate) load: Arc<Load>,
}

impl Route {
    /// Hands over a command that was counted as admitted.
    pub(crate) fn send(&self, partition: Partition, key: EntityKey, job: Box<dyn PortableJob>) {
        let wait = self.waits.begin(job.open_ask());
        let load = Arc::clone(&self.load);
        self.elsewhere.deliver(RoutedCommand::new(partition, key, job, self.clock, load, wait));
    }
}
