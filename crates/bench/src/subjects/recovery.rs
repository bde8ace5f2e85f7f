//! How fast the first query of an entity replays its events, 100,000 in all.

use crate::{
    bank::Bank,
    case::Case,
    cpu,
    drive::two_workers,
    journal::Journal,
    limits::{decoding, postgres::raw_pages, sql_pages},
    measurement::Measurement,
    medium::Medium,
    name::Name,
    workload::EVENTS_REPLAYED,
};
use std::time::Instant;

/// The events belong to so many entities, all woken at once.
pub(crate) fn case(medium: Medium, entities: u32) -> Case {
    let name = Name::of("replay, events").on(medium).entities(entities);
    let case = Case::new(name, move |bench, _| {
        let runtime = two_workers()?;
        runtime.block_on(async {
            let journal =
                Journal::filled(medium, &bench.site, entities, EVENTS_REPLAYED / entities).await?;
            let bank = Bank::open(journal).await?;
            let accounts = bank.accounts(entities);
            let (started, cpu) = (Instant::now(), cpu::spent());
            Bank::look_at(&accounts).await?;
            let (took, cpu) = (started.elapsed(), cpu::since(cpu));
            bank.close().await?;
            Ok(Measurement::rate(EVENTS_REPLAYED.into(), took, cpu))
        })
    });
    match medium {
        Medium::Memory => case.beside(decoding::name(), None),
        Medium::Sqlite => case.beside(sql_pages::name(entities), None),
        Medium::Postgres { .. } => case.beside(raw_pages::name(entities), Some(0.5)),
    }
}
