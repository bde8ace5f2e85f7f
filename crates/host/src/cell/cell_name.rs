use super::{Model, Ticket, model_types::IdOf};
use actum_model::EntityKey;

/// What names a cell: its entity, and where results for it come back to.
pub(super) struct CellName<M: Model> {
    pub key: EntityKey,
    pub id: IdOf<M>,
    pub ticket: Ticket,
}
