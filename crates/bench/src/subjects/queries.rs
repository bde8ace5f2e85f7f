//! Commands that persist nothing.

use super::commands::measure;
use crate::{
    account::Balance,
    bank::Accounts,
    case::Case,
    drive::{Target, drive},
    limits::ractor_calls,
    medium::Medium,
    name::Name,
};

/// Queries of so many live entities, chosen at random; `held`: of a journal that holds many more.
pub(crate) fn case(medium: Medium, callers: u32, entities: u32, held: bool) -> Case {
    let name = Name::of("query").on(medium).callers(callers).entities(entities).held(held);
    let main = medium == Medium::Memory && callers == 1_000 && entities == 10_000 && !held;
    Case::new(name, move |bench, _| {
        measure(bench, medium, entities, held, |runtime, _, accounts| {
            drive(runtime, callers, bench.window, &Balances(accounts))
        })
    })
    .beside(ractor_calls::name(10_000, callers), main.then_some(1.3))
}

#[derive(Clone)]
pub(crate) struct Balances(pub(crate) Accounts);

impl Target for Balances {
    async fn call(&self, choices: &mut fastrand::Rng) {
        let account = &self.0[choices.usize(..self.0.len())];
        account.ask(Balance).await.expect("a balance is never refused");
    }
}
