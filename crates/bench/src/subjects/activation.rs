//! How many entities with one event each come into memory in a second, asked for by 1,000 callers.

use crate::{
    bank::Bank,
    case::Case,
    cpu,
    drive::two_workers,
    journal::Journal,
    limits::{ractor_spawns, recovery_reads},
    measurement::Measurement,
    medium::Medium,
    name::Name,
    workload::ENTITIES_ACTIVATED,
};
use std::time::Instant;

pub(crate) fn case(medium: Medium) -> Case {
    let name =
        Name::of("activate, entities").on(medium).callers(1_000).entities(ENTITIES_ACTIVATED);
    let case = Case::new(name, move |bench, _| {
        let runtime = two_workers()?;
        runtime.block_on(async {
            let journal = Journal::filled(medium, &bench.site, ENTITIES_ACTIVATED, 1).await?;
            let bank = Bank::open(journal).await?;
            let accounts = bank.accounts(ENTITIES_ACTIVATED);
            let (started, cpu) = (Instant::now(), cpu::spent());
            Bank::look_at(&accounts).await?;
            let (took, cpu) = (started.elapsed(), cpu::since(cpu));
            bank.close().await?;
            Ok(Measurement::rate(ENTITIES_ACTIVATED.into(), took, cpu))
        })
    });
    match medium {
        Medium::Memory => case.beside(ractor_spawns::name(), None),
        Medium::Sqlite | Medium::Postgres { .. } => case.beside(recovery_reads::name(medium), None),
    }
}
