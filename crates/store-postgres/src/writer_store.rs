use crate::{
    PostgresStore, fence,
    session::{Statement, column},
    tokens::Token,
    transaction::{self, Transaction},
    values,
};
use actum_persistence::store::{ClaimError, Incarnation, StoreError, WriterClaim, WriterStore};
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl WriterStore for PostgresStore {
    async fn claim(&self, claim: &WriterClaim) -> Result<Incarnation, ClaimError> {
        claim.check()?;
        let doing = "claiming a writer slot";
        let mut session = self.shared.connections.begin(doing).await?;
        let mut tx = Transaction::of(&mut session, doing);
        let claimed = self.claim_in(&mut tx, claim).await;
        let (incarnation, nonce) = tx.finish(claimed).await?;
        self.shared.tokens.learn(incarnation, Token { nonce: Some(nonce), settled: 0 });
        Ok(Incarnation::new(incarnation.cast_unsigned()))
    }

    async fn renew(&self, incarnation: Incarnation, lease: Duration) -> Result<(), StoreError> {
        let doing = "renewing a writer slot";
        let key = values::incarnation(incarnation)?;
        let renewal = || {
            let renewal = sqlx::query(self.shared.texts.of("SELECT @renew_v1($1, $2, $3)"));
            renewal.bind(key).bind(self.shared.tokens.of(key).nonce).bind(micros(lease))
        };
        let mut session = self.shared.connections.lend(doing).await?;
        let rows = transaction::call(&mut session, self.shared.connector(), doing, renewal).await?;
        match rows.first().map(|row| column::<bool>(row, 0)) {
            Some(Ok(true)) => Ok(()),
            Some(Ok(false)) => Err(StoreError::Fenced { incarnation }),
            Some(Err(error)) => Err(fence::unreadable(doing, error)),
            None => Err(fence::unreadable(doing, sqlx::Error::RowNotFound)),
        }
    }

    async fn release(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        self.shut_out("releasing a writer slot", incarnation).await
    }

    async fn revoke(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        self.shut_out("revoking a writer", incarnation).await
    }
}

/// Who holds a slot.
struct Holder {
    incarnation: i64,
    name: String,
    /// How long its lease lasts, in microseconds; negative when it has run out.
    lease_micros: i64,
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
            if holder.lease_micros > 0 {
                return Err(held(claim, &holder));
            }
            fence::hold(tx, self.shared.lock_space, holder.incarnation).await?;
            tx.rows(self.revocation(holder.incarnation, true)).await?;
            // it may have renewed while its last write was waited for
            if let Some(holder) = self.holder_of(tx, &claim.slot).await? {
                return Err(held(claim, &holder));
            }
        }
        Ok(self.enter(tx, claim).await?)
    }

    /// The incarnation that may write for a slot.
    async fn holder_of(
        &self,
        tx: &mut Transaction<'_>,
        slot: &str,
    ) -> Result<Option<Holder>, StoreError> {
        let query = "SELECT incarnation, holder,
                (extract(epoch FROM lease_until - clock_timestamp()) * 1000000)::bigint
            FROM @writers WHERE slot = $1 AND revoked_at IS NULL";
        let rows = tx.rows(sqlx::query(self.shared.texts.of(query)).bind(slot)).await?;
        let holder = rows.first().map(|row| {
            let (incarnation, name) = (column(row, 0)?, column(row, 1)?);
            Ok::<_, sqlx::Error>(Holder { incarnation, name, lease_micros: column(row, 2)? })
        });
        holder.transpose().map_err(|error| tx.failed(error))
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
        let statement = sqlx::query(self.shared.texts.of(statement));
        let statement = statement.bind(&claim.slot).bind(&claim.holder).bind(micros(claim.lease));
        let rows = tx.rows(statement).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound);
        row.and_then(|row| Ok((column(row, 0)?, column(row, 1)?))).map_err(|error| tx.failed(error))
    }

    async fn shut_out(
        &self,
        doing: &'static str,
        incarnation: Incarnation,
    ) -> Result<(), StoreError> {
        // a number that nobody was given is shut out already
        let Some(key) = values::stored(incarnation.get()) else { return Ok(()) };
        let mut session = self.shared.connections.begin(doing).await?;
        let mut tx = Transaction::of(&mut session, doing);
        let held = fence::hold(&mut tx, self.shared.lock_space, key).await;
        let done = match held {
            Ok(()) => tx.rows(self.revocation(key, false)).await.map(drop),
            failed => failed,
        };
        tx.finish(done).await
    }

    fn revocation(&self, incarnation: i64, only_if_dead: bool) -> Statement<'_> {
        let statement = "UPDATE @writers SET revoked_at = clock_timestamp()
            WHERE incarnation = $1 AND revoked_at IS NULL AND ($2 IS FALSE OR lease_until <= clock_timestamp())";
        sqlx::query(self.shared.texts.of(statement)).bind(incarnation).bind(only_if_dead)
    }
}

fn held(claim: &WriterClaim, holder: &Holder) -> ClaimError {
    let left = u64::try_from(holder.lease_micros).unwrap_or(0);
    ClaimError::Held {
        slot: claim.slot.clone(),
        holder: holder.name.clone(),
        expires_in: Some(Duration::from_micros(left)),
    }
}

fn micros(lease: Duration) -> f64 {
    // what does not fit is centuries
    lease.as_secs_f64().min(1e9) * 1e6
}
