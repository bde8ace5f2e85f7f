use actum_host::{
    cell::{Read, Ticket},
    partition::Found,
};
use actum_model::Partition;
use actum_persistence::store::StoreError;

/// A read that a cell waits for.
pub(super) struct WantedRead {
    pub(super) partition: Partition,
    pub(super) read: Read,
    pub(super) ticket: Ticket,
}

/// What a batch of reads brought, in their order.
pub(super) type Answers = Vec<Result<Found, StoreError>>;
