//! What a write shows to the server so that it is let through, and what fences it.
//!
//! ```text
//! keys of advisory locks     (lock_space, key): the journal's own number, and
//!   0 … 65535                a lane: held alone by the writer that appends to it, to the commit
//!   65536 … 2^30 + 65535     a slot: held alone by the one that claims it; that of a single engine shared by nodes that
//!                            claim theirs
//!   2^30 + 65536 …           a lane's changes of durable states: held alone by the writer that adds to them, to the commit
//!   -2^31 … -1               a writer: shared by all its writes, alone by who revokes it or settles its writes
//! ```
//!
//! Locks of one transaction are taken in this order, which excludes deadlocks: slot, writer, lane or the lanes of
//! changes in their order. They end with the
//! transaction, so they work through a proxy that gives every transaction another connection. A lock manager's queue is
//! fair: one that revokes is not kept waiting by writes that come after. Nothing is written to take one.

use crate::{
    fault::{self, Fault},
    row::{Row, column},
    session::{Session, Statement},
    store::Shared,
    tokens::Token,
    transaction::{self, Failed, Transaction},
};
use actum_persistence::store::{Incarnation, StoreError, integer};

/// How often a write is sent again because its token was out of date.
pub(crate) const TOKENS_MAX: usize = 8;

/// The key of the lock that all writes of an incarnation share.
pub(crate) fn writer_key(incarnation: i64) -> i32 {
    let low = i32::try_from(incarnation & i64::from(i32::MAX)).expect("31 bits fit");
    !low
}

/// What the server says to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It was carried out, or refused for a reason that is not the writer's.
    Heard,
    /// It was not: the writer was revoked, or its number was given to another.
    Fenced,
    /// It was not: its token is out of date, and this one is not.
    Settled(Token),
}

/// Reads the verdict from the first three columns of an answer.
fn verdict(row: &Row) -> Result<Verdict, sqlx::Error> {
    Ok(match column::<i32>(row, 0)? {
        1 => Verdict::Fenced,
        2 => Verdict::Settled(Token { nonce: column(row, 1)?, settled: column(row, 2)? }),
        _ => Verdict::Heard,
    })
}

/// A call of a function of the schema that writes as an incarnation.
#[derive(Clone, Copy)]
pub(crate) struct Write {
    pub(crate) doing: &'static str,
    pub(crate) incarnation: Incarnation,
    /// It begins with the arguments `_space`, `_fence`, `_incarnation`, `_nonce` and `_settled`, and its answer with
    /// the columns `_verdict`, `_nonce_now` and `_settled_now`.
    pub(crate) query: &'static str,
    /// What it shows, where it rests on more than that its writer may write: it is not sent again with another one then, but
    /// fails as [outdated](Failed::is_outdated).
    pub(crate) token: Option<Token>,
}

/// As [`write_rows`], of a function that answers with one row.
pub(crate) async fn write<'q>(
    shared: &Shared,
    session: &mut Session,
    write: Write,
    bind: impl Fn(Statement<'q>) -> Statement<'q>,
) -> Result<Row, Failed> {
    let rows = write_rows(shared, session, write, bind).await?;
    let row = rows.into_iter().next().ok_or(sqlx::Error::RowNotFound);
    row.map_err(|error| unreadable(write.doing, error).into())
}

/// Sends a write with what its incarnation must show; again when that was out of date. `bind` adds the other arguments.
/// All rows of the answer have the verdict of the first.
pub(crate) async fn write_rows<'q>(
    shared: &Shared,
    session: &mut Session,
    Write { doing, incarnation, query, token: only }: Write,
    bind: impl Fn(Statement<'q>) -> Statement<'q>,
) -> Result<Vec<Row>, Failed> {
    let key = integer::incarnation(incarnation)?;
    for _ in 0..TOKENS_MAX {
        let token = only.unwrap_or_else(|| shared.tokens.of(key));
        let statement = || {
            let query = sqlx::query(shared.texts.of(query));
            let query = query.bind(shared.lock_space).bind(writer_key(key)).bind(key);
            bind(query.bind(token.nonce).bind(token.settled))
        };
        let rows = transaction::call(session, shared.connector(), doing, statement).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound);
        match row.and_then(verdict).map_err(|error| unreadable(doing, error))? {
            Verdict::Heard => return Ok(rows),
            Verdict::Settled(token) => {
                shared.tokens.learn(key, token);
                if only.is_some() {
                    return Err(outdated(doing));
                }
            }
            // what it had to show is kept: without its nonce it could pass for the one that got its number
            Verdict::Fenced => return Err(StoreError::Fenced { incarnation }.into()),
        }
    }
    Err(outdated(doing))
}

/// The failure of a write whose token was out of date.
fn outdated(doing: &str) -> Failed {
    let why =
        "writes of this incarnation are being settled, or its partitions change, all the time";
    Failed { is_outdated: true, ..StoreError::unavailable(doing, why).into() }
}

/// An answer that cannot be read, behind a commit: what it would have said is to be found out.
pub(crate) fn unreadable(doing: &str, error: sqlx::Error) -> StoreError {
    StoreError::outcome_unknown(doing, fault::cause(error))
}

/// Waits until no write of an incarnation is under way, and keeps new ones waiting until the transaction ends.
///
/// A write that takes longer than any may is one whose client is gone in the middle of it, without a word: the server
/// waits for the rest for as long as the network pretends, with the locks. Its connection is ended.
pub(crate) async fn hold(
    tx: &mut Transaction<'_>,
    lock_space: i32,
    incarnation: i64,
) -> Result<(), StoreError> {
    let key = writer_key(incarnation);
    let lock = || sqlx::query("SELECT pg_advisory_xact_lock($1, $2)").bind(lock_space).bind(key);
    tx.batch("SAVEPOINT waiting").await?;
    match tx.try_rows(lock()).await {
        Err(error) if Fault::of(&error) == Fault::Slow => {
            tracing::warn!(incarnation, "a write does not end, its connection is ended");
            tx.batch("ROLLBACK TO SAVEPOINT waiting").await?;
            let end = "SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l
                WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid() AND l.objsubid = 2
                    AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
                    AND l.classid = $1::bigint::oid AND l.objid = ($2::bigint & 4294967295)::oid";
            tx.rows(sqlx::query(end).bind(i64::from(lock_space)).bind(i64::from(key))).await?;
            tx.rows(lock()).await.map(drop)
        }
        done => done.map(drop).map_err(|error| tx.failed(error)),
    }
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
}
