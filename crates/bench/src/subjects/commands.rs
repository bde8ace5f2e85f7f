//! Commands that persist an event each.

use crate::{
    account::Deposit,
    bank::{Accounts, Bank},
    bench::Bench,
    case::Case,
    drive::{Target, drive, two_workers},
    journal::Journal,
    limits::{
        naive,
        postgres::{
            bare_inserts,
            naive_pool::{self, POOLS},
            raw_inserts,
        },
        ractor_calls, sql_inserts,
    },
    measurement::Measurement,
    medium::Medium,
    name::Name,
};
use anyhow::Result;

/// Commands to so many live entities, chosen at random; `held`: of a journal that holds many more; `delays`: PostgreSQL
/// is slower than it is.
pub(crate) fn case(medium: Medium, callers: u32, entities: u32, held: bool, delays: bool) -> Case {
    let name = Name::persisting(medium, callers, entities, held);
    let case = Case::new(name, move |bench, _| {
        measure(bench, medium, entities, held, |runtime, bank, accounts| {
            bank.counts.reset();
            let measured = drive(runtime, callers, bench.window, &Deposits(accounts))?;
            Ok(Measurement { batch: bank.counts.batch(), ..measured })
        })
    });
    let many = callers == 1_000;
    match medium {
        Medium::Memory => {
            let aim = (many && entities == 10_000 && !held).then_some(0.8);
            case.beside(ractor_calls::name(10_000, callers), aim)
        }
        Medium::Sqlite => {
            let case = case.beside(sql_inserts::name(callers, entities, held), many.then_some(0.7));
            if entities != 10_000 || held {
                return case;
            }
            [1, 10].into_iter().fold(case, |case, pool| {
                case.beside(naive::name(pool, callers, entities), many.then_some(6.0))
            })
        }
        Medium::Postgres { lanes } => {
            let main = many && entities == 10_000 && !held;
            let raw = raw_inserts::name(lanes, callers, entities, held);
            let case = case.beside(raw, main.then_some(0.65));
            let case = case.p99_at_most((main && !delays).then_some(20_000.0));
            if entities != 10_000 || held {
                return case;
            }
            if callers == 1 {
                return case.beside(bare_inserts::name(entities), Some(1.0 / 1.3));
            }
            let times = if delays { 20.0 } else { 6.0 };
            POOLS.into_iter().fold(case, |case, pool| {
                case.beside(naive_pool::name(pool, callers, entities), many.then_some(times))
            })
        }
    }
}

/// Measures something with live entities, and cleans up after it.
pub(super) fn measure(
    bench: &Bench,
    medium: Medium,
    entities: u32,
    held: bool,
    with: impl FnOnce(&tokio::runtime::Runtime, &Bank, Accounts) -> Result<Measurement>,
) -> Result<Measurement> {
    let runtime = two_workers()?;
    let (bank, accounts) = runtime.block_on(async {
        let journal = if held {
            bench.prefilled.journal(medium, &bench.site).await?
        } else {
            Journal::empty(medium, &bench.site).await?
        };
        let bank = Bank::open(journal).await?;
        let accounts = bank.awake(entities).await?;
        anyhow::Ok((bank, accounts))
    })?;
    let measured = with(&runtime, &bank, accounts)?;
    runtime.block_on(bank.close())?;
    Ok(measured)
}

#[derive(Clone)]
pub(crate) struct Deposits(pub(crate) Accounts);

impl Target for Deposits {
    async fn call(&self, choices: &mut fastrand::Rng) {
        let account = &self.0[choices.usize(..self.0.len())];
        let deposit = Deposit { amount: choices.u64(..100), reference: choices.u64(..1 << 40) };
        account.ask(deposit).await.expect("a deposit is never refused");
    }
}
