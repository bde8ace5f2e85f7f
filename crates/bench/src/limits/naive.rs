//! The rival: one transaction a command, through a sqlx pool, into the same tables.

use crate::{
    case::Case,
    drive::{Target, drive, two_workers},
    event_rows::{self, Content, EventRow},
    medium::Medium,
    name::Name,
};
use anyhow::Result;
use sqlx::{AssertSqlSafe, SqlitePool, sqlite::SqlitePoolOptions};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

/// Commands to so many entities over a pool of so many connections.
pub(crate) fn case(pool: u32, callers: u32, entities: u32) -> Case {
    Case::new(name(pool, callers, entities), move |bench, _| {
        let runtime = two_workers()?;
        let (directory, naive) = runtime.block_on(async {
            let directory = event_rows::file(&bench.site.directory, entities).await?;
            let naive = Naive::open(pool, directory.path(), entities).await?;
            anyhow::Ok((directory, naive))
        })?;
        let measured = drive(&runtime, callers, bench.window, &naive)?;
        runtime.block_on(naive.0.pool.close());
        directory.close()?;
        Ok(measured)
    })
}

pub(crate) fn name(pool: u32, callers: u32, entities: u32) -> Name {
    let what = if pool == 1 { "naive, one connection" } else { "naive, a pool" };
    Name::of(what).on(Medium::Sqlite).callers(callers).entities(entities)
}

#[derive(Clone)]
struct Naive(Arc<Shared>);

struct Shared {
    pool: SqlitePool,
    content: Content,
    text: String,
    /// The last number of each entity.
    numbers: Vec<AtomicI64>,
}

impl Naive {
    async fn open(pool: u32, directory: &std::path::Path, entities: u32) -> Result<Self> {
        let pool = SqlitePoolOptions::new()
            .max_connections(pool)
            .acquire_timeout(Duration::from_secs(60))
            .connect_with(event_rows::options(directory))
            .await?;
        let numbers = (0..entities).map(|_| AtomicI64::new(1)).collect();
        let (content, text) = (Content::new()?, event_rows::insert(1));
        Ok(Self(Arc::new(Shared { pool, content, text, numbers })))
    }
}

impl Target for Naive {
    async fn call(&self, choices: &mut fastrand::Rng) {
        let Shared { pool, content, text, numbers } = &*self.0;
        let nr = choices.usize(..numbers.len());
        let sequence_nr = numbers[nr].fetch_add(1, Relaxed) + 1;
        let row = EventRow { place: None, entity: nr as i64 + 1, sequence_nr };
        let command = async {
            let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
            let query = sqlx::query(AssertSqlSafe(text.as_str()));
            content.bind(query, &row).execute(&mut *tx).await?;
            tx.commit().await
        };
        command.await.expect("no one holds the file for as long as the rival waits");
    }
}
