use super::FailureBursts;
use crate::{IdBudget, settings::EntitySettings};
use actum_model::{CommandId, Entity};
use actum_persistence::{serializer::Serializer, store::CurrentIncarnation};
use std::{sync::Arc, time::Duration};

/// What all cells of one kind share.
pub struct KindContext<E: Entity> {
    pub env: Arc<E::Env>,
    pub settings: EntitySettings<E>,
    pub serializer: Serializer,
    pub slow_handler_after: Duration,
    /// What has failed lately, so that a log is not flooded with it.
    pub bursts: FailureBursts,
    /// Which life of the engine this is.
    pub incarnation: CurrentIncarnation,
    /// The role in which the engine must own a partition to write for its entities; `None` for an engine that is no member of
    /// a cluster.
    pub owned_as: Option<Arc<str>>,
    /// The hash of a command id; another one only where collisions are wanted.
    pub hash_id: fn(&CommandId) -> u64,
    /// How many of the newest ids a snapshot lists.
    pub snapshot_marks_max: usize,
    /// How many commands of a durable state one read brings.
    pub commands_read_max: usize,
    /// What remembered command ids take in memory.
    pub ids: Arc<IdBudget>,
}
