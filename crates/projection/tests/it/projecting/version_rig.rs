//! Versions of one projection, which keep what they have handled side by side.

use super::runner_rig::{Running, Trouble, parts, start, until};
use crate::{
    account::{Account, Deposited},
    rig::{Rig, account, deposited},
};
use actum_persistence::progress::{ProgressStore, ProjectionId, StoredProjection};
use actum_projection::{
    HandlerError, Project, ProjectCtx, Projection, ProjectionState, Projector, Recorded,
};
use actum_store_memory::MemoryTarget;
use actum_testkit::{FaultTarget, Faults};
use parking_lot::Mutex;
use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc};

type Target = FaultTarget<MemoryTarget>;

/// The versions in which each event of each account was live, in order.
type LiveIn = BTreeMap<(String, u64), Vec<u32>>;

/// Sums of accounts in rows of each version, and in which versions each event was live, outside of any transaction.
#[derive(Clone, Default)]
pub(crate) struct Sums {
    /// What goes wrong in the first version.
    pub(crate) trouble: Trouble,
    live: Arc<Mutex<LiveIn>>,
}

impl Projector for Sums {
    type Target = Target;

    async fn clear(&mut self, ctx: &mut ProjectCtx<'_, Target>) -> Result<(), HandlerError> {
        let prefix = format!("v{}/", ctx.version());
        let keys: Vec<_> = ctx.tx().iter(&prefix).map(|(key, _)| key).collect();
        keys.iter().for_each(|key| ctx.tx().remove(key));
        Ok(())
    }
}

impl Project<Account> for Sums {
    async fn project(
        &mut self,
        event: &Recorded<Deposited>,
        ctx: &mut ProjectCtx<'_, Target>,
    ) -> Result<(), HandlerError> {
        let (id, nr, version) = (event.entity.id(), event.sequence_nr.get(), ctx.version());
        let key = format!("v{version}/{id}");
        let before = String::from_utf8(ctx.tx().get(&key).unwrap_or_default())?;
        let before: u64 = before.parse().unwrap_or(0);
        ctx.tx().insert(key, (before + event.event.cents).to_string());
        if version == NonZeroU32::MIN {
            self.trouble.meet(event).await?;
        }
        if !ctx.is_replay() {
            self.live.lock().entry((id.to_owned(), nr)).or_default().push(version.get());
        }
        Ok(())
    }
}

pub(crate) fn nr(version: u32) -> NonZeroU32 {
    NonZeroU32::new(version).unwrap()
}

/// What outlives the processes that run versions.
pub(crate) struct Versions {
    pub(crate) rig: Rig,
    pub(crate) target: MemoryTarget,
    pub(crate) sums: Sums,
    /// How many events each account has.
    pub(crate) accounts: Mutex<BTreeMap<String, u64>>,
}

impl Versions {
    pub(crate) async fn new(lanes: u16) -> Self {
        let (target, sums) = (MemoryTarget::new(), Sums::default());
        Self { rig: Rig::new(lanes).await, target, sums, accounts: Mutex::default() }
    }

    /// Deposits 1 cent to an account, so often.
    pub(crate) async fn deposit(&self, id: &str, count: u64) {
        let before = self.accounts.lock().get(id).copied().unwrap_or(0);
        let events = (0..count).map(|_| deposited(1)).collect();
        self.rig.append(&account(id), before, events).await;
        self.accounts.lock().insert(id.to_owned(), before + count);
    }

    pub(crate) fn version(&self, version: u32, faults: &Faults) -> Projection<Sums> {
        let target = FaultTarget::scripted(self.target.clone(), faults);
        Projection::exact("sums", target, self.sums.clone()).from::<Account>().version(nr(version))
    }

    /// A process that runs these versions.
    pub(crate) async fn run(&self, name: &str, versions: &[u32]) -> Running {
        let faults = Faults::new();
        let all = versions.iter().map(|version| self.version(*version, &faults).into());
        start(parts(&self.rig, name, &faults), all.collect::<Vec<_>>()).await
    }

    pub(crate) async fn stored(&self, version: u32) -> Option<StoredProjection> {
        let id = ProjectionId::new("sums", nr(version)).unwrap();
        self.target.load(&id).await.unwrap()
    }

    pub(crate) async fn is_active(&self, version: u32) -> bool {
        self.stored(version).await.is_some_and(|stored| stored.is_active)
    }

    pub(crate) async fn until_active(&self, version: u32) {
        until("it is active", async || self.is_active(version).await).await;
    }

    /// The sum that a version has for an account.
    pub(crate) fn sum(&self, version: u32, id: &str) -> Option<u64> {
        let row = self.target.row(&format!("v{version}/{id}"))?;
        Some(String::from_utf8(row).unwrap().parse().unwrap())
    }

    /// Waits until the rows of a version are all of the journal.
    pub(crate) async fn until_complete(&self, version: u32) {
        until("the rows are complete", async || {
            let accounts = self.accounts.lock().clone();
            accounts.iter().all(|(id, count)| self.sum(version, id) == Some(*count))
        })
        .await;
    }

    /// In which versions each event of an account was live, in order.
    pub(crate) fn live(&self, id: &str) -> Vec<Vec<u32>> {
        let count = self.accounts.lock().get(id).copied().unwrap_or(0);
        let live = self.sums.live.lock();
        (1..=count).map(|nr| live.get(&(id.to_owned(), nr)).cloned().unwrap_or_default()).collect()
    }

    /// Checks that every event of all accounts was live in exactly one version, but for the first ones.
    pub(crate) fn assert_live_once(&self, replays: &BTreeMap<String, u64>) {
        let ids: Vec<_> = self.accounts.lock().keys().cloned().collect();
        for id in ids {
            let from = replays.get(&id).copied().unwrap_or(0);
            for (nr, live) in (1..).zip(self.live(&id)) {
                let expected = usize::from(nr > from);
                assert_eq!(live.len(), expected, "event {nr} of {id} was live in {live:?}");
            }
        }
    }
}

/// The state of a version that a process runs.
pub(crate) async fn state_of(running: &Running, version: u32) -> ProjectionState {
    running.service.projection("sums").version(nr(version)).status().await.unwrap().state
}
