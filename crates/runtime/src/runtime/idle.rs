//! A runtime for tests of what is around its entities.

use super::Runtime;
use crate::{Registration, settings::EntitySettings};
use actum_model::{Ctx, Effect, Entity, EventSourced, Handle, PartitionCount};
use actum_persistence::store::JournalLayout;
use actum_store_memory::MemoryStore;
use std::convert::Infallible;

/// Counts.
pub(crate) struct Counter(pub(crate) u64);

impl Entity for Counter {
    const KIND: &'static str = "counter";
    type Id = String;
    type Env = ();
    type Event = u64;
    type Commands = (u64,);

    fn initial(_: &String) -> Self {
        Self(0)
    }
}

impl EventSourced for Counter {
    fn apply(&mut self, event: &u64) {
        self.0 += event;
    }
}

/// Adds, and answers with the sum.
impl Handle<u64> for Counter {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, more: u64, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
        Ok(Effect::persist(more).reply_with(|counter: &Self| counter.0))
    }
}

/// Runs counters, in so many partitions.
pub(crate) async fn start_idle(partitions: u16) -> Runtime {
    let partitions = PartitionCount::new(partitions).expect("a count is not zero");
    let layout = JournalLayout { partitions, ..JournalLayout::default() };
    let stores = Some(MemoryStore::with_layout(layout).into());
    let kinds = vec![Registration::event_sourced::<Counter>((), EntitySettings::default())];
    Runtime::start("idle", stores, kinds, Default::default()).await.expect("it starts")
}
