//! Reading the same events through sqlx alone: pages of 1,000 on one connection, entity by entity.

use crate::{
    case::Case,
    cpu,
    drive::two_workers,
    journal::{Journal, Place},
    measurement::Measurement,
    medium::POSTGRES,
    name::Name,
    workload::EVENTS_REPLAYED,
};
use anyhow::{Result, bail, ensure};
use sqlx::{Connection, PgConnection};
use std::time::Instant;

const PAGE: usize = 1_000;

/// The events belong to so many entities.
pub(crate) fn case(entities: u32) -> Case {
    Case::new(name(entities), move |bench, _| {
        let runtime = two_workers()?;
        runtime.block_on(async {
            let journal =
                Journal::filled(POSTGRES, &bench.site, entities, EVENTS_REPLAYED / entities)
                    .await?;
            journal.stores.close().await;
            let Place::Database(database) = journal.place else { bail!("it is in a database") };
            let mut connection = database.connect().await?;
            let (started, cpu) = (Instant::now(), cpu::spent());
            let read = tokio::spawn(async move {
                let mut read = 0;
                for entity in 1..=i64::from(entities) {
                    read += read_all(&mut connection, entity).await?;
                }
                connection.close().await?;
                anyhow::Ok(read)
            });
            ensure!(read.await?? == EVENTS_REPLAYED as usize, "not all events were read");
            let (took, cpu) = (started.elapsed(), cpu::since(cpu));
            database.delete().await?;
            Ok(Measurement::rate(EVENTS_REPLAYED.into(), took, cpu))
        })
    })
}

pub(crate) fn name(entities: u32) -> Name {
    Name::of("sqlx pages, events").on(POSTGRES).entities(entities)
}

type PostgresEventRow = (i64, i64, i64, i64, i64, String, String, i64, Vec<u8>, Vec<u8>);

async fn read_all(connection: &mut PgConnection, entity: i64) -> Result<usize> {
    let mut read = Vec::<PostgresEventRow>::new();
    loop {
        let after = read.last().map_or(0, |row| row.1);
        let query = sqlx::query_as(
            "SELECT position, sequence_nr, incarnation, event_nr, timestamp, codec, manifest, schema_version, payload,
                metadata FROM actum.events WHERE entity = $1 AND sequence_nr > $2 ORDER BY sequence_nr LIMIT $3",
        );
        let page: Vec<PostgresEventRow> =
            query.bind(entity).bind(after).bind(PAGE as i64).fetch_all(&mut *connection).await?;
        let full = page.len() == PAGE;
        read.extend(page);
        if !full {
            return Ok(read.len());
        }
    }
}
