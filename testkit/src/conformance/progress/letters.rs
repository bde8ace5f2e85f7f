//! Dead letters are listed, asked for and discarded.

use super::{
    ProgressFixture,
    sample::{
        TestProjection, dead_letter, everywhere, left, new_projection, place, right, segment,
    },
};
use actum_persistence::progress::{DeadLetter, DeadLetterPlace, ProgressSave};

/// By lane and position as numbers; pages of any size, chained, are all of them once.
pub async fn letters_are_listed_in_the_order_of_their_places(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let places =
        [(0, 1), (0, 9), (0, 10), (0, i64::MAX as u64), (1, 2), (2, 1), (10, 1), (65_535, 1)];
    let letters = places.map(|(lane, position)| dead_letter(lane, position, 7));
    keep(&projection, letters.iter().rev()).await;
    for limit in [1, 2, 7, 8, 9, u32::MAX] {
        let mut listed: Vec<DeadLetter> = Vec::new();
        loop {
            let after = listed.last().map(|letter| letter.place);
            let page = list(&projection, false, after, limit).await;
            assert!(page.len() <= limit as usize);
            let is_last = page.len() < limit as usize;
            listed.extend(page);
            assert!(listed.len() <= letters.len(), "pages of {limit} list one twice");
            if is_last {
                break;
            }
        }
        assert_eq!(listed, letters, "pages of {limit}");
    }
}

/// There need not be a letter, and a page of none is empty.
pub async fn a_page_starts_behind_a_place_that_need_not_have_a_letter(
    fixture: &dyn ProgressFixture,
) {
    let projection = TestProjection::enter(fixture).await;
    let letters = [(0, 30), (1, 20), (1, 40)];
    let letters = letters.map(|(lane, position)| dead_letter(lane, position, 7));
    keep(&projection, &letters).await;
    for (after, limit, expected) in [
        (place(0, 0), 9, &letters[..]),
        (place(0, 29), 9, &letters),
        (place(0, 30), 9, &letters[1..]),
        (place(0, u64::MAX), 9, &letters[1..]),
        (place(1, 19), 1, &letters[1..2]),
        (place(1, 30), 9, &letters[2..]),
        (place(1, 40), 9, &[]),
        (place(0, 0), 0, &[]),
    ] {
        assert_eq!(list(&projection, false, Some(after), limit).await, expected, "{after:?}");
    }
}

/// The first and the last partition are in the range, those beside it are not; pages count what is in it alone.
pub async fn letters_are_listed_by_their_partitions(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let partitions = [0, 63, 64, 65, 127, 128, 255];
    let letters = partitions.map(|nr| dead_letter(0, 1 + u64::from(nr), nr));
    keep(&projection, &letters).await;
    for (range, expected) in [
        (everywhere(), &letters[..]),
        (left(), &letters[..5]),
        (right(), &letters[5..]),
        (segment(64, 64), &letters[2..3]),
        (segment(64, 127), &letters[2..5]),
        (segment(129, 254), &[]),
    ] {
        assert_eq!(projection.dead_letters(range).await, expected, "{range}");
    }
    let (id, range) = (&projection.id, segment(64, 127));
    let page = projection.store.dead_letters(id, range, false, None, 2).await;
    assert_eq!(page.expect("dead letters can be listed"), letters[2..4]);
}

/// One, or all; then they are listed among those that are asked for, and with all others as before.
pub async fn letters_are_asked_to_be_replayed(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let other = TestProjection::enter_in(&projection.store, &new_projection("balances", 2)).await;
    let letters = [(0, 30, 7), (0, 40, 7), (1, 30, 200)];
    let letters = letters.map(|(lane, position, of)| dead_letter(lane, position, of));
    keep(&projection, &letters).await;
    keep(&other, &letters).await;
    let beside = other.everything().await;
    let ask = async |place| {
        let asked = projection.store.request_letter(&projection.id, place).await;
        asked.expect("it can be asked for")
    };
    let expect_asked = async |asked: [bool; 3]| {
        let all: Vec<_> = (letters.iter().zip(asked))
            .map(|(letter, is_requested)| DeadLetter { is_requested, ..letter.clone() })
            .collect();
        let requested: Vec<_> = all.iter().filter(|one| one.is_requested).cloned().collect();
        assert_eq!(list(&projection, false, None, 9).await, all);
        assert_eq!(list(&projection, true, None, 9).await, requested);
        let first = requested.first().cloned();
        assert_eq!(list(&projection, true, None, 1).await, Vec::from_iter(first.clone()));
        if let Some(first) = first {
            assert_eq!(list(&projection, true, Some(first.place), 9).await, requested[1..]);
        }
        let counts = projection.load().await;
        let expected = (3, requested.len() as u64);
        assert_eq!((counts.dead_letters, counts.letters_requested), expected);
    };
    expect_asked([false; 3]).await;
    assert_eq!(ask(Some(place(0, 40))).await, 1);
    expect_asked([false, true, false]).await;
    assert_eq!(ask(Some(place(0, 40))).await, 1);
    assert_eq!(ask(Some(place(1, 40))).await, 0);
    expect_asked([false, true, false]).await;
    assert_eq!(ask(Some(place(1, 30))).await, 1);
    expect_asked([false, true, true]).await;
    assert_eq!(ask(None).await, 3);
    expect_asked([true; 3]).await;
    assert_eq!(other.everything().await, beside);
}

/// One, or all, requested or not; the answer is how many there were.
pub async fn letters_are_discarded(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let other = TestProjection::enter_in(&projection.store, &new_projection("balances", 2)).await;
    let letters = [(0, 30, 7), (0, 40, 7), (1, 30, 200)];
    let letters = letters.map(|(lane, position, of)| dead_letter(lane, position, of));
    keep(&projection, &letters).await;
    keep(&other, &letters).await;
    let beside = other.everything().await;
    let discard = async |place| {
        let discarded = projection.store.discard_letter(&projection.id, place).await;
        discarded.expect("it can be discarded")
    };
    assert_eq!(discard(Some(place(0, 31))).await, 0);
    assert_eq!(list(&projection, false, None, 9).await, letters);
    assert_eq!(discard(Some(place(0, 30))).await, 1);
    assert_eq!(list(&projection, false, None, 9).await, letters[1..]);
    assert_eq!(discard(Some(place(0, 30))).await, 0);
    let asked = projection.store.request_letter(&projection.id, Some(place(1, 30))).await;
    assert_eq!(asked.expect("it can be asked for"), 1);
    assert_eq!(discard(None).await, 2);
    assert_eq!(list(&projection, false, None, 9).await, []);
    assert_eq!(discard(None).await, 0);
    let counts = projection.load().await;
    assert_eq!((counts.dead_letters, counts.letters_requested), (0, 0));
    assert_eq!(other.everything().await, beside);
}

async fn keep(projection: &TestProjection, letters: impl IntoIterator<Item = &DeadLetter>) {
    let held = projection.claim(left(), "a").await;
    let dead_letters = letters.into_iter().cloned().collect();
    projection.save(ProgressSave { dead_letters, ..projection.save_of(&held) }).await;
}

async fn list(
    projection: &TestProjection,
    is_requested: bool,
    after: Option<DeadLetterPlace>,
    limit: u32,
) -> Vec<DeadLetter> {
    let (store, id) = (&projection.store, &projection.id);
    let letters = store.dead_letters(id, everywhere(), is_requested, after, limit).await;
    letters.expect("dead letters can be listed")
}
