//! Several processes that run one projection share its segments.

use super::counting::{COUNTS, Counting, status, until_all_is_kept};
use crate::conformance::{
    StoreFixture,
    progress::sample::{assert_stale, projection_id},
    readers::{READER_LEASE, ReaderProcess, WrittenJournal, tally, until},
};
use actum_projection::ProjectionRegistration;

/// Each segment is run by one process; each process has a share of them, and those of one that is shut down are run by the others,
/// without a double.
pub async fn processes_share_the_segments_and_take_over_what_is_given_back(
    fixture: &dyn StoreFixture,
) {
    let mut journal = WrittenJournal::create(fixture).await;
    let ids: Vec<_> = (0..16).map(|nr| nr.to_string()).collect();
    let counting = Counting::default();
    let projection = || counting.projection().segments(4).lease(READER_LEASE);
    let run = async |name| ReaderProcess::run(fixture, name, vec![projection().into()]).await;
    let process = run("a@1").await;
    let mut write = async || {
        for id in &ids {
            journal.write(&tally(id), 3).await;
        }
        journal.events
    };
    write().await;
    let other = run("b@1").await;
    until("each has its share", async || {
        let segments = status(&process.projection(COUNTS)).await.segments;
        let of = |name| segments.iter().filter(|one| one.owner.as_deref() == Some(name)).count();
        (of("a@1"), of("b@1")) == (2, 2)
    })
    .await;
    let handled = write().await;
    until_all_is_kept(&process.projection(COUNTS), handled).await;
    process.end().await;
    let handled = write().await;
    until_all_is_kept(&other.projection(COUNTS), handled).await;
    let heads = ids.iter().map(|id| (id.clone(), journal.head_of(&tally(id)))).collect();
    assert_eq!(counting.heads(), heads);
    counting.assert_once();
    other.end().await;
}

/// A process that shows no sign of life is replaced when its lease is over: what it had not kept comes again, and what it tries to
/// keep later is not kept.
pub async fn a_process_that_dies_silently_is_replaced_and_keeps_nothing_later(
    fixture: &dyn StoreFixture,
) {
    let mut journal = WrittenJournal::create(fixture).await;
    let counting = Counting::default();
    let leased = || -> Vec<ProjectionRegistration> {
        vec![counting.projection().lease(READER_LEASE).into()]
    };
    let process = ReaderProcess::run(fixture, "a@1", leased()).await;
    journal.write(&tally("a"), 2).await;
    until_all_is_kept(&process.projection(COUNTS), 2).await;
    let id = projection_id(COUNTS, 1);
    let held = process.kept_segment(&id).await;
    process.die_silently();
    journal.write(&tally("a"), 2).await;
    until("it handles what it cannot keep", async || counting.heads()["a"] == 4).await;
    until("its save is on its way", async || process.on_their_way() > 0).await;
    let other = ReaderProcess::run(fixture, "b@1", leased()).await;
    until_all_is_kept(&other.projection(COUNTS), 4).await;
    let again = counting.all().iter().filter(|one| one.1 >= 3).count();
    assert_eq!(again, 4, "they have come again");
    assert_stale(process.save_late(&id, held).await);
    process.wake();
    journal.write(&tally("a"), 1).await;
    until_all_is_kept(&other.projection(COUNTS), 5).await;
    assert_eq!(counting.heads()["a"], 5);
    process.end().await;
    other.end().await;
    let third = ReaderProcess::run(fixture, "c@1", leased()).await;
    until_all_is_kept(&third.projection(COUNTS), 5).await; // each counts once
    third.end().await;
}
