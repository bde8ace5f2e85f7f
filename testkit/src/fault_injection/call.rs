use super::{Fault, Faults, Operation, damage::Damageable, fault::Act};
use actum_persistence::store::StoreError;

/// One call of a store, with what is to go wrong in it.
pub(super) struct Call {
    faults: Faults,
    operation: Operation,
    pub(super) fault: Fault,
}

impl Call {
    pub(super) fn begin(faults: &Faults, operation: Operation) -> Self {
        let fault = faults.script().begin(operation);
        Self { faults: faults.clone(), operation, fault }
    }

    /// Waits as long as the call is held before anything is done.
    pub(super) async fn held_before(&self) {
        if let Some(gate) = &self.fault.before {
            gate.pass().await;
        }
        for _ in 0..self.fault.yields.0 {
            tokio::task::yield_now().await;
        }
    }

    async fn held_after(&self) {
        for _ in 0..self.fault.yields.1 {
            tokio::task::yield_now().await;
        }
        if let Some(gate) = &self.fault.after {
            gate.pass().await;
        }
    }

    /// Does the work, or what the fault makes of it.
    pub(super) async fn run<T, E: From<StoreError>>(
        self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.held_before().await;
        self.run_now(work).await
    }

    /// As [`run`](Self::run), when the call was held already.
    pub(super) async fn run_now<T, E: From<StoreError>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let result = match &self.fault.act {
            Act::Fail(error) => Err(error.clone().into()),
            Act::WorkThenFail(error) => work.await.and(Err(error.clone().into())),
            Act::Panic => panic!("scripted fault: {:?} panics", self.operation),
            _ => work.await,
        };
        self.held_after().await;
        result
    }

    /// As [`run`](Self::run), for a read whose answer may come back damaged.
    pub(super) async fn read<T: Damageable>(
        self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.held_before().await;
        let mut found = self.run_now(work).await?;
        let damaged = match self.fault.act {
            Act::DamageEvent(damage) => found.damage_event(damage),
            Act::DamageSnapshot(damage) => found.damage_snapshot(damage),
            Act::DamageState(damage) => found.damage_state(damage),
            _ => true,
        };
        if !damaged {
            self.faults.script().put_back(self.operation, self.fault);
        }
        Ok(found)
    }
}
