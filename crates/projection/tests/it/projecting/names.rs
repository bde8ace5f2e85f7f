use super::runner_rig::Trouble;
use crate::customer::Customer;
use actum_persistence::progress::ExactTarget;
use actum_projection::{
    AtLeastOnce, Changed, HandlerError, ProjectCtx, ProjectState, Projection, Projector,
};
use actum_store_memory::{MemoryRows, MemoryTarget};
use parking_lot::Mutex;
use std::{collections::HashMap, marker::PhantomData, sync::Arc};

/// Keeps the name and the revision of each customer that is not deleted.
pub(crate) struct Names<T>(Trouble, PhantomData<fn() -> T>);

impl<T> Clone for Names<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<T: ExactTarget<Connection = MemoryRows>> Projector for Names<T> {
    type Target = T;

    async fn clear(&mut self, ctx: &mut ProjectCtx<'_, T>) -> Result<(), HandlerError> {
        let keys: Vec<_> = ctx.tx().iter("").map(|(key, _)| key.to_owned()).collect();
        keys.iter().for_each(|key| ctx.tx().remove(key));
        Ok(())
    }
}

impl<T: ExactTarget<Connection = MemoryRows>> ProjectState<Customer> for Names<T> {
    async fn project_state(
        &mut self,
        changed: &Changed<Customer>,
        ctx: &mut ProjectCtx<'_, T>,
    ) -> Result<(), HandlerError> {
        let id = changed.entity.id();
        match &changed.state {
            Some(customer) => {
                ctx.tx().insert(id, format!("{} {}", customer.name, changed.revision));
            }
            None => ctx.tx().remove(id),
        }
        self.0.meet_at(id, changed.revision.get()).await
    }
}

/// An exact projection of names.
pub(crate) fn names<T: ExactTarget<Connection = MemoryRows>>(
    target: &T,
    trouble: &Trouble,
) -> Projection<Names<T>> {
    Projection::exact("names", target.clone(), Names(trouble.clone(), PhantomData))
        .from_states::<Customer>()
}

/// The name of a customer with its revision, if it has a row.
pub(crate) fn name_of(target: &MemoryTarget, id: &str) -> Option<String> {
    target.row(id).map(|row| String::from_utf8(row.to_vec()).unwrap())
}

/// Keeps what was handled somewhere that takes no part in a transaction: the last revision of each customer, negative
/// once it was deleted.
#[derive(Clone, Default)]
pub(crate) struct Mirror {
    pub(crate) trouble: Trouble,
    pub(crate) seen: Arc<Mutex<HashMap<String, i64>>>,
    pub(crate) command_ids: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    pub(crate) fn projection(&self, name: &str) -> Projection<Self> {
        Projection::at_least_once(name, self.clone()).from_states::<Customer>()
    }
}

impl Projector for Mirror {
    type Target = AtLeastOnce;

    async fn clear(&mut self, _: &mut ProjectCtx<'_, AtLeastOnce>) -> Result<(), HandlerError> {
        self.seen.lock().clear();
        Ok(())
    }
}

impl ProjectState<Customer> for Mirror {
    async fn project_state(
        &mut self,
        changed: &Changed<Customer>,
        ctx: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        let (id, revision) = (changed.entity.id(), changed.revision.get());
        self.trouble.meet_at(id, revision).await?;
        self.command_ids.lock().push(ctx.command_id(0).to_string());
        let sign = if changed.state.is_some() { 1 } else { -1 };
        let mut seen = self.seen.lock();
        let last = seen.entry(id.to_owned()).or_default();
        // one that was taken for dead may still be handling an older one
        if revision >= last.unsigned_abs() {
            *last = sign * revision.cast_signed();
        }
        Ok(())
    }
}
