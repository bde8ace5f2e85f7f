//! The SQL of an exact projection by hand: the same rows in transactions of as many events, each with how far it has come.

use crate::{
    account::account_id,
    balances::{CREATE, Rows},
    case::Case,
    cpu,
    drive::two_workers,
    event_rows,
    measurement::Measurement,
    medium::Medium,
    name::Name,
    postgres::Database,
    workload::{EVENTS_A_BATCH, EVENTS_PROJECTED},
};
use anyhow::{Result, bail};
use sqlx::{Connection, SqliteConnection};
use std::time::{Duration, Instant};

/// The events belong to so many entities.
pub(crate) fn case(medium: Medium, entities: u32) -> Case {
    Case::new(name(medium, entities), move |bench, _| {
        let runtime = two_workers()?;
        runtime.block_on(async {
            let (took, cpu) = match medium {
                Medium::Memory => bail!("there is no SQL in memory"),
                Medium::Sqlite => {
                    let directory = tempfile::tempdir_in(&bench.site.directory)?;
                    let options = event_rows::options(directory.path()).create_if_missing(true);
                    let connection = SqliteConnection::connect_with(&options).await?;
                    tokio::spawn(write(connection, entities)).await??
                }
                Medium::Postgres { .. } => {
                    let database = Database::create(bench.site.postgres()?).await?;
                    let connection = database.connect().await?;
                    let measured = tokio::spawn(write(connection, entities)).await??;
                    database.delete().await?;
                    measured
                }
            };
            Ok(Measurement::rate(EVENTS_PROJECTED.into(), took, cpu))
        })
    })
}

pub(crate) fn name(medium: Medium, entities: u32) -> Name {
    Name::of("rows by hand, events").on(medium).entities(entities)
}

async fn write(mut connection: impl Rows, entities: u32) -> Result<(Duration, Option<Duration>)> {
    connection.run(CREATE).await?;
    connection.run("CREATE TABLE progress (position BIGINT NOT NULL)").await?;
    connection.run("INSERT INTO progress VALUES (0)").await?;
    let (started, cpu) = (Instant::now(), cpu::spent());
    let mut nr = 0;
    while nr < EVENTS_PROJECTED {
        connection.run("BEGIN").await?;
        for _ in 0..EVENTS_A_BATCH {
            // in the order of a journal that was filled entity by entity
            connection.deposit(&account_id(nr / (EVENTS_PROJECTED / entities)), 1).await?;
            nr += 1;
        }
        connection.run(&format!("UPDATE progress SET position = {nr}")).await?;
        connection.run("COMMIT").await?;
    }
    Ok((started.elapsed(), cpu::since(cpu)))
}
