//! What the cases do with rows and transactions.

use super::ExactTargetFixture;
use crate::conformance::progress::sample::{TestProjection, new_projection};
use actum_persistence::{
    progress::{ExactTarget, ProgressChange, ProgressSave, SaveError},
    store::StoreError,
};
use std::time::Duration;

/// How long a transaction may be open: longer than any case.
const OPEN_MAX: Duration = Duration::from_secs(120);

pub(super) type Tx<F> = <<F as ExactTargetFixture>::Target as ExactTarget>::Tx;

/// Opens the target and enters the projection `balances`.
pub(super) async fn enter<F: ExactTargetFixture>(fixture: &F) -> (F::Target, TestProjection) {
    let target = fixture.open().await;
    let store = target.progress();
    (target, TestProjection::enter_in(&store, &new_projection("balances", 1)).await)
}

pub(super) async fn begin<T: ExactTarget>(target: &T) -> T::Tx {
    loop {
        match target.begin(OPEN_MAX).await {
            Ok(tx) => return tx,
            Err(StoreError::Unavailable { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("a transaction cannot begin: {error}"),
        }
    }
}

pub(super) async fn write<F: ExactTargetFixture>(
    fixture: &F,
    tx: &mut Tx<F>,
    key: &str,
    value: &str,
) {
    fixture.write(F::Target::connection(tx), key, value).await;
}

pub(super) async fn read_in<F: ExactTargetFixture>(
    fixture: &F,
    tx: &mut Tx<F>,
    key: &str,
) -> Option<String> {
    fixture.read(F::Target::connection(tx), key).await
}

/// The row as it is committed, read through a handle of its own.
pub(super) async fn read<F: ExactTargetFixture>(fixture: &F, key: &str) -> Option<String> {
    let target = fixture.open().await;
    let mut tx = begin(&target).await;
    let found = read_in(fixture, &mut tx, key).await;
    target.rollback(tx).await;
    found
}

pub(super) async fn commit<T: ExactTarget>(target: &T, tx: T::Tx, save: ProgressSave) {
    let committed = target.commit(tx, &ProgressChange::Save(save)).await;
    committed.expect("the epoch is right and the transaction open");
}

/// Panics unless `result` says that the transaction had ended before.
#[track_caller]
pub(super) fn assert_broken(result: &Result<(), SaveError>) {
    assert!(
        matches!(result, Err(SaveError::Broken { .. })),
        "the transaction had ended before, but the target says {result:?}"
    );
}
