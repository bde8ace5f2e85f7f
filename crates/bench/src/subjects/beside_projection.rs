//! Commands that persist an event each, while a projection handles all of them.

use super::{
    catch_up::{NAME, Nothing},
    commands::Deposits,
};
use crate::{
    account::Account,
    bank::Bank,
    case::Case,
    drive::{drive, two_workers},
    journal::Journal,
    measurement::Measurement,
    medium::Medium,
    name::Name,
};
use actum::Projection;

/// The processor time for one, and so the ratio of it, includes what the projection uses: its aim is 0.9 of what that leaves.
pub(crate) fn case(medium: Medium, callers: u32, entities: u32) -> Case {
    let name = Name::of("persist, projected").on(medium).callers(callers).entities(entities);
    Case::new(name, move |bench, _| {
        let runtime = two_workers()?;
        let (bank, accounts) = runtime.block_on(async {
            let journal = Journal::empty(medium, &bench.site).await?;
            let projection = Projection::at_least_once(NAME, Nothing).from::<Account>();
            let bank = Bank::open_with(journal, |engine| engine.projection(projection)).await?;
            let accounts = bank.awake(entities).await?;
            anyhow::Ok((bank, accounts))
        })?;
        bank.counts.reset();
        let measured = drive(&runtime, callers, bench.window, &Deposits(accounts))?;
        let measured = Measurement { batch: bank.counts.batch(), ..measured };
        runtime.block_on(bank.close())?;
        Ok(measured)
    })
    .beside_of_cpu(Name::persisting(medium, callers, entities, false), 0.9)
}
