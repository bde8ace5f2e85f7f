//! Several processes that subscribe by one name: one of them gets the events.

use super::mails::{handle, mails, next, status, subscribe, unsubscribe};
use crate::conformance::{
    StoreFixture,
    progress::sample::{assert_stale, projection_id},
    readers::{
        READER_LEASE, ReaderProcess, SeenEvent, WrittenJournal, numbers, soon, tally, until,
    },
    seed::random,
};
use actum_projection::{Delivered, Subscription};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::timeout;

fn leased() -> Subscription<SeenEvent> {
    mails().lease(READER_LEASE)
}

/// A second process gets nothing while the first one renews, and goes on without a double when that unsubscribes or is shut down.
pub async fn one_process_gets_the_events_until_it_gives_them_back(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 3).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let other = ReaderProcess::start(fixture, "b@1").await;
    let mut first = subscribe(&process, leased()).await;
    assert_eq!(handle(&mut first, 1).await, numbers("a", [1]));
    let mut second = subscribe(&other, leased()).await;
    let waits = timeout(READER_LEASE * 3 / 2, second.next()).await;
    assert!(waits.is_err(), "the first one holds it, and the second gets {waits:?}");
    assert_eq!(handle(&mut first, 1).await, numbers("a", [2]));
    unsubscribe(first).await;
    assert_eq!(handle(&mut second, 1).await, numbers("a", [3]));

    let mut first = subscribe(&process, leased()).await;
    other.end().await;
    let ended = soon("it ends", second.next()).await.expect("it ends without an error");
    assert!(ended.is_none(), "{ended:?}");
    drop(second);
    journal.write(&tally("a"), 1).await;
    assert_eq!(handle(&mut first, 1).await, numbers("a", [4]));
}

/// A process that shows no sign of life is replaced when its lease is over. Nothing of what it tries to keep later is kept:
/// neither its save on the way nor its acknowledgements.
pub async fn a_process_that_dies_silently_is_replaced_and_keeps_nothing_later(
    fixture: &dyn StoreFixture,
) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 4).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let other = ReaderProcess::start(fixture, "b@1").await;
    let mut first = subscribe(&process, leased()).await;
    assert_eq!(handle(&mut first, 1).await, numbers("a", [1]));
    until("that is kept", async || status(&other).await.handled == 1).await;
    let id = projection_id("subscription:mails", 1);
    let held = process.kept_segment(&id).await;
    process.die_silently();
    let in_flight = next(&mut first).await;
    assert_eq!(handle(&mut first, 1).await, numbers("a", [3]), "it does not know that it is dead");
    let _ = in_flight.ack();
    until("its save is on its way", async || process.on_their_way() > 0).await;

    let mut second = subscribe(&other, leased()).await;
    assert_eq!(handle(&mut second, 2).await, numbers("a", [2, 3]), "they were not kept");
    until("that is kept", async || status(&other).await.handled == 3).await;
    assert_stale(process.save_late(&id, held).await);
    process.wake();
    assert_eq!(handle(&mut second, 1).await, numbers("a", [4]));
    until("all is kept", async || status(&other).await.lag.events == 0).await;
    unsubscribe(second).await;
    drop(first);
    let third = ReaderProcess::start(fixture, "c@1").await;
    let status = status(&third).await;
    let counted = (status.handled, status.offset.positions()[0].get());
    assert_eq!(counted, (4, 4), "each event once, by the one that held it");
}

/// What consumers of all processes were given, and have acknowledged.
#[derive(Default)]
struct Ledger {
    delivered: BTreeMap<String, u64>,
    acknowledged: BTreeSet<SeenEvent>,
}

impl Ledger {
    fn meet(&mut self, delivered: &Delivered<SeenEvent>, is_handled: bool) {
        let (id, nr) = delivered.event().clone();
        let last = self.delivered.entry(id.clone()).or_default();
        assert!(nr <= *last + 1, "event {nr} of {id} comes behind {last}");
        *last = nr.max(*last);
        if is_handled && delivered.ack().is_ok() {
            self.acknowledged.insert((id, nr));
        }
    }
}

/// Processes subscribe, die without a word and wake up as chance has it, while events are written: each event is acknowledged in
/// the end, those of an entity come in order, and all of that is kept.
pub async fn processes_that_come_and_go_leave_no_event_out(fixture: &dyn StoreFixture) {
    let mut rng = random();
    let mut journal = WrittenJournal::create(fixture).await;
    let ids = ["a", "b", "c", "d", "e"];
    let short_lived = || {
        let mails = mails().lease(Duration::from_millis(600)).buffer_events(5);
        mails.checkpoint(3, Duration::from_millis(50))
    };
    let (mut ledger, mut dead) = (Ledger::default(), Vec::new());
    for life in 0..4 {
        for id in ids {
            journal.write(&tally(id), rng.u64(1..=4)).await;
        }
        let process = ReaderProcess::start(fixture, &format!("p@{life}")).await;
        let mut consumer = subscribe(&process, short_lived()).await;
        for _ in 0..rng.usize(1..=ids.len()) {
            ledger.meet(&next(&mut consumer).await, rng.u8(0..4) > 0);
        }
        process.die_silently();
        dead.push((process, consumer));
        if rng.bool() {
            let (process, consumer) = dead.swap_remove(rng.usize(0..dead.len()));
            process.wake();
            drop(consumer);
        }
    }
    let process = ReaderProcess::start(fixture, "last@1").await;
    let mut consumer = subscribe(&process, short_lived()).await;
    let heads = ids.map(|id| (id, journal.head_of(&tally(id))));
    let all: BTreeSet<_> = heads.iter().flat_map(|(id, head)| numbers(id, 1..=*head)).collect();
    until("everything is acknowledged and kept", async || {
        if let Ok(next) = timeout(Duration::from_millis(50), consumer.next()).await {
            ledger.meet(&next.expect("it goes on").expect("it has not ended"), true);
        }
        ledger.acknowledged == all && status(&process).await.lag.events == 0
    })
    .await;
}
