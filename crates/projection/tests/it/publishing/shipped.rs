use crate::account::Account;
use actum_projection::{Projection, Publishing};
use actum_testkit::MemoryBroker;

/// A publisher of accounts to this broker.
pub(super) fn publisher(broker: &MemoryBroker) -> Projection<Publishing<MemoryBroker>> {
    Projection::publisher("orders", broker.clone()).from::<Account>()
}

/// The ids of what has come, in order.
pub(super) fn ids(broker: &MemoryBroker) -> Vec<String> {
    broker.messages().iter().map(|message| message.id().to_string()).collect()
}

/// The numbers of what has come of an account, in order.
pub(super) fn numbers(broker: &MemoryBroker, id: &str) -> Vec<u64> {
    let messages = broker.messages();
    let of_account = messages.iter().filter(|message| message.entity().id() == id);
    of_account.map(|message| message.recorded().sequence_nr.get()).collect()
}
