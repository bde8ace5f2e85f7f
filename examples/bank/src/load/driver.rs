use super::{
    books::{Books, Page},
    meter::{Meter, Tally},
};
use crate::{
    client::{Action, Client, Order, Outcome},
    domain::Money,
};
use anyhow::{Result, bail};
use std::sync::Arc;
use tokio::{sync::watch, task::JoinSet, time::Instant};

/// One in so many acknowledged orders is sent again, to see that it is answered the same and not done twice.
const REPEAT_ONE_IN: u32 = 100;
/// The largest amount that is moved at once.
const AMOUNT_MAX: u64 = 1_000;

/// Sends orders to a bank, and keeps books of what it says.
#[derive(Clone)]
pub(super) struct Driver {
    pub(super) client: Client,
    pub(super) books: Arc<Books>,
    pub(super) meter: Arc<Meter>,
    pub(super) seed: u64,
}

impl Driver {
    /// Opens all accounts, shared among so many clients.
    pub(super) async fn open_accounts(&self, clients: u32) -> Result<()> {
        let mut opening = JoinSet::new();
        for client in 0..clients as usize {
            let driver = self.clone();
            opening.spawn(async move {
                for page in driver.books.pages().iter().skip(client).step_by(clients as usize) {
                    driver.open(page).await?;
                }
                Ok(())
            });
        }
        opening.join_all().await.into_iter().collect()
    }

    async fn open(&self, page: &Page) -> Result<()> {
        let (account, key) = (page.account.clone(), format!("{}-open", page.account));
        let order = Order { account, action: Action::Open("load".to_owned()), key };
        match self.settle(&order, page).await {
            Outcome::Applied(_) => {
                page.enter(&order.action);
                self.meter.account_done();
                Ok(())
            }
            Outcome::Unsure(why) | Outcome::Failed(why) => bail!("{}: {why}", order.account),
            Outcome::Refused => bail!("{}: refused", order.account),
        }
    }

    /// Drives with so many clients until asked to stop; every order that was begun is settled.
    pub(super) async fn drive(self, clients: u32, stopped: watch::Receiver<bool>) -> Tally {
        let mut driving = JoinSet::new();
        for client in 0..clients {
            driving.spawn(self.clone().drive_one(client, stopped.clone()));
        }
        let mut tally = Tally::new();
        for one in driving.join_all().await {
            tally.add(one);
        }
        tally
    }

    async fn drive_one(self, client: u32, stopped: watch::Receiver<bool>) -> Tally {
        let mut random = fastrand::Rng::with_seed(self.seed.wrapping_add(client.into()));
        let mut tally = Tally::new();
        let mut nr: u64 = 0;
        while !*stopped.borrow() {
            nr += 1;
            let page = self.books.pick(&mut random);
            let action = any_action(&mut random);
            let repeat = random.u32(..REPEAT_ONE_IN) == 0;
            self.meter.begin();
            let begun = Instant::now();
            match action {
                None => self.look(page, &mut tally).await,
                Some(action) => {
                    let key = format!("{}-{client}-{nr}", page.account);
                    let order = Order { account: page.account.clone(), action, key };
                    self.order(&order, page, repeat, &mut tally).await;
                }
            }
            self.meter.end();
            let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            tally.latencies.record(micros).expect("a histogram that resizes takes any value");
        }
        tally
    }
}

/// Half of the requests deposit, four of ten withdraw, rather less, and one of ten only looks.
fn any_action(random: &mut fastrand::Rng) -> Option<Action> {
    let mut up_to = |most| Money::new(random.u64(1..=most)).unwrap_or(Money::MAX);
    let (deposit, withdrawal) = (up_to(AMOUNT_MAX), up_to(AMOUNT_MAX / 2));
    match random.u32(..10) {
        0 => None,
        1..=5 => Some(Action::Deposit(deposit)),
        _ => Some(Action::Withdraw(withdrawal)),
    }
}
