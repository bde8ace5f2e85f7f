use super::Plan;
use actum_model::{Change, Entity};
use actum_persistence::serializer::SizeLimits;

/// An entity of the simulation: its state is a digest of everything that happened to it, so two states are equal only
/// if the same happened in the same order.
pub(crate) trait Subject: Entity<Id = u64, Env = ()> {
    fn digest(&self) -> u64;

    /// What `plan` of the command `nr` changes.
    fn change(&self, nr: u32, plan: &Plan) -> Change<Self>;
}

/// The limits of the simulation: small, so that they are met.
pub(crate) fn size_limits() -> SizeLimits {
    SizeLimits::default()
        .with_payload_bytes_max(48)
        .with_metadata_bytes_max(48)
        .with_append_bytes_max(1024)
        .with_append_events_max(super::APPEND_EVENTS_MAX)
}
