use super::HeldRoom;
use actum_host::{cell::Ticket, partition::Found};
use actum_model::Partition;
use actum_persistence::store::StoreError;

/// Takes what reads bring to the partitions that asked.
pub(crate) trait ReadSink: Send + Sync {
    /// Takes the answer to one read; `held` is dropped once a cell has taken it in.
    fn found(
        &self,
        partition: Partition,
        ticket: Ticket,
        found: Result<Found, StoreError>,
        held: HeldRoom,
    );
}
