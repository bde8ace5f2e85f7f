//! Which error a store answered with.

use actum_persistence::store::{ClaimError, Incarnation, StoreError};
use std::fmt::Debug;

/// Panics unless `result` says that `incarnation` was revoked.
#[track_caller]
pub(crate) fn assert_fenced<T: Debug>(result: Result<T, StoreError>, incarnation: Incarnation) {
    match result {
        Err(StoreError::Fenced { incarnation: fenced }) => assert_eq!(fenced, incarnation),
        other => panic!("incarnation {incarnation} should be fenced, but the store says {other:?}"),
    }
}

/// Panics unless `result` says that the request is against the contract.
#[track_caller]
pub(crate) fn assert_invalid<T: Debug>(result: Result<T, StoreError>) {
    match result {
        Err(StoreError::Invalid { .. }) => {}
        other => panic!("the request is invalid, but the store says {other:?}"),
    }
}

/// As [`assert_invalid`], of a claim.
#[track_caller]
pub(crate) fn assert_invalid_claim(result: Result<Incarnation, ClaimError>) {
    match result {
        Err(ClaimError::Store(StoreError::Invalid { .. })) => {}
        other => panic!("the claim is invalid, but the store says {other:?}"),
    }
}

/// Panics unless `result` says that the store cannot be used.
#[track_caller]
pub(crate) fn assert_unavailable<T: Debug>(result: Result<T, StoreError>) {
    match result {
        Err(StoreError::Unavailable { .. }) => {}
        other => panic!("the store is closed, but it says {other:?}"),
    }
}

/// Evaluates a call again while the store says that it cannot at the moment, as it may when many write at once: nothing
/// was written then.
macro_rules! until_available {
    ($call:expr) => {
        loop {
            match $call.await {
                Err(actum_persistence::store::StoreError::Unavailable { .. }) => {
                    tokio::task::yield_now().await;
                }
                result => break result,
            }
        }
    };
}
pub(crate) use until_available;
