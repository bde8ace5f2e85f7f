//! One event after the other on a connection of its own, each a statement and a transaction: what a single caller waits
//! for at least.

use super::event_table::{self, PostgresStatement, TIMESTAMP, content};
use crate::{
    case::Case,
    drive::{Target, drive, two_workers},
    medium::POSTGRES,
    name::Name,
};
use actum::StoredPayload;
use anyhow::Result;
use sqlx::{Connection, PgConnection};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Inserts for so many entities.
pub(crate) fn case(entities: u32) -> Case {
    Case::new(name(entities), move |bench, _| {
        let runtime = two_workers()?;
        let (database, bare) = runtime.block_on(async {
            let database = event_table::database(bench, 1, entities).await?;
            let connection = database.connect().await?;
            let numbers = vec![1; entities as usize];
            let (position, content) = (i64::from(entities), content()?);
            let bare = Bare { connection, numbers, position, content };
            anyhow::Ok((database, Caller(Arc::new(Mutex::new(bare)))))
        })?;
        let measured = drive(&runtime, 1, bench.window, &bare)?;
        runtime.block_on(async {
            if let Some(bare) = Arc::into_inner(bare.0) {
                bare.into_inner().connection.close().await?;
            }
            database.delete().await
        })?;
        Ok(measured)
    })
}

pub(crate) fn name(entities: u32) -> Name {
    Name::of("bare insert + commit").on(POSTGRES).callers(1).entities(entities)
}

/// Inserts one row.
pub(super) const INSERT: &str = "INSERT INTO actum.events (
        position, entity, sequence_nr, incarnation, event_nr, timestamp, schema_version, lane, codec, manifest, payload,
        metadata
    ) VALUES ($1, $2, $3, 1, $1, $4, $5, 0, $6, $7, $8, '')";

/// Binds the arguments of [`INSERT`] behind the first three.
pub(super) fn bind<'q>(
    statement: PostgresStatement<'q>,
    content: &'q StoredPayload,
) -> PostgresStatement<'q> {
    statement
        .bind(TIMESTAMP)
        .bind(i64::from(content.schema_version))
        .bind(&*content.codec)
        .bind(&*content.manifest)
        .bind(&*content.bytes)
}

/// The only caller.
#[derive(Clone)]
struct Caller(Arc<Mutex<Bare>>);

struct Bare {
    connection: PgConnection,
    /// The last number of each entity.
    numbers: Vec<i64>,
    position: i64,
    content: StoredPayload,
}

impl Target for Caller {
    async fn call(&self, choices: &mut fastrand::Rng) {
        let mut bare = self.0.lock().await;
        bare.insert(choices).await.expect("no one else writes to these tables");
    }
}

impl Bare {
    async fn insert(&mut self, choices: &mut fastrand::Rng) -> Result<(), sqlx::Error> {
        let Self { connection, numbers, position, content } = self;
        let nr = choices.usize(..numbers.len());
        numbers[nr] += 1;
        *position += 1;
        let statement = sqlx::query(INSERT).bind(*position).bind(nr as i64 + 1).bind(numbers[nr]);
        bind(statement, content).execute(connection).await.map(drop)
    }
}
