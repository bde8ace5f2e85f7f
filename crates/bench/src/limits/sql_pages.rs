//! Reading the same events through sqlx alone: pages of 1,000 on one connection.

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
use sqlx::{Connection, SqliteConnection};
use std::time::Instant;

const PAGE: usize = 1_000;

/// The events belong to so many entities.
pub(crate) fn case(entities: u32) -> Case {
    Case::new(name(entities), move |bench, _| {
        let runtime = two_workers()?;
        runtime.block_on(async {
            let journal =
                Journal::filled(Medium::Sqlite, &bench.site, entities, EVENTS_REPLAYED / entities)
                    .await?;
            journal.stores.close().await;
            let Place::File(directory) = journal.place else { bail!("SQLite is in a file") };
            let options = event_rows::options(directory.path());
            let mut connection = SqliteConnection::connect_with(&options).await?;
            let (started, cpu) = (Instant::now(), cpu::spent());
            let read = tokio::spawn(async move {
                let mut read = 0;
                for entity in 1..=i64::from(entities) {
                    read += read_all(&mut connection, entity).await?;
                }
                anyhow::Ok(read)
            });
            ensure!(read.await?? == EVENTS_REPLAYED as usize, "not all events were read");
            Ok(Measurement::rate(EVENTS_REPLAYED.into(), started.elapsed(), cpu::since(cpu)))
        })
    })
}

pub(crate) fn name(entities: u32) -> Name {
    Name::of("sqlx pages, events").on(Medium::Sqlite).entities(entities)
}

type SqliteEventRow = (i64, i64, i64, i64, i64, String, String, i64, Vec<u8>, Vec<u8>);

async fn read_all(connection: &mut SqliteConnection, entity: i64) -> Result<usize> {
    let mut read = Vec::<SqliteEventRow>::new();
    loop {
        let after = read.last().map_or(0, |row| row.1);
        let query = sqlx::query_as(
            "SELECT place, sequence_nr, incarnation, event_nr, timestamp, codec, manifest, schema_version, payload,
                metadata FROM events WHERE entity = ? AND sequence_nr > ? ORDER BY sequence_nr LIMIT ?",
        );
        let page: Vec<SqliteEventRow> =
            query.bind(entity).bind(after).bind(PAGE as i64).fetch_all(&mut *connection).await?;
        let full = page.len() == PAGE;
        read.extend(page);
        if !full {
            return Ok(read.len());
        }
    }
}
