use crate::{
    SqliteStore,
    revocation::revoke,
    row::{Row, column},
    session::Statement,
    writer::WriteTx,
    writer_lock::{Taken, WriterLock},
};
use actum_persistence::panics::log_safely;
use actum_persistence::store::{
    ClaimError, Incarnation, StoreError, WriterClaim, WriterStore, integer,
};
use async_trait::async_trait;
use std::{io, time::Duration};

const CLAIMING: &str = "claiming a writer slot";

#[async_trait]
impl WriterStore for SqliteStore {
    async fn claim(&self, claim: &WriterClaim) -> Result<Incarnation, ClaimError> {
        claim.check()?;
        // without the lock on the file: claimants that are refused ask again and again, beside the one that writes
        let dead = self.find_dead(claim).await?;
        let mut tx = self.writer().begin_synced(CLAIMING).await?;
        let claimed = self.claim_in(&mut tx, claim, dead).await;
        let Claimed { incarnation, lock, dead } = tx.finish(claimed).await?;
        self.locks().keep(incarnation, lock);
        dead.into_iter().for_each(WriterLock::discard);
        Ok(Incarnation::new(incarnation.cast_unsigned()))
    }

    /// Holders are seen to live by their lock: there is no lease to prolong.
    async fn renew(&self, incarnation: Incarnation, _lease: Duration) -> Result<(), StoreError> {
        let doing = "renewing a writer slot";
        let mut reader = match self.readers().reader(doing).await {
            // a writer that has nothing to write notices it here
            Err(lost @ StoreError::Lost { .. }) => {
                self.writer().salvage().await;
                return Err(lost);
            }
            reader => reader?,
        };
        let query = "SELECT 1 FROM writers WHERE incarnation = ? AND revoked_at IS NULL";
        let query = sqlx::query(query).bind(integer::incarnation(incarnation)?);
        let rows = reader.rows(query).await;
        let rows = rows.map_err(|error| crate::fault::store_error(doing, error))?;
        if rows.is_empty() { Err(StoreError::Fenced { incarnation }) } else { Ok(()) }
    }

    async fn release(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        let tx = self.writer().begin_last("releasing a writer slot").await?;
        fence(tx, incarnation).await?;
        let own = integer::stored(incarnation.get()).and_then(|nr| self.locks().take(nr));
        own.into_iter().for_each(WriterLock::discard);
        Ok(())
    }

    async fn revoke(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        // its lock stays with the one that holds it, until that one releases it or dies
        fence(self.writer().begin_relief("revoking a writer").await?, incarnation).await
    }
}

/// A slot that was taken, once the transaction is committed.
struct Claimed {
    incarnation: i64,
    lock: WriterLock,
    /// The lock of the former holder, who is dead.
    dead: Option<WriterLock>,
}

impl SqliteStore {
    /// The holder of a slot, and its lock, if it is dead; none if the slot is free.
    async fn find_dead(
        &self,
        claim: &WriterClaim,
    ) -> Result<Option<(i64, WriterLock)>, ClaimError> {
        let holder = {
            let mut reader = self.readers().reader(CLAIMING).await?;
            let rows = reader.rows(holder_of(&claim.slot)).await;
            let holder = rows.and_then(|rows| rows.first().map(holder).transpose());
            holder.map_err(|error| crate::fault::store_error(CLAIMING, error))?
        };
        holder.map(|holder| self.take_lock_of_dead(claim, holder)).transpose()
    }

    async fn claim_in(
        &self,
        tx: &mut WriteTx<'_>,
        claim: &WriterClaim,
        found: Option<(i64, WriterLock)>,
    ) -> Result<Claimed, ClaimError> {
        let rows = tx.rows(holder_of(&claim.slot)).await?;
        let holder = rows.first().map(holder).transpose().map_err(|error| tx.failed(error))?;
        let dead = match (holder, found) {
            (None, _) => None,
            (Some((incarnation, _)), Some((found, lock))) if incarnation == found => {
                Some((incarnation, lock))
            }
            (Some(holder), _) => Some(self.take_lock_of_dead(claim, holder)?),
        };
        if let Some((incarnation, _)) = &dead {
            revoke(tx, *incarnation).await?;
        }
        let incarnation = enter(tx, claim).await?;
        // before the commit: a claimant that sees the new holder sees it alive
        match self.take_lock(incarnation)? {
            Taken::Free(lock) => {
                Ok(Claimed { incarnation, lock, dead: dead.map(|(_, lock)| lock) })
            }
            Taken::Held => Err(StoreError::corrupt(format!(
                "another program holds the lock of incarnation {incarnation}, which was never assigned"
            ))
            .into()),
        }
    }

    fn take_lock_of_dead(
        &self,
        claim: &WriterClaim,
        (incarnation, holder): (i64, String),
    ) -> Result<(i64, WriterLock), ClaimError> {
        match self.take_lock(incarnation)? {
            Taken::Free(lock) => Ok((incarnation, lock)),
            Taken::Held => Err(ClaimError::Held {
                slot: claim.slot.clone(),
                holder,
                incarnation: Incarnation::new(incarnation.cast_unsigned()),
                lease: None, // it lives
            }),
        }
    }

    /// A few calls of the operating system, once in the life of a writer.
    fn take_lock(&self, incarnation: i64) -> Result<Taken, StoreError> {
        let taken = WriterLock::take(self.path(), incarnation);
        taken.map_err(|error: io::Error| {
            let path = WriterLock::path(self.path(), incarnation);
            let doing = format!("locking `{}`, which shows that a writer lives", path.display());
            StoreError::unavailable(doing, error)
        })
    }

    /// Gives back every slot that was claimed through this store; what fails ends with the locks.
    pub(crate) async fn release_all(&self) {
        for incarnation in self.locks().incarnations() {
            let incarnation = Incarnation::new(incarnation.cast_unsigned());
            if let Err(error) = self.release(incarnation).await {
                log_safely(
                    || tracing::warn!(%incarnation, error = format!("{error:#}"), "a writer slot was not released, its lock ends anyway"),
                );
            }
        }
        self.locks().clear();
    }
}

async fn fence(mut tx: WriteTx<'_>, incarnation: Incarnation) -> Result<(), StoreError> {
    // a number that no claim was given is fenced already
    let Some(nr) = integer::stored(incarnation.get()) else { return tx.finish(Ok(())).await };
    let done = revoke(&mut tx, nr).await;
    tx.finish(done).await
}

/// The incarnation that may write for a slot, and who that is.
fn holder_of(slot: &str) -> Statement<'_> {
    let query = "SELECT incarnation, holder FROM writers WHERE slot = ? AND revoked_at IS NULL";
    sqlx::query(query).bind(slot)
}

fn holder(row: &Row) -> Result<(i64, String), sqlx::Error> {
    Ok((column(row, 0)?, column(row, 1)?))
}

/// Enters a new incarnation that holds the slot.
async fn enter(tx: &mut WriteTx<'_>, claim: &WriterClaim) -> Result<i64, StoreError> {
    let statement = "INSERT INTO writers (slot, holder, process_id, claimed_at)
        VALUES (?, ?, ?, unixepoch()) RETURNING incarnation";
    let statement = sqlx::query(statement).bind(claim.slot.as_str()).bind(claim.holder.as_str());
    let rows = tx.rows(statement.bind(std::process::id())).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound);
    row.and_then(|row| column(row, 0)).map_err(|error| tx.failed(error))
}
