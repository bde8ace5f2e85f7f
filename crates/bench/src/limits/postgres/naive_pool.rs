//! The rival: a service that makes each command a transaction of its own, on a connection from a pool of sqlx with its
//! default settings: begin, insert what the expected sequence number leads to, commit. The same row into the same table.

use super::{bare_inserts, event_table};
use crate::{
    case::Case,
    drive::{Target, drive, two_workers},
    medium::POSTGRES,
    name::Name,
    postgres::Database,
};
use actum::StoredPayload;
use anyhow::Result;
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

/// How many connections the pools have.
pub(crate) const POOLS: [u32; 2] = [10, 20];

/// Commands to so many entities over a pool of so many connections.
pub(crate) fn case(pool: u32, callers: u32, entities: u32) -> Case {
    Case::new(name(pool, callers, entities), move |bench, _| {
        let runtime = two_workers()?;
        let (database, naive) = runtime.block_on(async {
            let database = event_table::database(bench, 1, entities).await?;
            let naive = NaivePool::open(&database, pool, entities).await?;
            anyhow::Ok((database, naive))
        })?;
        let measured = drive(&runtime, callers, bench.window, &naive)?;
        runtime.block_on(async {
            naive.0.pool.close().await;
            database.delete().await
        })?;
        Ok(measured)
    })
}

pub(crate) fn name(pool: u32, callers: u32, entities: u32) -> Name {
    let what = if pool == 10 { "naive, a pool of 10" } else { "naive, a pool of 20" };
    Name::of(what).on(POSTGRES).callers(callers).entities(entities)
}

#[derive(Clone)]
struct NaivePool(Arc<PoolShared>);

struct PoolShared {
    pool: PgPool,
    content: StoredPayload,
    /// The last number of each entity.
    numbers: Vec<AtomicI64>,
    /// The last position: a sequence would give it at no cost worth mention.
    position: AtomicI64,
}

impl NaivePool {
    async fn open(database: &Database, pool: u32, entities: u32) -> Result<Self> {
        let options = PgPoolOptions::new().max_connections(pool);
        let pool = options.connect_with(database.options()).await?;
        let numbers = (0..entities).map(|_| AtomicI64::new(1)).collect();
        let (content, position) = (event_table::content()?, AtomicI64::new(entities.into()));
        Ok(Self(Arc::new(PoolShared { pool, content, numbers, position })))
    }
}

impl Target for NaivePool {
    async fn call(&self, choices: &mut fastrand::Rng) {
        let PoolShared { pool, content, numbers, position } = &*self.0;
        let nr = choices.usize(..numbers.len());
        let sequence_nr = numbers[nr].fetch_add(1, Relaxed) + 1;
        let position = position.fetch_add(1, Relaxed) + 1;
        let command = async {
            let mut tx = pool.begin().await?;
            let insert = sqlx::query(bare_inserts::INSERT);
            let insert = insert.bind(position).bind(nr as i64 + 1).bind(sequence_nr);
            bare_inserts::bind(insert, content).execute(&mut *tx).await?;
            tx.commit().await
        };
        command.await.expect("no two commands have the same numbers");
    }
}
