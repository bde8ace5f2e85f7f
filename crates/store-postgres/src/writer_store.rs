use crate::{
    PostgresStore, fault, fence,
    holder::{self, Holder, KEEPERS_OF, micros},
    row::column,
    session::Statement,
    tokens::Token,
    transaction::{self, Transaction},
};
use actum_persistence::store::{
    ClaimError, Incarnation, JOURNAL_SLOT, StoreError, WriterClaim, WriterStore, integer,
};
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl WriterStore for PostgresStore {
    async fn claim(&self, claim: &WriterClaim) -> Result<Incarnation, ClaimError> {
        claim.check()?;
        let doing = "claiming a writer slot";
        // without any lock: claimants that are refused ask again and again, and one of them may wait for a writer
        let keepers = self.find_keepers(doing, claim).await?;
        if named(&keepers, claim).is_none()
            && let Some(keeper) = keepers.into_iter().next()
        {
            return Err(keeper.refuses());
        }
        let mut session = self.shared.connections.begin(doing).await?;
        let mut tx = Transaction::of(&mut session, doing);
        let claimed = self.claim_in(&mut tx, claim).await;
        let (incarnation, nonce) = tx.finish(claimed).await??;
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
    /// Refused inside where something was done all the same: a holder was replaced, and another one keeps the claimant out.
    async fn claim_in(
        &self,
        tx: &mut Transaction<'_>,
        claim: &WriterClaim,
    ) -> Result<Result<(i64, i64), ClaimError>, ClaimError> {
        self.lock_slot(tx, claim).await?;
        let mut keepers = self.keepers_of(tx, claim).await?;
        let named = named(&keepers, claim);
        let replaces = named.is_some();
        if let Some(holder) = named {
            fence::hold(tx, self.shared.lock_space, holder.incarnation).await?;
            self.replace(tx, holder).await?;
            // it may have renewed while its last write was waited for
            keepers = self.keepers_of(tx, claim).await?;
        }
        match keepers.into_iter().next() {
            None => Ok(Ok(self.enter(tx, claim).await?)),
            Some(keeper) if replaces => Ok(Err(keeper.refuses())),
            Some(keeper) => Err(keeper.refuses()),
        }
    }

    /// Of many who claim a slot or its rivals one goes first, and the others see that it did; nodes go side by side.
    async fn lock_slot(
        &self,
        tx: &mut Transaction<'_>,
        claim: &WriterClaim,
    ) -> Result<(), StoreError> {
        let space = self.shared.lock_space;
        if claim.rival_slots().contains(&JOURNAL_SLOT) {
            let lock =
                "SELECT pg_advisory_xact_lock_shared($1, 65536 + (hashtext($2) & 1073741823))";
            tx.rows(sqlx::query(lock).bind(space).bind(JOURNAL_SLOT)).await?;
        }
        let lock = "SELECT pg_advisory_xact_lock($1, 65536 + (hashtext($2) & 1073741823))";
        tx.rows(sqlx::query(lock).bind(space).bind(&claim.slot)).await.map(drop)
    }

    /// Revokes a holder whose fence the transaction holds, unless it has renewed since it was seen.
    async fn replace(&self, tx: &mut Transaction<'_>, holder: &Holder) -> Result<(), StoreError> {
        let Holder { incarnation, renewal, is_member, .. } = *holder;
        if !is_member {
            return self.revoke_held(tx, incarnation, Some(renewal)).await;
        }
        if self.is_unrenewed(tx, incarnation, renewal).await? {
            self.revoke_held(tx, incarnation, None).await?;
        }
        Ok(())
    }

    /// Who keeps a claimant out.
    async fn find_keepers(
        &self,
        doing: &'static str,
        claim: &WriterClaim,
    ) -> Result<Vec<Holder>, StoreError> {
        let rows = self.shared.connections.read(doing, || self.keepers(claim)).await?;
        let keepers: Result<_, _> = rows.iter().map(Holder::read).collect();
        keepers.map_err(|error| fault::store_error(doing, error))
    }

    /// As [`find_keepers`](Self::find_keepers), in a transaction.
    async fn keepers_of(
        &self,
        tx: &mut Transaction<'_>,
        claim: &WriterClaim,
    ) -> Result<Vec<Holder>, StoreError> {
        let rows = tx.rows(self.keepers(claim)).await?;
        let keepers: Result<_, _> = rows.iter().map(Holder::read).collect();
        keepers.map_err(|error| tx.failed(error))
    }

    fn keepers<'q>(&self, claim: &'q WriterClaim) -> Statement<'q> {
        let rivals = claim.rival_slots();
        let keepers = sqlx::query(self.shared.texts.of(KEEPERS_OF)).bind(&claim.slot);
        keepers.bind(rivals.start).bind(rivals.end)
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

/// The holder that a claim replaces, if it is as it was seen.
fn named<'a>(keepers: &'a [Holder], claim: &WriterClaim) -> Option<&'a Holder> {
    keepers.iter().find(|keeper| claim.replaces == Some(keeper.seen()))
}
