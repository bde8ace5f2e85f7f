//! Values at the ends of what there can be.

use super::{
    ProgressFixture,
    sample::{
        TestProjection, dead_letter, everywhere, left, new_projection, offset, parked_entity,
        projection_id, right, segment,
    },
};
use crate::conformance::sample::entity;
use actum_model::{
    ID_BYTES_MAX, Lane, LaneCount, Offset, Partition, PartitionCount, Position, SequenceNr,
    Timestamp,
};
use actum_persistence::{
    progress::{
        DeadLetter, ERROR_BYTES_MAX, LastRead, NewProjection, ParkedEntity, ProgressChange,
        ProgressSave, ProjectionId, RUNNER_BYTES_MAX, ReadProgress, Segment, StoredProjection,
    },
    store::{EventId, Incarnation, JournalLayout},
};
use std::num::NonZeroU16;

/// The highest number that is stored.
const LAST: u64 = i64::MAX as u64;

/// 64 lanes, 65,535 partitions in as many segments as a large projection has, and as many sources, of any characters.
pub async fn a_large_projection_comes_back_whole(fixture: &dyn ProgressFixture) {
    let store = fixture.open().await;
    let lanes = LaneCount::new(64).expect("there is a lane");
    let partitions = PartitionCount::new(65_535).expect("there is a partition");
    let positions: Vec<_> =
        lanes.iter().map(|lane| Position::new(LAST - lane.index() as u64)).collect();
    let longest = "k".repeat(64);
    let sources =
        ["A", "B,C", "a", "a b", "a\"b", "a'b", "a,b", "a\\b", &longest, "é", "\u{10ffff}"];
    let count = NonZeroU16::new(512).expect("there is a segment");
    let new = NewProjection {
        id: projection_id(
            &format!("{}-_.:", "n".repeat(ProjectionId::NAME_BYTES_MAX - 4)),
            u32::MAX,
        ),
        sources: sources.map(str::to_owned).into(),
        layout: JournalLayout { lanes, partitions },
        segments: Segment::divide(partitions, count),
        start: Offset::beginning(lanes),
        live_from: Offset::of_positions(positions.clone()),
    };
    let entered = store.enter(&new).await.expect("a projection can be entered");
    assert_eq!(entered, StoredProjection::new(new.clone(), true));
    let projection = TestProjection { store, id: new.id.clone() };
    let mut progress = ReadProgress::behind(new.start.clone());
    for (lane, position) in lanes.iter().zip(positions) {
        let event_id = EventId { incarnation: Incarnation::new(LAST), nr: LAST };
        progress.met(lane, LastRead { position, event_id });
    }
    let last = new.segments[511];
    let held = projection.claim(last, "a").await;
    let save = ProgressSave {
        progress: progress.clone(),
        handled: LAST,
        saved_at: Timestamp::from_micros(i64::MAX),
        ..projection.save_of(&held)
    };
    projection.save(save).await;
    let mut expected = StoredProjection::new(new, true);
    expected.runners = projection.load().await.runners;
    let segment = &mut expected.segments[511];
    segment.progress = progress;
    segment.handled = LAST;
    segment.saved_at = Timestamp::from_micros(i64::MAX);
    segment.epoch = held.epoch;
    segment.owner = Some("a".into());
    assert_eq!(projection.load().await, expected);
}

/// A projection of all kinds has none by name, and is not one of a kind without a name.
pub async fn a_projection_of_all_kinds_names_none(fixture: &dyn ProgressFixture) {
    let store = fixture.open().await;
    let new = NewProjection { sources: Vec::new(), ..new_projection("balances", 1) };
    TestProjection::enter_in(&store, &new).await;
    let loaded = store.load(&new.id).await.expect("a projection can be loaded");
    assert_eq!(loaded.expect("it was entered").sources, Vec::<String>::new());
}

/// Names of 255 bytes, and reasons of 2,000, of any characters.
pub async fn runners_and_reasons_come_back_as_they_are(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    for name in [odd_text(RUNNER_BYTES_MAX), "r".repeat(RUNNER_BYTES_MAX), "'".into()] {
        let held = projection.claim(left(), &name).await;
        assert_eq!(held.owner.as_deref(), Some(&*name));
        assert_eq!(projection.segment(left()).await, held);
        projection.store.leave(&projection.id, &name).await.expect("a runner can leave");
    }
    for why in [odd_text(ERROR_BYTES_MAX), "e".repeat(ERROR_BYTES_MAX), String::new()] {
        let held = projection.claim(left(), "a").await;
        projection
            .store
            .stop(&projection.id, left(), held.epoch, &why)
            .await
            .expect("it is its own");
        assert_eq!(projection.segment(left()).await.stopped.as_deref(), Some(&*why));
        projection.store.set_paused(&projection.id, false).await.expect("a pause can be ended");
    }
}

