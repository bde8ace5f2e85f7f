//! Reading the events of a lane through sqlx alone, in the order they were committed, with the entity of each: pages of 1,000 on
//! one connection.

use crate::{
    case::Case,
    cpu,
    drive::two_workers,
    event_rows,
    journal::{Journal, Place},
    measurement::Measurement,
    medium::Medium,
    name::Name,
    workload::EVENTS_REPLAYED,
};
use anyhow::{Result, bail, ensure};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use std::time::Instant;

const PAGE: i64 = 1_000;

/// The events belong to so many entities.
pub(crate) fn case(medium: Medium, entities: u32) -> Case {
    Case::new(name(medium, entities), move |bench, _| {
        let runtime = two_workers()?;
        runtime.block_on(async {
            let each = EVENTS_REPLAYED / entities;
            let journal = Journal::filled(medium, &bench.site, entities, each).await?;
            journal.stores.close().await;
            let mut connection = LaneConnection::to(&journal.place).await?;
            let (started, cpu) = (Instant::now(), cpu::spent());
            // on a worker, as the engine is
            let read = tokio::spawn(async move { connection.read_all().await }).await??;
            let (took, cpu) = (started.elapsed(), cpu::since(cpu));
            ensure!(read == EVENTS_REPLAYED as usize, "not all events were read");
            journal.place.delete().await?;
            Ok(Measurement::rate(EVENTS_REPLAYED.into(), took, cpu))
        })
    })
}

pub(crate) fn name(medium: Medium, entities: u32) -> Name {
    Name::of("sqlx lane pages, events").on(medium).entities(entities)
}

enum LaneConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

type LaneRow =
    (i64, i64, i64, i64, i64, String, String, i64, Vec<u8>, Vec<u8>, i32, String, String);

/// A page of the lane; `place` is where its events are, and what follows a placeholder's sign its number.
fn text(table: &str, place: &str, sign: &str) -> String {
    format!(
        "SELECT e.{place}, e.sequence_nr, e.incarnation, e.event_nr, e.timestamp, e.codec, e.manifest, e.schema_version,
            e.payload, e.metadata, n.partition, n.kind, n.id
         FROM {table}events AS e JOIN {table}entities AS n ON n.entity = e.entity
         WHERE e.lane = 0 AND e.{place} > {sign}1 ORDER BY e.{place} LIMIT {sign}2"
    )
}

impl LaneConnection {
    async fn to(place: &Place) -> Result<Self> {
        Ok(match place {
            Place::Memory => bail!("there is nothing to connect to"),
            Place::File(directory) => {
                let options = event_rows::options(directory.path());
                Self::Sqlite(SqliteConnection::connect_with(&options).await?)
            }
            Place::Database(database) => Self::Postgres(database.connect().await?),
        })
    }

    async fn read_all(&mut self) -> Result<usize> {
        let text = match self {
            // it has one lane, and its events no column for it
            Self::Sqlite(_) => text("", "place", "?").replace("e.lane = 0 AND ", ""),
            Self::Postgres(_) => text("actum.", "position", "$"),
        };
        let (mut read, mut after) = (0, 0_i64);
        loop {
            let text = AssertSqlSafe(text.as_str());
            let page: Vec<LaneRow> = match self {
                Self::Sqlite(connection) => {
                    sqlx::query_as(text).bind(after).bind(PAGE).fetch_all(connection).await?
                }
                Self::Postgres(connection) => {
                    sqlx::query_as(text).bind(after).bind(PAGE).fetch_all(connection).await?
                }
            };
            let Some(last) = page.last() else { return Ok(read) };
            after = last.0;
            read += page.len();
        }
    }
}
