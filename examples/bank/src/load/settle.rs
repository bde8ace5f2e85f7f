//! Requests, until their outcome is known.

use super::{books::Page, driver::Driver, meter::Tally};
use crate::client::{Action, Order, Outcome};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long an order is sent again and again before its outcome counts as unknown.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait before the second attempt; twice as long before each further one, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

impl Driver {
    /// Sends an order until its outcome is known, always with the same key. [`Outcome::Unsure`] after half a minute.
    pub(super) async fn settle(&self, order: &Order, page: &Page) -> Outcome {
        let mut outcome = self.client.send(order).await;
        if !matches!(outcome, Outcome::Unsure(_)) {
            return outcome;
        }
        let _unsure = page.is_unsure();
        let deadline = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        while let Outcome::Unsure(why) = &outcome {
            self.meter.attempt_failed(why);
            if Instant::now() >= deadline {
                break;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            outcome = self.client.send(order).await;
        }
        outcome
    }

    /// Has an order done and enters it into the books; `repeat` sends it again after that.
    pub(super) async fn order(&self, order: &Order, page: &Page, repeat: bool, tally: &mut Tally) {
        let applied = match self.settle(order, page).await {
            Outcome::Applied(applied) => applied,
            Outcome::Refused => return tally.refused += 1,
            Outcome::Unsure(_) => return page.enter_unknown(),
            Outcome::Failed(why) => {
                return tally.surprise(format!("{}: {why}", order.account));
            }
        };
        page.enter(&order.action);
        match order.action {
            Action::Withdraw(_) => tally.withdrawals += 1,
            Action::Open(_) | Action::Deposit(_) => tally.deposits += 1,
        }
        if repeat {
            tally.repeated += 1;
            match self.settle(order, page).await {
                Outcome::Applied(again) if again == applied => {}
                other => tally.surprise(format!(
                    "{}: {applied:?} was acknowledged, and sent again it was {other:?}",
                    order.account
                )),
            }
        }
    }

    /// Looks at an account.
    pub(super) async fn look(&self, page: &Page, tally: &mut Tally) {
        match self.client.standing(&page.account).await {
            Ok(_) => tally.looks += 1,
            Err(error) => {
                self.meter.attempt_failed(&error.root_cause().to_string());
                sleep(FIRST_PAUSE).await;
            }
        }
    }
}
