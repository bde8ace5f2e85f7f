//! How far a segment has come, with all that belongs to it.

use super::{
    ProgressFixture,
    sample::{
        TestProjection, dead_letter, left, new_projection, offset, parked, place, progress_at,
        right,
    },
};
use crate::conformance::sample::{entity, timestamp};
use actum_model::{Lane, Position, SequenceNr, Timestamp};
use actum_persistence::progress::{
    DeadLetter, ParkedEntity, ParkedRequest, ProgressChange, ProgressSave, ReplayedTo,
};

/// The progress and the moment are those of the save, events are added up; the other segment is as it was.
pub async fn a_save_is_kept(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let mut expected = projection.load().await;
    let saves = [(40, 7, 1_000), (41, 0, 1_001), (90, 1_000_000, 999)];
    let mut handled = 0;
    for (position, more, micros) in saves {
        let saved_at = Timestamp::from_micros(micros);
        let progress = progress_at(position);
        let save = ProgressSave { progress, handled: more, saved_at, ..projection.save_of(&held) };
        projection.save(save).await;
        handled += more;
        expected.segments[0].progress = progress_at(position);
        expected.segments[0].handled = handled;
        expected.segments[0].saved_at = saved_at;
        assert_eq!(projection.load().await, expected);
    }
}

/// Lanes in which nothing was met, and those read beyond the last event, are kept as such.
pub async fn progress_comes_back_as_it_was_saved(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let mut progress = progress_at(40);
    progress.advance(Lane::new(1), Position::new(77));
    progress.advance(Lane::new(0), Position::new(50));
    let save = ProgressSave { progress: progress.clone(), ..projection.save_of(&held) };
    projection.save(save).await;
    let kept = projection.segment(left()).await.progress;
    assert_eq!(kept, progress);
    assert_eq!((kept.offset(), kept.last(Lane::new(1))), (&offset([50, 77]), None));
    let last = kept.last(Lane::new(0)).expect("an event was met");
    assert_eq!((last.position.get(), last.event_id.nr), (40, 400));
}

/// Parked entities and dead letters of one save are those of its projection alone, whichever segment they are of.
pub async fn what_could_not_be_handled_is_kept_with_the_save(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let other = TestProjection::enter_in(&projection.store, &new_projection("balances", 2)).await;
    let held = projection.claim(left(), "a").await;
    let entities = vec![parked("1", 1), parked("2", 2)];
    let letters = vec![dead_letter(0, 30, 1), dead_letter(1, 30, 2), dead_letter(0, 31, 2)];
    let save = ProgressSave {
        parked: entities.clone(),
        dead_letters: letters.clone(),
        ..projection.save_of(&held)
    };
    projection.save(save).await;
    assert_eq!(projection.parked(left()).await, entities);
    let in_order = [&letters[0], &letters[2], &letters[1]].map(DeadLetter::clone);
    assert_eq!(projection.dead_letters(left()).await, in_order);
    let counts = projection.load().await;
    assert_eq!((counts.parked, counts.requested), (2, 0));
    assert_eq!((counts.dead_letters, counts.letters_requested), (3, 0));
    assert_eq!(other.parked(left()).await, []);
    assert_eq!(other.dead_letters(left()).await, []);
    let counts = other.load().await;
    assert_eq!((counts.parked, counts.dead_letters), (0, 0));
}

/// All that is kept of an entity is replaced, the request of an operator too; so with a letter of the same place.
pub async fn what_is_kept_again_takes_the_place_of_what_was(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let (store, id) = (&projection.store, &projection.id);
    let held = projection.claim(left(), "a").await;
    let save = ProgressSave {
        parked: vec![parked("1", 1), parked("2", 2)],
        dead_letters: vec![dead_letter(0, 30, 1), dead_letter(0, 31, 1)],
        ..projection.save_of(&held)
    };
    projection.save(save).await;
    let asked = store.request(id, None, ParkedRequest::Replay).await;
    assert_eq!(asked.expect("it can be asked for"), 2);
    assert_eq!(store.request_letter(id, None).await.expect("it can be asked for"), 2);
    let again = ParkedEntity {
        from: SequenceNr::new(18),
        position: Position::new(180),
        error: "it is still negative".into(),
        attempts: 9,
        parked_at: Timestamp::from_micros(timestamp().as_micros() + 1),
        ..parked("1", 1)
    };
    let letter = DeadLetter {
        error: "it is still not there".into(),
        attempts: 0,
        skipped_at: Timestamp::from_micros(timestamp().as_micros() + 1),
        sequence_nr: SequenceNr::new(24),
        ..dead_letter(0, 31, 1)
    };
    let save = ProgressSave {
        parked: vec![ParkedEntity { request: Some(ParkedRequest::Discard), ..again.clone() }],
        dead_letters: vec![DeadLetter { is_requested: true, ..letter.clone() }],
        ..projection.save_of(&held)
    };
    projection.save(save).await;
    let asked = ParkedEntity { request: Some(ParkedRequest::Replay), ..parked("2", 2) };
    assert_eq!(projection.parked(left()).await, [again, asked]);
    let asked = DeadLetter { is_requested: true, ..dead_letter(0, 30, 1) };
    assert_eq!(projection.dead_letters(left()).await, [asked, letter]);
    let counts = projection.load().await;
    assert_eq!((counts.parked, counts.requested), (2, 1));
    assert_eq!((counts.dead_letters, counts.letters_requested), (2, 1));
}

