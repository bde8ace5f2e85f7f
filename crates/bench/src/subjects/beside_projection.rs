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
use std::time::Duration;

/// Whether the projection saves what it has handled at once, in a transaction for each batch that comes, or at most so often that
/// those who write hardly notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saves {
    AtOnce,
    EachTwentyMillis,
}

impl Saves {
    fn what(self) -> &'static str {
        match self {
            Self::AtOnce => "persist, projected at once",
            Self::EachTwentyMillis => "persist, projected each 20 ms",
        }
    }

    fn interval(self) -> Duration {
        match self {
            Self::AtOnce => Duration::ZERO,
            Self::EachTwentyMillis => Duration::from_millis(20),
        }
    }
}

/// The processor time for one, and so the ratio of it, includes what the projection uses: its aim is 0.9 of what that leaves.
pub(crate) fn case(medium: Medium, callers: u32, entities: u32, saves: Saves) -> Case {
    let name = Name::of(saves.what()).on(medium).callers(callers).entities(entities);
    let beside = Name::persisting(medium, callers, entities, false);
    let case = Case::new(name, move |bench, _| {
        let runtime = two_workers()?;
        let (bank, accounts) = runtime.block_on(async {
            let journal = Journal::empty(medium, &bench.site).await?;
            let projection = Projection::at_least_once(NAME, Nothing)
                .from::<Account>()
                .batch_interval(saves.interval());
            let bank = Bank::open_with(journal, |engine| engine.projection(projection)).await?;
            let accounts = bank.awake(entities).await?;
            anyhow::Ok((bank, accounts))
        })?;
        bank.counts.reset();
        let measured = drive(&runtime, callers, bench.window, &Deposits(accounts))?;
        let measured = Measurement { batch: bank.counts.batch(), ..measured };
        runtime.block_on(bank.close())?;
        Ok(measured)
    });
    match saves {
        Saves::AtOnce => case.beside(beside, None),
        Saves::EachTwentyMillis => case.beside_of_cpu(beside, 0.9),
    }
}
