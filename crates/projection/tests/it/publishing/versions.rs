use super::shipped::{numbers, publisher};
use crate::{
    projecting::{
        runner_rig::{parts, run, start, until},
        version_rig::nr,
    },
    rig::{Rig, account, deposited},
};
use actum_testkit::{Faults, MemoryBroker};

#[tokio::test(start_paused = true)]
async fn each_event_is_published_by_the_version_that_is_active_and_by_no_other() {
    let (rig, broker) = (Rig::new(1).await, MemoryBroker::new());
    rig.deposit(&account("a"), 50).await;
    let old = run(&rig, "old@1", publisher(&broker)).await;
    old.caught_up().await;
    let new = start(
        parts(&rig, "new@1", &Faults::new()),
        [publisher(&broker).into(), publisher(&broker).version(nr(2)).into()],
    )
    .await;
    let orders = new.service.projection("orders");
    until("it has taken over", async || {
        orders.active_version().await.is_ok_and(|active| active == nr(2))
    })
    .await;
    for expected in 50..100 {
        rig.append(&account("a"), expected, vec![deposited(1)]).await;
    }
    for version in [1, 2] {
        let all = async || {
            let status = orders.version(nr(version)).status().await.unwrap();
            status.lag.events == 0
        };
        until("it has come to the end", all).await;
    }
    assert_eq!(numbers(&broker, "a"), (1..=100).collect::<Vec<_>>(), "each came once");
    old.end().await;
    orders.drop_version(nr(1)).await.unwrap();
    rig.append(&account("a"), 100, vec![deposited(1)]).await;
    until("it goes on", async || numbers(&broker, "a").len() == 101).await;
    new.place.end();
}
