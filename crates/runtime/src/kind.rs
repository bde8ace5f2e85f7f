use crate::{cell::FailureBursts, id_budget::IdBudget, settings::EntitySettings};
use actum_model::{CommandId, Entity};
use actum_persistence::{serializer::Serializer, store::Incarnation};
use std::{sync::Arc, time::Duration};

/// What all cells of one kind share.
pub(crate) struct KindContext<E: Entity> {
    pub(crate) env: Arc<E::Env>,
    pub(crate) settings: EntitySettings<E>,
    pub(crate) serializer: Serializer,
    pub(crate) slow_handler_after: Duration,
    /// What has failed lately, so that a log is not flooded with it.
    pub(crate) bursts: FailureBursts,
    /// Which life of the engine this is.
    pub(crate) incarnation: Incarnation,
    /// The hash of a command id; another one only where collisions are wanted.
    pub(crate) hash_id: fn(&CommandId) -> u64,
    /// How many of the newest ids a snapshot lists.
    pub(crate) snapshot_marks_max: usize,
    /// How many commands of a durable state one read brings.
    pub(crate) commands_read_max: usize,
    /// What remembered command ids take in memory.
    pub(crate) ids: Arc<IdBudget>,
}
