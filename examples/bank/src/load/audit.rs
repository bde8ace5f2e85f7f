use super::{books::Page, driver::Driver, meter::Tally};
use crate::domain::Standing;
use anyhow::Result;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::sleep};

/// How often an account is looked at before it counts as unreadable, and how long to wait in between.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// What came of the check.
#[derive(Debug, Default)]
pub struct Verdict {
    /// How many accounts were checked.
    pub accounts: usize,
    /// What is not as it was acknowledged, one account each.
    pub wrong: Vec<String>,
    /// How many accounts could not be looked at.
    pub unreadable: usize,
    /// Why one of them could not.
    pub why_unreadable: Option<String>,
    /// Orders whose outcome was never known: their accounts cannot be judged.
    pub unknown: u64,
    /// Answers that cannot be right, in the course of the run.
    pub surprises: u64,
    /// The first of them.
    pub first_surprises: Vec<String>,
}

impl Verdict {
    /// Whether every balance is as acknowledged, and nothing else was odd.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.wrong.is_empty() && self.unreadable == 0 && self.unknown == 0 && self.surprises == 0
    }

    fn add_unreadable(&mut self, why: String) {
        self.unreadable += 1;
        self.why_unreadable.get_or_insert(why);
    }
}

/// Compares every account with the books, with so many clients.
pub(super) async fn balances(driver: &Driver, clients: u32, drove: Tally) -> Verdict {
    let pages = driver.books.pages();
    let patience = Arc::new(AtomicU32::new(LOOKS));
    let mut checking = JoinSet::new();
    for first in 0..clients as usize {
        let (driver, patience) = (driver.clone(), Arc::clone(&patience));
        checking.spawn(async move {
            let mut verdict = Verdict::default();
            for page in driver.books.pages().iter().skip(first).step_by(clients as usize) {
                match look(&driver, &page.account, &patience).await {
                    Ok(shown) => verdict.wrong.extend(compare(page, &shown)),
                    Err(error) => verdict.add_unreadable(format!("{}: {error:#}", page.account)),
                }
                driver.meter.account_done();
            }
            verdict
        });
    }
    let mut verdict = Verdict { accounts: pages.len(), ..Verdict::default() };
    for part in checking.join_all().await {
        verdict.wrong.extend(part.wrong);
        verdict.unreadable += part.unreadable;
        verdict.why_unreadable = verdict.why_unreadable.or(part.why_unreadable);
    }
    verdict.wrong.sort();
    verdict.unknown = pages.iter().map(|page| page.entries().unknown).sum();
    Verdict { surprises: drove.surprises, first_surprises: drove.first_surprises, ..verdict }
}

/// Says what is wrong with an account, if anything is.
fn compare(page: &Page, shown: &Standing) -> Option<String> {
    let (account, entries) = (&page.account, page.entries());
    let (balance, changes) = (i128::from(shown.balance.minor_units()), shown.revision);
    let right = (balance, changes) == (entries.balance, entries.changes);
    (!right && entries.unknown == 0).then(|| {
        format!(
            "{account} holds {balance} after {changes} changes; acknowledged were {} after {}",
            entries.balance, entries.changes
        )
    })
}

/// Looks again and again; once that was in vain for one account, the others are looked at once.
async fn look(driver: &Driver, account: &str, patience: &AtomicU32) -> Result<Standing> {
    let mut looks = 1;
    loop {
        let error = match driver.client.standing(account).await {
            Ok(shown) => return Ok(shown),
            Err(error) => error,
        };
        driver.meter.attempt_failed(&error.root_cause().to_string());
        if looks >= patience.load(Ordering::Relaxed) {
            patience.store(1, Ordering::Relaxed);
            return Err(error);
        }
        looks += 1;
        sleep(PAUSE).await;
    }
}
