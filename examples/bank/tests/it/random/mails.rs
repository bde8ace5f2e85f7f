use super::trouble::Trouble;
use actum::{AtLeastOnce, HandlerError, Project, ProjectCtx, Projection, Projector, Recorded};
use bank::domain::{Account, AccountEvent};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// Keeps the number of the last event of each account, in memory that all processes share: at least once, and in order.
#[derive(Clone, Default)]
pub(super) struct Mails {
    pub(super) trouble: Trouble,
    last: Arc<Mutex<BTreeMap<String, u64>>>,
    /// Events that came in front of their predecessor.
    gaps: Arc<Mutex<Vec<String>>>,
}

impl Mails {
    pub(super) fn projection(&self) -> Projection<Self> {
        Projection::at_least_once("mails", self.clone()).from::<Account>()
    }

    pub(super) fn last(&self) -> BTreeMap<String, u64> {
        let gaps = self.gaps.lock().unwrap();
        assert!(gaps.is_empty(), "{gaps:?}");
        self.last.lock().unwrap().clone()
    }
}

impl Projector for Mails {
    type Target = AtLeastOnce;

    async fn clear(&mut self, _: &mut ProjectCtx<'_, AtLeastOnce>) -> Result<(), HandlerError> {
        Ok(())
    }
}

impl Project<Account> for Mails {
    async fn project(
        &mut self,
        event: &Recorded<AccountEvent>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        self.trouble.meet(event).await?;
        let (account, nr) = (event.entity.id(), event.sequence_nr.get());
        let mut last = self.last.lock().unwrap();
        let last = last.entry(account.to_owned()).or_default();
        if nr > *last + 1 {
            self.gaps.lock().unwrap().push(format!("event {nr} of {account} came behind {last}"));
        }
        *last = nr.max(*last);
        Ok(())
    }
}
