//! Where a subscription begins in the journal.

use super::mails::{MAILS, assert_idle, handle, mails, next, seen, subscribe, take, unsubscribe};
use crate::conformance::{
    StoreFixture,
    readers::{ReaderProcess, Tally, WrittenJournal, happened_at, numbers, tally},
};
use actum_model::{Offset, Position};
use actum_projection::{StartAt, Subscription};

/// It begins with the first event, behind the last one, behind an offset or at a time.
pub async fn it_begins_where_it_is_said_when_it_is_created(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 5).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let behind = Offset::of_positions([Position::new(2)]);
    let begins = [
        (StartAt::Beginning, 1),
        (StartAt::Behind(behind), 3),
        (StartAt::Time(happened_at(3)), 4),
        (StartAt::Now, 6),
    ];
    let mut consumers = Vec::new();
    for (nr, (start_at, first)) in begins.into_iter().enumerate() {
        let named = Subscription::durable(format!("begins-{nr}")).start_at(start_at);
        let named = named.from::<Tally, _>(|event| Some(seen(&event)));
        consumers.push((subscribe(&process, named).await, first));
    }
    journal.write(&tally("a"), 1).await;
    for (mut consumer, first) in consumers {
        let expected = numbers("a", first..=6);
        assert_eq!(handle(&mut consumer, expected.len()).await, expected);
    }
}

/// Once something is kept of a subscription, it goes on there, wherever a consumer says that it begins.
pub async fn where_it_begins_counts_only_when_it_is_created(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 3).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let mut consumer = subscribe(&process, mails().start_at(StartAt::Now)).await;
    journal.write(&tally("a"), 3).await;
    assert_eq!(handle(&mut consumer, 1).await, numbers("a", [4]));
    unsubscribe(consumer).await;
    for start_at in [StartAt::Beginning, StartAt::Now] {
        let other = ReaderProcess::start(fixture, "b@1").await;
        let mut consumer = subscribe(&other, mails().start_at(start_at)).await;
        assert_eq!(take(&mut consumer, 2).await, numbers("a", [5, 6]));
        unsubscribe(consumer).await;
    }
}

/// Another transient subscription goes on behind the offset of an event; nothing is kept of either.
pub async fn a_transient_one_begins_behind_the_offset_of_another_and_keeps_nothing(
    fixture: &dyn StoreFixture,
) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 6).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let transient = |start_at| {
        let all = Subscription::transient().start_at(start_at).buffer_events(2);
        all.from::<Tally, _>(|event| Some(seen(&event)))
    };
    let mut first = subscribe(&process, transient(StartAt::Beginning)).await;
    assert_eq!(take(&mut first, 3).await, numbers("a", 1..=3));
    let fourth = next(&mut first).await;
    let mut other = subscribe(&process, transient(StartAt::Behind(fourth.offset().clone()))).await;
    assert_eq!(take(&mut other, 2).await, numbers("a", 5..=6));
    journal.write(&tally("a"), 1).await;
    assert_eq!(take(&mut other, 1).await, numbers("a", [7]));
    assert_idle(&mut other).await;
    let kept = process.stores.progress.projections().await.expect("they can be listed");
    assert_eq!(kept, [], "not even of {MAILS}");
}
