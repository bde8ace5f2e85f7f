use super::runner_rig::Trouble;
use crate::account::{Account, Deposited};
use actum_projection::{
    AtLeastOnce, HandlerError, Project, ProjectCtx, Projection, Projector, Recorded,
};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};

/// Keeps what was handled, in order: what is written somewhere that takes no part in a transaction.
#[derive(Clone, Default)]
pub(crate) struct Deliveries {
    pub(crate) trouble: Trouble,
    seen: Arc<Mutex<Vec<Delivery>>>,
}

/// An event that was handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) nr: u64,
    pub(crate) is_replay: bool,
    pub(crate) command_id: String,
}

impl Deliveries {
    pub(crate) fn all(&self) -> Vec<Delivery> {
        self.seen.lock().clone()
    }

    /// The numbers of the events of each entity, in the order in which they came first; each must come behind its
    /// predecessor.
    pub(crate) fn first_in_order(&self) -> HashMap<String, u64> {
        let mut seen: HashMap<String, u64> = HashMap::new();
        for Delivery { id, nr, .. } in self.all() {
            let last = seen.entry(id.clone()).or_default();
            assert!(nr <= *last + 1, "event {nr} of {id} came behind {last}");
            *last = nr.max(*last);
        }
        seen
    }

    /// An at-least-once projection of the accounts.
    pub(crate) fn projection(&self, name: &str) -> Projection<Self> {
        Projection::at_least_once(name, self.clone()).from::<Account>()
    }
}

impl Projector for Deliveries {
    type Target = AtLeastOnce;

    async fn clear(&mut self, _: &mut ProjectCtx<'_, AtLeastOnce>) -> Result<(), HandlerError> {
        Ok(())
    }
}

impl Project<Account> for Deliveries {
    async fn project(
        &mut self,
        event: &Recorded<Deposited>,
        ctx: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        self.trouble.meet(event).await?;
        self.seen.lock().push(Delivery {
            id: event.entity.id().to_owned(),
            nr: event.sequence_nr.get(),
            is_replay: ctx.is_replay(),
            command_id: ctx.command_id(0).to_string(),
        });
        Ok(())
    }
}
