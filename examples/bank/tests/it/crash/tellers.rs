//! Those who send orders to the bank, many at a time.

use super::ledger::{Fate, Ledger, OrderNr};
use bank::client::{Client, Outcome};
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;

/// How many send at the same time.
const TELLERS: usize = 16;

/// Sends everything again that has no answer yet, and some that has; says whether the bank lived to answer it all.
///
/// No new order is begun before that. A bank remembers only so many keys of an account, and a retry that is overtaken
/// by that many new orders would rightly be taken for a new one.
pub(crate) async fn settle_all(
    client: &Client,
    ledger: &Arc<Ledger>,
    random: &mut fastrand::Rng,
) -> bool {
    let mut to_settle = ledger.to_settle();
    random.shuffle(&mut to_settle);
    let to_settle = Arc::new(Mutex::new(to_settle));
    let mut tellers = JoinSet::new();
    for _ in 0..TELLERS {
        let (client, ledger) = (client.clone(), Arc::clone(ledger));
        let to_settle = Arc::clone(&to_settle);
        tellers.spawn(async move {
            let next = || to_settle.lock().unwrap().pop();
            while let Some(nr) = next() {
                if !send(&client, &ledger, nr).await {
                    return false;
                }
            }
            true
        });
    }
    tellers.join_all().await.into_iter().all(|settled| settled)
}

/// Settles everything with a bank that no one harms any more.
pub(crate) async fn settle_in_the_end(
    client: &Client,
    ledger: &Arc<Ledger>,
    random: &mut fastrand::Rng,
) {
    for attempt in 1.. {
        if settle_all(client, ledger, random).await {
            return;
        }
        assert!(attempt < 10, "the last bank does not answer");
    }
}

/// Sends new orders until the ledger is closed, or the bank no longer answers; says whether it answered to the end.
pub(crate) async fn drive(
    client: &Client,
    ledger: &Arc<Ledger>,
    random: &mut fastrand::Rng,
) -> bool {
    drive_by(TELLERS, client, ledger, random).await
}

/// As [`drive`], by so many.
pub(crate) async fn drive_by(
    count: usize,
    client: &Client,
    ledger: &Arc<Ledger>,
    random: &mut fastrand::Rng,
) -> bool {
    let mut tellers = JoinSet::new();
    for _ in 0..count {
        let (client, ledger, mut random) = (client.clone(), Arc::clone(ledger), random.fork());
        tellers.spawn(async move {
            while let Some(nr) = ledger.begin(&mut random) {
                if !send(&client, &ledger, nr).await {
                    return false;
                }
            }
            true
        });
    }
    tellers.join_all().await.into_iter().all(|answered| answered)
}

/// Sends an order once and enters the answer; says whether there was one.
async fn send(client: &Client, ledger: &Ledger, nr: OrderNr) -> bool {
    let order = ledger.order(nr);
    match client.send(&order).await {
        Outcome::Applied(applied) => ledger.enter(nr, &Fate::Done(applied)),
        Outcome::Refused => ledger.enter(nr, &Fate::Refused),
        Outcome::Unsure(_) => return false,
        Outcome::Failed(why) => panic!("{order:?}: {why}"),
    }
    true
}
