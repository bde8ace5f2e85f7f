use super::{
    books::{Books, Page},
    meter::Tally,
};
use crate::client::Client;
use std::{sync::Arc, time::Duration};
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
        self.wrong.is_empty() && self.unknown == 0 && self.surprises == 0
    }
}

/// Compares every account with the books.
pub(super) async fn balances(
    client: &Client,
    books: &Arc<Books>,
    clients: u32,
    drove: Tally,
) -> Verdict {
    let mut checking = JoinSet::new();
    for first in 0..clients as usize {
        let (client, books) = (client.clone(), Arc::clone(books));
        checking.spawn(async move {
            let mut wrong = Vec::new();
            for page in books.pages().iter().skip(first).step_by(clients as usize) {
                wrong.extend(compare(&client, page).await);
            }
            wrong
        });
    }
    let mut wrong = checking.join_all().await.concat();
    wrong.sort();
    let unknown = books.pages().iter().map(|page| page.entries().unknown).sum();
    let Tally { surprises, first_surprises, .. } = drove;
    Verdict { accounts: books.pages().len(), wrong, unknown, surprises, first_surprises }
}

/// Says what is wrong with an account, if anything is.
async fn compare(client: &Client, page: &Page) -> Option<String> {
    let account = &page.account;
    let mut look = client.standing(account).await;
    for _ in 1..LOOKS {
        if look.is_ok() {
            break;
        }
        sleep(PAUSE).await;
        look = client.standing(account).await;
    }
    let shown = match look {
        Ok(shown) => shown,
        Err(error) => return Some(format!("{account} cannot be looked at: {error:#}")),
    };
    let entries = page.entries();
    let (balance, changes) = (i128::from(shown.balance.minor_units()), shown.revision);
    let right = (balance, changes) == (entries.balance, entries.changes);
    (!right && entries.unknown == 0).then(|| {
        format!(
            "{account} holds {balance} after {changes} changes; acknowledged were {} after {}",
            entries.balance, entries.changes
        )
    })
}
