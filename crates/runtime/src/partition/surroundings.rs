use super::EntityCap;
use crate::{clock::Clock, journal::StoreAccess, settings::ObserverRef};
use actum_host::Load;
use std::sync::Arc;

/// What is around the partitions of an engine, the same for all of them.
pub(crate) struct Surroundings {
    pub(crate) journal: StoreAccess,
    pub(crate) load: Arc<Load>,
    pub(crate) cap: EntityCap,
    pub(crate) clock: Clock,
    pub(crate) observer: Option<ObserverRef>,
}
