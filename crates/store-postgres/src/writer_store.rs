use crate::{
    PostgresStore, fault, fence,
    holder::{self, HOLDER_OF, Holder, micros},
    row::column,
    tokens::Token,
    transaction::{self, Transaction},
};
use actum_persistence::store::{
    ClaimError, Incarnation, StoreError, WriterClaim, WriterStore, integer,
};
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl WriterStore for PostgresStore {
    async fn claim(&self, claim: &WriterClaim) -> Result<Incarnation, ClaimError> {
        claim.check()?;
        let doing = "claiming a writer slot";
        // without any lock: claimants that are refused ask again and again, and one of them may wait for a writer
        if let Some(holder) = self.find_holder(doing, &claim.slot).await?
            && claim.replaces != Some(holder.seen())
        {
            return Err(holder.refuses(claim));
        }
        let mut session = self.shared.connections.begin(doing).await?;
        let mut tx = Transaction::of(&mut session, doing);
        let claimed = self.claim_in(&mut tx, claim).await;
        let (incarnation, nonce) = tx.finish(claimed).await?;
        self.shared.tokens.learn(incarnation, Token { nonce: Some(nonce), settled: 0 });
        Ok(Incarnation::new(incarnation.cast_unsigned()))
    }

    async fn renew(&self, incarnation: Incarnation, lease: Duration) -> Result<(), StoreError> {
        let doing = "renewing a writer slot";
        let key = integer::incarnation(incarnation)?;
        let renewal = || {
            let renewal = sqlx::query(self.shared.texts.of("SELECT @renew_v1($1, $2, $3)"));
            renewal.bind(key).bind(self.shared.tokens.of(key).nonce).bind(micros(lease))
        };
        let mut session = self.shared.connections.acquire(doing).await?;
        let rows = transaction::call(&mut session, self.shared.connector(), doing, renewal).await?;
        match rows.first().map(|row| column::<bool>(row, 0)) {
            Some(Ok(true)) => Ok(()),
            Some(Ok(false)) => Err(StoreError::Fenced { incarnation }),
            Some(Err(error)) => Err(fence::unreadable(doing, error)),
            None => Err(fence::unreadable(doing, sqlx::Error::RowNotFound)),
        }
    }

    async fn release(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        self.fence("releasing a writer slot", incarnation).await
    }

    async fn revoke(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        self.fence("revoking a writer", incarnation).await
    }
}

impl PostgresStore {
    async fn claim_in(
        &self,
        tx: &mut Transaction<'_>,
        claim: &WriterClaim,
    ) -> Result<(i64, i64), ClaimError> {
        // of many who claim a slot one goes first, and the others see that it did
        let lock = "SELECT pg_advisory_xact_lock($1, 65536 + (hashtext($2) & 1073741823))";
        tx.rows(sqlx::query(lock).bind(self.shared.lock_space).bind(&claim.slot)).await?;
        if let Some(holder) = self.holder_of(tx, &claim.slot).await? {
            if claim.replaces != Some(holder.seen()) {
                return Err(holder.refuses(claim));
            }
            fence::hold(tx, self.shared.lock_space, holder.incarnation).await?;
            self.revoke_held(tx, holder.incarnation, Some(holder.renewal)).await?;
            // it may have renewed while its last write was waited for
            if let Some(holder) = self.holder_of(tx, &claim.slot).await? {
                return Err(holder.refuses(claim));
            }
        }
        Ok(self.enter(tx, claim).await?)
    }

    /// The incarnation that may write for a slot.
    async fn find_holder(
        &self,
        doing: &'static str,
        slot: &str,
    ) -> Result<Option<Holder>, StoreError> {
        let read = || sqlx::query(self.shared.texts.of(HOLDER_OF)).bind(slot);
        let rows = self.shared.connections.read(doing, read).await?;
        let holder = rows.first().map(Holder::read).transpose();
        holder.map_err(|error| fault::store_error(doing, error))
    }

    /// As [`find_holder`](Self::find_holder), in a transaction.
    async fn holder_of(
        &self,
        tx: &mut Transaction<'_>,
        slot: &str,
    ) -> Result<Option<Holder>, StoreError> {
        let rows = tx.rows(sqlx::query(self.shared.texts.of(HOLDER_OF)).bind(slot)).await?;
        rows.first().map(Holder::read).transpose().map_err(|error| tx.failed(error))
    }

    /// Enters a new incarnation that holds the slot, and says its number and its nonce.
    async fn enter(
        &self,
        tx: &mut Transaction<'_>,
        claim: &WriterClaim,
    ) -> Result<(i64, i64), StoreError> {
        let statement = "INSERT INTO @writers (slot, holder, nonce, lease_until)
            VALUES ($1, $2, floor(random() * 2 ^ 52)::bigint, clock_timestamp() + $3 * interval '1 microsecond')
            RETURNING incarnation, nonce";
        let statement = sqlx::query(self.shared.texts.of(statement)).bind(&claim.slot);
        let statement = statement.bind(holder::described(claim)).bind(micros(claim.lease));
        let rows = tx.rows(statement).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound);
        row.and_then(|row| Ok((column(row, 0)?, column(row, 1)?))).map_err(|error| tx.failed(error))
    }

    async fn fence(&self, doing: &'static str, incarnation: Incarnation) -> Result<(), StoreError> {
        // a number that no claim was given is fenced already
        let Some(key) = integer::stored(incarnation.get()) else { return Ok(()) };
        let mut session = self.shared.connections.begin(doing).await?;
        let mut tx = Transaction::of(&mut session, doing);
        let held = fence::hold(&mut tx, self.shared.lock_space, key).await;
        let done = match held {
            Ok(()) => self.revoke_held(&mut tx, key, None).await,
            failed => failed,
        };
        tx.finish(done).await
    }
}
