//! An engine announces what it commits, to those who read the journal beside it; they end before its stores close.

use crate::{
    account::{Account, Balance, Deposit, DepositAll},
    rig::{Rig, account},
};
use actum_model::{Lane, LaneCount, Position};
use actum_persistence::store::{
    EventFilter, EventStore, JournalLayout, LanePage, PageLimit, StoreError,
};
use actum_runtime::{Registration, settings::RuntimeSettings};
use actum_store_memory::MemoryStore;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

async fn stored(store: &dyn EventStore, lane: Lane) -> Result<LanePage, StoreError> {
    store.read_lane(lane, Position::ZERO, &EventFilter::default(), PageLimit::default()).await
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_has_its_answer_finds_a_head_that_covers_its_events() {
    let lanes = LaneCount::new(4).unwrap();
    let rig = Rig::over(MemoryStore::with_layout(JournalLayout { lanes, ..Default::default() }));
    let engine = rig.start().await;
    assert_eq!(engine.commits().heads().positions(), [Position::ZERO; 4]);
    for n in 0..40 {
        let (_, receipt) = account(&engine, &n.to_string())
            .ask(DepositAll(vec![1, 2]))
            .with_receipt()
            .await
            .unwrap();
        let (lane, position) = (receipt.lane, receipt.position.unwrap());
        assert!(engine.commits().lane(lane).unwrap().head() >= position);
    }
    let heads = rig.memory.heads().await.unwrap();
    assert_eq!(engine.commits().heads(), heads);
    assert!(heads.positions().iter().all(|head| *head > Position::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_reader_follows_a_lane_without_asking_the_store() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let tail = engine.commits().lane(Lane::default()).unwrap().follow();
    for n in 0..5 {
        account(&engine, &n.to_string()).ask(Deposit(n)).await.unwrap();
    }
    account(&engine, "0").ask(Balance).await.unwrap();
    let page = tail.page(Position::ZERO, &EventFilter::default(), PageLimit::default());
    assert_eq!(page.unwrap(), stored(&rig.memory, Lane::default()).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn readers_end_behind_the_last_write_and_before_the_stores() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let reader = engine.readers().enter("a projection").unwrap();
    let (commits, store) = (engine.commits().clone(), rig.memory.reopen());
    let reading = tokio::spawn(async move {
        reader.ending().await;
        let head = commits.heads();
        assert_eq!(store.heads().await.unwrap(), head, "nothing is written any more");
        tokio::time::sleep(SECOND / 2).await; // it takes them in
        head
    });
    account(&engine, "a").tell(DepositAll(vec![1; 10])).unwrap();
    let report = engine.shutdown().await;
    assert!(reading.is_finished(), "the stores are closed behind it");
    assert!(report.readers_ended && report.is_clean(), "{report:?}");
    assert_eq!(reading.await.unwrap().positions(), [Position::new(10)]);
    assert!(engine.readers().enter("late").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_does_not_end_holds_a_shutdown_up_for_its_time_only() {
    let rig = Rig::new();
    let settings = RuntimeSettings::default().with_shutdown_timeout(2 * SECOND);
    let engine = rig.start_set(settings).await;
    let _reader = engine.readers().enter("a projection that hangs").unwrap();
    let started = Instant::now();
    let report = engine.shutdown().await;
    assert!(!report.readers_ended && report.released && report.closed, "{report:?}");
    assert!(!report.is_clean());
    assert!(started.elapsed() <= 3 * SECOND, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn readers_are_asked_to_end_when_an_engine_is_dropped() {
    let rig = Rig::new();
    let settings = RuntimeSettings::default();
    let accounts = Registration::event_sourced::<Account>((), Default::default());
    let engine = rig.start_with(vec![accounts], settings).await;
    let reader = Arc::new(engine.readers().enter("a projection").unwrap());
    assert!(!reader.is_ending());
    drop(engine);
    reader.ending().await;
}
