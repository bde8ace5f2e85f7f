use super::world::account;
use actum::Engine;
use bank::domain::{Account, Deposit, Money, Open, Withdraw};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// Sends orders until all is over, each to any of so many accounts: some are refused, and some are given up in the middle. What became
/// of them is in the journal.
pub(super) async fn write_on(
    engine: Engine,
    mut rng: fastrand::Rng,
    is_over: Arc<AtomicBool>,
    accounts: u64,
) {
    while !is_over.load(Relaxed) {
        let account = engine.entity::<Account>(account(rng.u64(..accounts)));
        let amount = Money::new(rng.u64(1..100)).unwrap();
        let given_up = match rng.u8(..4) {
            0 => Duration::from_micros(rng.u64(..3_000)),
            _ => Duration::from_secs(10),
        };
        let order = async {
            match rng.u8(..8) {
                0 => _ = account.ask(Open { owner: "Ada".to_owned() }).await,
                1..=3 => _ = account.ask(Withdraw { amount }).await,
                _ => _ = account.ask(Deposit { amount }).await,
            }
        };
        let _ = timeout(given_up, order).await;
        sleep(Duration::from_millis(rng.u64(..8))).await;
    }
}
