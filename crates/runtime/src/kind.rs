use crate::{cell::Troubles, settings::EntitySettings};
use actum_model::Entity;
use actum_persistence::serializer::Serializer;
use std::{sync::Arc, time::Duration};

/// What all cells of one kind share.
pub(crate) struct KindContext<E: Entity> {
    pub(crate) env: Arc<E::Env>,
    pub(crate) settings: EntitySettings<E>,
    pub(crate) serializer: Serializer,
    pub(crate) slow_handler_after: Duration,
    /// What has failed lately, so that a log is not flooded with it.
    pub(crate) troubles: Troubles,
}
