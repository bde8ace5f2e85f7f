//! Raw multi-row inserts through sqlx, of the same rows into the same tables, one statement a transaction, with as many
//! rows as the engine's transactions have in the same round; from as many connections as the engine has lanes. Keys and
//! numbers are known beforehand: no fence, no lock, nothing looked up.

use super::{
    columns::INSERT,
    event_table,
    inserts::{Inserts, Plan},
};
use crate::{
    bench::Bench,
    case::Case,
    drive::{drive, two_workers},
    medium::Medium,
    name::Name,
    postgres::Database,
};
use anyhow::Result;

/// Inserts for so many entities, in batches as large as the engine's with so many callers.
pub(crate) fn case(lanes: u16, callers: u32, entities: u32, held: bool) -> Case {
    Case::new(name(lanes, callers, entities, held), move |bench, round| {
        let subject = Name::persisting(Medium::Postgres { lanes }, callers, entities, held);
        let batch = round.batch_of(&subject);
        let batch = batch.unwrap_or_else(|| (callers / u32::from(lanes)).clamp(1, 1_000) as usize);
        let runtime = two_workers()?;
        let (database, inserts) = runtime.block_on(async {
            let database = database(bench, lanes, entities, held).await?;
            let plan = Plan { text: INSERT, connections: lanes, lanes: true, entities, batch };
            let inserts = Inserts::open(&database, plan).await?;
            anyhow::Ok((database, inserts))
        })?;
        let measured = drive(&runtime, lanes.into(), bench.window, &inserts)?;
        runtime.block_on(async {
            inserts.close().await?;
            database.delete().await
        })?;
        Ok(measured.of_batches(batch))
    })
}

pub(crate) fn name(lanes: u16, callers: u32, entities: u32, held: bool) -> Name {
    let medium = Medium::Postgres { lanes };
    Name::of("raw inserts").on(medium).callers(callers).entities(entities).held(held)
}

async fn database(bench: &Bench, lanes: u16, entities: u32, held: bool) -> Result<Database> {
    if held {
        bench.prefilled.database(bench.site.postgres()?).await
    } else {
        event_table::database(bench, lanes, entities).await
    }
}
