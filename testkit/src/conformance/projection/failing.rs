//! The outcome of events that the handler does not handle.

use super::counting::{COUNTS, Counting, status, until_all_is_kept};
use crate::conformance::{
    StoreFixture,
    readers::{ReaderProcess, WrittenJournal, numbers, tally, until},
};
use actum_projection::{OnFailure, Projection, ProjectionSettings, ProjectionState};
use std::time::Duration;

/// A projection that tries an event twice more.
fn impatient(counting: &Counting, on_failure: OnFailure) -> Projection<Counting> {
    let mut settings = ProjectionSettings::default();
    (settings.retries, settings.on_failure) = (2, on_failure);
    settings.retry_first = Duration::from_millis(10);
    counting.projection().settings(settings)
}

/// An event that fails comes again until it is handled, and nothing of its lane before it.
pub async fn an_event_that_fails_is_tried_again_before_later_ones(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 5).await;
    let counting = Counting::default();
    counting.fail("a", 3);
    let mut settings = ProjectionSettings::default();
    settings.retries = 1_000;
    (settings.retry_first, settings.retry_max) =
        (Duration::from_millis(5), Duration::from_millis(20));
    let projection = counting.projection().settings(settings);
    let process = ReaderProcess::run(fixture, "a@1", vec![projection.into()]).await;
    until("it was tried again", async || counting.tries("a", 3) >= 3).await;
    assert_eq!(counting.heads()["a"], 2);
    let projection = process.projection(COUNTS);
    until("what is in front of it is kept", async || status(&projection).await.handled == 2).await;
    counting.mend();
    until_all_is_kept(&projection, 5).await;
    assert_eq!(counting.heads()["a"], 5);
    process.end().await;
}

/// An event that was tried as often as is set becomes a dead letter, and later ones go on; it is handled when it is replayed.
pub async fn an_event_that_is_given_up_is_a_dead_letter_and_is_replayed(
    fixture: &dyn StoreFixture,
) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 3).await;
    let counting = Counting::default();
    counting.fail("a", 2);
    let projection = impatient(&counting, OnFailure::SkipToDeadLetters);
    let process = ReaderProcess::run(fixture, "a@1", vec![projection.into()]).await;
    let projection = process.projection(COUNTS);
    until("it is kept", async || status(&projection).await.dead_letters == 1).await;
    until("later ones are handled", async || counting.all().contains(&("a".to_owned(), 3))).await;
    let letters = projection.dead_letters(None, 10).await.expect("they can be listed");
    let letter = &letters[0];
    let said = (letter.sequence_nr.get(), letter.attempts, &*letter.error);
    assert_eq!((letters.len(), said), (1, (2, 3, "poison")));
    assert_eq!(projection.replay_dead_letters(None).await.expect("it can be asked for"), 1);
    until("it was tried again", async || {
        let letters = projection.dead_letters(None, 10).await.expect("they can be listed");
        letters[0].attempts == 4 && !letters[0].is_requested
    })
    .await;
    counting.mend();
    let replayed = projection.replay_dead_letters(Some(letter.place)).await;
    assert_eq!(replayed.expect("it can be asked for"), 1);
    until("it is handled", async || counting.all().contains(&("a".to_owned(), 2))).await;
    until("none is left", async || status(&projection).await.dead_letters == 0).await;
    process.end().await;
}

/// An entity that is parked is held back, also in the next process, while others go on; what was held back is handled in order.
pub async fn a_parked_entity_is_held_back_in_every_process_and_replayed_in_order(
    fixture: &dyn StoreFixture,
) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 3).await;
    journal.write(&tally("b"), 2).await;
    let counting = Counting::default();
    counting.fail("a", 2);
    let parks = || vec![impatient(&counting, OnFailure::ParkEntity).into()];
    let process = ReaderProcess::run(fixture, "a@1", parks()).await;
    let projection = process.projection(COUNTS);
    until("it is kept", async || status(&projection).await.parked == 1).await;
    until("others go on", async || counting.all().contains(&("b".to_owned(), 2))).await;
    process.end().await;

    let process = ReaderProcess::run(fixture, "a@2", parks()).await;
    let projection = process.projection(COUNTS);
    journal.write(&tally("a"), 2).await;
    journal.write(&tally("b"), 1).await;
    until("others go on", async || counting.all().contains(&("b".to_owned(), 3))).await;
    until("all is read", async || status(&projection).await.lag.events == 0).await;
    assert_eq!(counting.heads()["a"], 1, "it is held back");
    let parked = projection.parked(None, 10).await.expect("they can be listed");
    let said = (parked[0].entity.clone(), parked[0].from.get(), &*parked[0].error);
    assert_eq!((parked.len(), said), (1, (tally("a"), 2, "poison")));
    counting.mend();
    let replayed = projection.replay_parked(Some(&tally("a"))).await;
    assert_eq!(replayed.expect("it can be asked for"), 1);
    until("it has caught up", async || counting.heads()["a"] == 5).await;
    until("it is free", async || status(&projection).await.parked == 0).await;
    journal.write(&tally("a"), 1).await;
    until("it goes on", async || counting.heads()["a"] == 6).await;
    process.end().await;
}

/// A segment that stops says why, in every process, keeps what is in front of the event, and goes on there when it is resumed.
pub async fn a_segment_that_stops_says_why_and_goes_on_when_it_is_resumed(
    fixture: &dyn StoreFixture,
) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 4).await;
    let counting = Counting::default();
    counting.fail("a", 3);
    let stops = || vec![impatient(&counting, OnFailure::Stop).into()];
    let process = ReaderProcess::run(fixture, "a@1", stops()).await;
    let other = ReaderProcess::run(fixture, "b@1", stops()).await;
    for process in [&process, &other] {
        until("it has stopped", async || {
            let state = status(&process.projection(COUNTS)).await.state;
            matches!(state, ProjectionState::Stopped { why } if why.contains("poison"))
        })
        .await;
    }
    assert_eq!(counting.all(), numbers("a", [1, 2]));
    counting.mend();
    other.projection(COUNTS).resume().await.expect("it can be resumed");
    until_all_is_kept(&other.projection(COUNTS), 4).await;
    assert_eq!(counting.all(), numbers("a", 1..=4));
    process.end().await;
    other.end().await;
}