/// The longest names and errors, of any characters, and the highest numbers.
pub async fn what_could_not_be_handled_comes_back_as_it_is(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(right(), "a").await;
    let longest = entity(&"k".repeat(64), &"\u{10ffff}".repeat(ID_BYTES_MAX / 4));
    let lowest = ParkedEntity {
        partition: Partition::new(0),
        lane: Lane::new(0),
        from: SequenceNr::new(1),
        position: Position::new(1),
        error: "".into(),
        attempts: 0,
        parked_at: Timestamp::from_micros(i64::MIN),
        ..parked_entity(entity("A", "%_'\"\\\n"), 0)
    };
    let highest = ParkedEntity {
        lane: Lane::new(u16::MAX),
        from: SequenceNr::new(LAST),
        position: Position::new(LAST),
        error: odd_text(ERROR_BYTES_MAX).into(),
        attempts: u32::MAX,
        parked_at: Timestamp::from_micros(i64::MAX),
        ..parked_entity(longest.clone(), u16::MAX)
    };
    let low_letter = DeadLetter {
        error: "".into(),
        manifest: "m".into(),
        attempts: 0,
        sequence_nr: SequenceNr::new(1),
        event_id: EventId { incarnation: Incarnation::new(1), nr: 1 },
        skipped_at: Timestamp::from_micros(i64::MIN),
        entity: entity("A", "%_'\"\\\n"),
        ..dead_letter(0, 1, 0)
    };
    let high_letter = DeadLetter {
        entity: longest,
        sequence_nr: SequenceNr::new(LAST),
        event_id: EventId { incarnation: Incarnation::new(LAST), nr: LAST },
        manifest: odd_text(255).into(),
        error: odd_text(ERROR_BYTES_MAX).into(),
        attempts: u32::MAX,
        skipped_at: Timestamp::from_micros(i64::MAX),
        ..dead_letter(u16::MAX, LAST, u16::MAX)
    };
    let save = ProgressSave {
        parked: vec![lowest.clone(), highest.clone()],
        dead_letters: vec![low_letter.clone(), high_letter.clone()],
        ..projection.save_of(&held)
    };
    projection.save(save).await;
    assert_eq!(projection.parked(everywhere()).await, [lowest, highest.clone()]);
    assert_eq!(projection.dead_letters(everywhere()).await, [low_letter, high_letter.clone()]);
    let top = segment(u16::MAX, u16::MAX);
    assert_eq!(projection.parked(top).await, [highest]);
    let asked = projection.store.request_letter(&projection.id, Some(high_letter.place)).await;
    assert_eq!(asked.expect("it can be asked for"), 1);
    let discarded = projection.store.discard_letter(&projection.id, Some(high_letter.place)).await;
    assert_eq!(discarded.expect("it can be discarded"), 1);
    assert_eq!(projection.dead_letters(top).await, []);
}

/// To the end of a lane and back to its beginning.
pub async fn a_rewind_goes_anywhere(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let dead_letters = vec![dead_letter(0, LAST, 1), dead_letter(1, 1, 1)];
    let kept = dead_letters.clone();
    projection.save(ProgressSave { dead_letters, ..projection.save_of(&held) }).await;
    let to = async |positions| {
        let to = offset(positions);
        let rewind = projection.rewind_of(&projection.load().await, to.clone());
        let changed = projection.store.change(&ProgressChange::Rewind(rewind)).await;
        changed.expect("nothing has changed");
        assert_eq!(*projection.segment(left()).await.progress.offset(), to);
        assert_eq!(projection.load().await.live_from, to);
        projection.dead_letters(everywhere()).await
    };
    assert_eq!(to([LAST, LAST]).await, kept);
    assert_eq!(to([LAST - 1, 1]).await, kept[1..]);
    assert_eq!(to([0, 0]).await, []);
}

/// So many bytes of characters of one to four bytes, with such as databases and their texts treat apart.
fn odd_text(bytes: usize) -> String {
    let mut text = String::new();
    for char in "a'\"\\%_,;\n\t é\u{e000}\u{10ffff}".chars().cycle() {
        if text.len() + char.len_utf8() > bytes {
            break;
        }
        text.push(char);
    }
    text.extend(std::iter::repeat_n('a', bytes - text.len()));
    text
}
