use super::EntityCap;
use crate::{clock::Clock, journal::Journal, settings::ObserverRef};
use actum_host::Load;
use std::sync::Arc;

/// What is around the partitions of an engine, the same for all of them.
pub(crate) struct Surroundings {
    pub(crate) journal: Journal,
    pub(crate) load: Arc<Load>,
    pub(crate) cap: EntityCap,
    pub(crate) clock: Clock,
    pub(crate) observer: Option<ObserverRef>,
}
