//! What a write shows to the server so that it is let through, and what shuts it out.
//!
//! ```text
//! keys of advisory locks     (lock_space, key): the journal's own number, and
//!   0 … 65535                a lane: held alone by whoever appends to it, to the commit
//!   65536 … 2^30 + 65535     a slot: held alone by whoever claims it
//!   -2^31 … -1               a writer: shared by all its writes, alone by who revokes it or settles its writes
//! ```
//!
//! Locks of one transaction are taken in this order, which excludes deadlocks: slot, writer, lane. They end with the
//! transaction, so they work through a proxy that gives every transaction another connection. A lock manager's queue is
//! fair: whoever revokes is not kept waiting by writes that come after. Nothing is written to take one.

use crate::{session::column, transaction::Transaction, values};
use actum_persistence::store::{Incarnation, StoreError};
use sqlx::postgres::PgRow;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How often a write is sent again because its token was out of date.
pub(crate) const TOKENS_MAX: usize = 8;

/// The key of the lock that all writes of an incarnation share.
pub(crate) fn writer_key(incarnation: i64) -> i32 {
    let low = i32::try_from(incarnation & i64::from(i32::MAX)).expect("31 bits fit");
    !low
}

/// What a write of an incarnation must carry: how often writes of that incarnation have been settled.
///
/// Settling a write whose outcome is unknown counts on by one, behind every write that has begun. What was sent before,
/// and is still on its way to the server, comes with the old number and is not carried out any more: only so "it is not
/// stored" stays true.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<HashMap<i64, i64>>);

impl Tokens {
    /// The token of an incarnation, as far as this store knows; one that no server takes if it does not.
    pub(crate) fn of(&self, incarnation: i64) -> i64 {
        self.map().get(&incarnation).copied().unwrap_or(-1)
    }

    /// Takes note of a token that the server has told.
    pub(crate) fn learn(&self, incarnation: i64, token: i64) {
        let mut map = self.map();
        let known = map.entry(incarnation).or_insert(token);
        *known = token.max(*known); // answers may overtake each other
    }

    /// Forgets an incarnation that will not write again.
    pub(crate) fn forget(&self, incarnation: i64) {
        self.map().remove(&incarnation);
    }

    fn map(&self) -> MutexGuard<'_, HashMap<i64, i64>> {
        // nothing panics while the map is held
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the server says to a write before it does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may write, and has.
    Done,
    /// Its token is out of date.
    Settled {
        /// The one that is not.
        token: i64,
    },
}

/// Reads the verdict from the first two columns of an answer.
pub(crate) fn verdict(row: &PgRow, incarnation: Incarnation) -> Result<Verdict, VerdictError> {
    match column::<i32>(row, 0)? {
        0 => Ok(Verdict::Done),
        1 => Err(StoreError::Fenced { incarnation }.into()),
        _ => Ok(Verdict::Settled { token: column(row, 1)? }),
    }
}

/// Why there is no verdict.
#[derive(Debug)]
pub(crate) enum VerdictError {
    Row(sqlx::Error),
    Store(StoreError),
}

impl From<sqlx::Error> for VerdictError {
    fn from(error: sqlx::Error) -> Self {
        Self::Row(error)
    }
}

impl From<StoreError> for VerdictError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl VerdictError {
    /// As an error of a store, while `doing` something.
    pub(crate) fn while_doing(self, doing: &str) -> StoreError {
        match self {
            Self::Row(error) => crate::fault::store_error(doing, error),
            Self::Store(error) => error,
        }
    }
}

/// A write whose token was out of date each time it was sent.
pub(crate) fn overtaken(doing: &str) -> StoreError {
    StoreError::unavailable(doing, "writes of this incarnation are being settled all the time")
}

/// Waits until no write of an incarnation is under way, and keeps new ones waiting until the transaction ends.
pub(crate) async fn hold(
    tx: &mut Transaction<'_>,
    lock_space: i32,
    incarnation: i64,
) -> Result<(), StoreError> {
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1, $2)");
    tx.rows(lock.bind(lock_space).bind(writer_key(incarnation))).await.map(drop)
}

/// The key of an incarnation; fenced when no journal can have given it out.
pub(crate) fn key_of(incarnation: Incarnation) -> Result<i64, StoreError> {
    values::incarnation(incarnation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locks_of_writers_are_below_zero() {
        for (incarnation, key) in [(0, -1), (1, -2), (i64::from(i32::MAX), i32::MIN), (1 << 31, -1)]
        {
            assert_eq!(writer_key(incarnation), key, "{incarnation}");
        }
        assert!(writer_key(i64::MAX) < 0);
    }

    #[test]
    fn a_token_never_goes_back() {
        let tokens = Tokens::default();
        assert_eq!(tokens.of(7), -1);
        tokens.learn(7, 3);
        tokens.learn(7, 2);
        assert_eq!((tokens.of(7), tokens.of(8)), (3, -1));
        tokens.forget(7);
        assert_eq!(tokens.of(7), -1);
    }
}
