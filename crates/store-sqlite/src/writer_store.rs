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
        dead.into_iter().for_each(|(_, lock)| lock.discard());
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
    /// Those who held it before, or a rival slot, and are dead.
    dead: Vec<DeadHolder>,
}

/// An incarnation that is dead, and its lock.
type DeadHolder = (i64, WriterLock);

impl SqliteStore {
    /// Those who keep a claimant out, and their locks, if all of them are dead.
    async fn find_dead(&self, claim: &WriterClaim) -> Result<Vec<DeadHolder>, ClaimError> {
        let holders = {
            let mut reader = self.readers().reader(CLAIMING).await?;
            let rows = reader.rows(keepers_of(claim)).await;
            let holders = rows.and_then(|rows| rows.iter().map(Holder::of_row).collect());
            holders.map_err(|error| crate::fault::store_error(CLAIMING, error))?
        };
        self.take_locks_of_dead(holders, Vec::new())
    }

    async fn claim_in(
        &self,
        tx: &mut WriteTx<'_>,
        claim: &WriterClaim,
        found: Vec<DeadHolder>,
    ) -> Result<Claimed, ClaimError> {
        let rows = tx.rows(keepers_of(claim)).await?;
        let holders: Result<Vec<_>, _> = rows.iter().map(Holder::of_row).collect();
        let dead = self.take_locks_of_dead(holders.map_err(|error| tx.failed(error))?, found)?;
        for (incarnation, _) in &dead {
            revoke(tx, *incarnation).await?;
        }
        let incarnation = enter(tx, claim).await?;
        // before the commit: a claimant that sees the new holder sees it alive
        match self.take_lock(incarnation)? {
            Taken::Free(lock) => Ok(Claimed { incarnation, lock, dead }),
            Taken::Held => Err(StoreError::corrupt(format!(
                "another program holds the lock of incarnation {incarnation}, which was never assigned"
            ))
            .into()),
        }
    }

    /// Takes the locks of those who are dead, but for those that were found so before.
    fn take_locks_of_dead(
        &self,
        holders: Vec<Holder>,
        mut found: Vec<DeadHolder>,
    ) -> Result<Vec<DeadHolder>, ClaimError> {
        let take = |holder: Holder| match found
            .iter()
            .position(|(incarnation, _)| *incarnation == holder.incarnation)
        {
            Some(at) => Ok(found.swap_remove(at)),
            None => match self.take_lock(holder.incarnation)? {
                Taken::Free(lock) => Ok((holder.incarnation, lock)),
                Taken::Held => Err(holder.lives()),
            },
        };
        holders.into_iter().map(take).collect()
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

/// An incarnation that holds a slot.
struct Holder {
    incarnation: i64,
    name: String,
    slot: String,
}

impl Holder {
    fn of_row(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self { incarnation: column(row, 0)?, name: column(row, 1)?, slot: column(row, 2)? })
    }

    fn lives(self) -> ClaimError {
        ClaimError::Held {
            slot: self.slot,
            holder: self.name,
            incarnation: Incarnation::new(self.incarnation.cast_unsigned()),
            lease: None,
        }
    }
}

/// Who keeps a claimant out: the holders of its slot and of its rivals.
fn keepers_of(claim: &WriterClaim) -> Statement<'_> {
    let query = "SELECT incarnation, holder, slot FROM writers
        WHERE (slot = ? OR slot >= ? AND slot < ?) AND revoked_at IS NULL ORDER BY incarnation";
    let rivals = claim.rival_slots();
    sqlx::query(query).bind(claim.slot.as_str()).bind(rivals.start).bind(rivals.end)
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