/// One that is through is not parked any more; one that has come further has its next event and the rest as it was. What is
/// not parked stays so.
pub async fn replayed_entities_come_further_or_are_free(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let entities = vec![parked("1", 1), parked("2", 2), parked("3", 3)];
    projection.save(ProgressSave { parked: entities, ..projection.save_of(&held) }).await;
    let asked = projection.store.request(&projection.id, None, ParkedRequest::Replay).await;
    assert_eq!(asked.expect("it can be asked for"), 3);
    let replayed = [("1", None), ("2", Some(21)), ("8", None), ("9", Some(21))];
    let replayed = replayed.map(|(id, from)| ReplayedTo {
        entity: entity("account", id),
        from: from.map(SequenceNr::new),
    });
    projection.save(ProgressSave { replayed: replayed.into(), ..projection.save_of(&held) }).await;
    let request = Some(ParkedRequest::Replay);
    let further = ParkedEntity { from: SequenceNr::new(21), request, ..parked("2", 2) };
    let as_before = ParkedEntity { request, ..parked("3", 3) };
    assert_eq!(projection.parked(left()).await, [further, as_before]);
}

/// The letters of the places, and no other ones.
pub async fn letters_that_were_handled_are_gone(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let letters = [(0, 30), (0, 31), (1, 30), (1, 31)];
    let letters = letters.map(|(lane, position)| dead_letter(lane, position, lane));
    let dead_letters = letters.to_vec();
    projection.save(ProgressSave { dead_letters, ..projection.save_of(&held) }).await;
    let letters_replayed = vec![place(0, 31), place(1, 30), place(1, 99)];
    projection.save(ProgressSave { letters_replayed, ..projection.save_of(&held) }).await;
    let left_over = [letters[0].clone(), letters[3].clone()];
    assert_eq!(projection.dead_letters(left()).await, left_over);
}

/// What a save frees and keeps again is kept: it was freed first.
pub async fn what_is_freed_and_kept_again_is_kept(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let save = ProgressSave {
        parked: vec![parked("1", 1), parked("2", 2)],
        dead_letters: vec![dead_letter(0, 30, 1)],
        ..projection.save_of(&held)
    };
    projection.save(save).await;
    let again = ParkedEntity { from: SequenceNr::new(30), ..parked("1", 1) };
    let further = ParkedEntity { from: SequenceNr::new(30), ..parked("2", 2) };
    let letter = DeadLetter { attempts: 8, ..dead_letter(0, 30, 1) };
    let save = ProgressSave {
        replayed: vec![
            ReplayedTo { entity: entity("account", "1"), from: None },
            ReplayedTo { entity: entity("account", "2"), from: Some(SequenceNr::new(25)) },
        ],
        parked: vec![again.clone(), further.clone()],
        letters_replayed: vec![place(0, 30)],
        dead_letters: vec![letter.clone()],
        ..projection.save_of(&held)
    };
    projection.save(save).await;
    assert_eq!(projection.parked(left()).await, [again, further]);
    assert_eq!(projection.dead_letters(left()).await, [letter]);
}

/// A change of nothing is kept whatever the epochs are, also of what is not there.
pub async fn nothing_is_kept_of_nothing(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let before = projection.everything().await;
    projection.store.change(&ProgressChange::Nothing).await.expect("that is no error");
    assert_eq!(projection.everything().await, before);
}

/// Thousands of entities and letters in one save, and all of them gone in the next.
pub async fn a_large_save_is_kept_whole(fixture: &dyn ProgressFixture) {
    const COUNT: usize = 3_000;
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(right(), "a").await;
    let numbers = || (0..COUNT).map(|nr| (nr, 128 + (nr % 128) as u16));
    let save = ProgressSave {
        parked: numbers().map(|(nr, partition)| parked(&format!("{nr:05}"), partition)).collect(),
        dead_letters: numbers()
            .map(|(nr, partition)| dead_letter(0, 1 + nr as u64, partition))
            .collect(),
        ..projection.save_of(&held)
    };
    projection.save(save.clone()).await;
    assert_eq!(projection.parked(right()).await, save.parked);
    assert_eq!(projection.dead_letters(right()).await, save.dead_letters);
    let counts = projection.load().await;
    assert_eq!((counts.parked, counts.dead_letters), (COUNT as u64, COUNT as u64));
    let free = |one: &ParkedEntity| ReplayedTo { entity: one.entity.clone(), from: None };
    let gone = ProgressSave {
        replayed: save.parked.iter().map(free).collect(),
        letters_replayed: save.dead_letters.iter().map(|letter| letter.place).collect(),
        ..projection.save_of(&held)
    };
    projection.save(gone).await;
    let counts = projection.load().await;
    assert_eq!((counts.parked, counts.dead_letters), (0, 0));
}
