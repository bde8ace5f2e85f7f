//! Where a projection begins, and how a person changes that.

use super::counting::{COUNTS, Counting, status, until_all_is_kept};
use crate::conformance::{
    StoreFixture,
    readers::{ReaderProcess, WrittenJournal, numbers, soon, tally, until},
};
use actum_model::{Offset, Position};
use actum_projection::{ProjectionState, StartAt, Subscription};

/// Where it begins counts when it is entered for the first time; later it goes on where it was.
pub async fn it_begins_where_it_is_said_and_goes_on_where_it_was(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 3).await;
    let counting = Counting::default();
    let starts = [
        StartAt::Behind(Offset::of_positions([Position::new(2)])),
        StartAt::Now,
        StartAt::Beginning,
    ];
    for (life, start_at) in starts.into_iter().enumerate() {
        let projection = counting.projection().start_at(start_at);
        let name = format!("a@{life}");
        let process = ReaderProcess::run(fixture, &name, vec![projection.into()]).await;
        until_all_is_kept(&process.projection(COUNTS), journal.events - 2).await;
        process.end().await;
        journal.write(&tally("a"), 1).await;
    }
    assert_eq!(counting.all(), numbers("a", 3..journal.events));
}

/// A projection that is paused, through any process, handles nothing in any of them, also when they start later.
pub async fn a_paused_one_handles_nothing_until_it_is_resumed(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 2).await;
    let counting = Counting::default();
    let run =
        async |name| ReaderProcess::run(fixture, name, vec![counting.projection().into()]).await;
    let (process, other) = (run("a@1").await, run("b@1").await);
    until_all_is_kept(&process.projection(COUNTS), 2).await;
    other.projection(COUNTS).pause().await.expect("it can be paused");
    let is_at_rest = async || {
        let status = status(&process.projection(COUNTS)).await;
        let is_free = status.segments.iter().all(|segment| segment.owner.is_none());
        is_free && status.state == ProjectionState::Paused
    };
    until("no one runs it", is_at_rest).await;
    journal.write(&tally("a"), 2).await;
    let late = run("c@1").await;
    let everything = Subscription::transient().start_at(StartAt::Beginning).all(Some);
    let mut reader = late.subscriptions.subscribe(everything).await.expect("it can begin");
    for _ in 0..4 {
        soon("the process knows of it", reader.next()).await.expect("it can be read");
    }
    assert_eq!(counting.all(), numbers("a", 1..=2));
    process.projection(COUNTS).resume().await.expect("it can be resumed");
    until_all_is_kept(&late.projection(COUNTS), 4).await;
    assert_eq!(counting.all(), numbers("a", 1..=4));
    for process in [process, other, late] {
        process.end().await;
    }
}

/// A projection that is rewound handles again what is behind that place, in order, and then what comes.
pub async fn a_rewound_one_handles_again_what_is_behind_that(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 5).await;
    let counting = Counting::default();
    let process = ReaderProcess::run(fixture, "a@1", vec![counting.projection().into()]).await;
    let projection = process.projection(COUNTS);
    until_all_is_kept(&projection, 5).await;
    counting.forget();
    let behind = Offset::of_positions([Position::new(2)]);
    projection.rewind(StartAt::Behind(behind)).await.expect("it can be rewound");
    until("it has come again", async || counting.all().contains(&("a".to_owned(), 5))).await;
    assert_eq!(counting.all(), numbers("a", 3..=5));
    journal.write(&tally("a"), 1).await;
    until("it goes on", async || counting.all() == numbers("a", 3..=6)).await;
    process.end().await;
}
