//! Batches of many entities.

use super::{
    StoreFixture,
    reading::{events_of, head, head_of, journal},
    refusal::assert_invalid,
    sample::{account, accounts, event, events},
    writer::Writer,
};
use actum_model::{Lane, Partition, Position, SequenceNr};
use actum_persistence::store::AppendOutcome;

/// An entity that is named twice, an append without events or with a partition that is not the entity's: the whole
/// batch is refused, wherever the mistake is, and nothing of it stays.
pub async fn an_invalid_batch_stores_nothing(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let good =
        || accounts(200).iter().map(|key| writer.append(key, 0, events(2))).collect::<Vec<_>>();
    for place in [0, 100, 199] {
        let mut twice = good();
        twice.insert((place + 57) % 200, writer.append(&account(place), 2, events(1)));
        assert_invalid(writer.store(twice).await);
        let mut without_events = good();
        without_events[place].events.clear();
        assert_invalid(writer.store(without_events).await);
        let mut misplaced = good();
        let own = misplaced[place].partition;
        misplaced[place].partition = Partition::new(own.nr() ^ 1);
        assert_invalid(writer.store(misplaced).await);
        let mut numbered_past_the_end = good();
        numbered_past_the_end[place].first_event_nr = u64::MAX; // of two events
        assert_invalid(writer.store(numbered_past_the_end).await);
    }
    assert_eq!(head(&stores, Lane::default()).await, Position::ZERO);
    for key in accounts(200) {
        assert_eq!(head_of(&stores, &key).await, 0, "{key}");
    }
    writer.store(good()).await.expect("without a mistake the store accepts it");
}

/// One entity that is not where its writer believes fails alone, first, in the middle or last of thousands.
pub async fn one_conflicting_entity_among_thousands_fails_alone(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let (mut keys, mut position) = (accounts(3000), 0);
    for (round, conflicting) in [0, 1500, 2999].into_iter().enumerate() {
        writer.write(&keys[conflicting], round as u64, 1).await;
        position += 1;
        let appends = keys.iter().map(|key| writer.append(key, round as u64, events(1))).collect();
        let outcomes = writer.store(appends).await.expect("a conflict is no error");
        assert_eq!(outcomes.len(), keys.len());
        for (nr, outcome) in outcomes.iter().enumerate() {
            if nr == conflicting {
                assert_eq!(*outcome, conflict(round as u64 + 1));
            } else {
                position += 1;
                assert_eq!(*outcome, appended(position), "round {round}, append {nr}");
            }
        }
        keys.swap_remove(conflicting); // it is one ahead now
        keys.push(account(9000 + round));
        let newest = keys.len() - 1;
        writer.write(&keys[newest], 0, round + 1).await;
        position += round as u64 + 1;
    }
    assert_eq!(journal(&stores).await.len() as u64, position);
}

/// Many conflicting entities, some behind and some ahead of what the batch expects, between appends of several events.
pub async fn many_conflicting_entities_fail_and_the_others_are_stored(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let keys = accounts(1200);
    let stand = keys.iter().map(|key| writer.append(key, 0, events(2))).collect();
    writer.store(stand).await.expect("the store accepts the batch");

    let expected = |nr: usize| [2, 1, 2, 3, 0][nr % 5];
    let count = |nr: usize| 1 + nr % 4;
    let appends = keys.iter().enumerate();
    let appends = appends.map(|(nr, key)| writer.append(key, expected(nr), events(count(nr))));
    let outcomes = writer.store(appends.collect()).await.expect("a conflict is no error");
    let mut position = 2 * keys.len() as u64;
    for (nr, outcome) in outcomes.iter().enumerate() {
        if expected(nr) == 2 {
            position += count(nr) as u64;
            assert_eq!(*outcome, appended(position), "append {nr}");
        } else {
            assert_eq!(*outcome, conflict(2), "append {nr}");
        }
        let head = if expected(nr) == 2 { 2 + count(nr) as u64 } else { 2 };
        assert_eq!(head_of(&stores, &keys[nr]).await, head, "{}", keys[nr]);
    }
    assert_dense(&stores, position).await;
}

/// A batch in which every entity conflicts stores nothing and takes no position.
pub async fn a_batch_of_conflicting_entities_takes_no_position(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let appends = accounts(500).iter().map(|key| writer.append(key, 1, events(3))).collect();
    let outcomes = writer.store(appends).await.expect("a conflict is no error");
    assert_eq!(outcomes, vec![conflict(0); 500]);
    assert_eq!(writer.write(&account(1), 0, 1).await, Position::new(1));
}

/// One entity appends 10,000 events at once.
pub async fn ten_thousand_events_of_one_entity_are_one_append(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    assert_eq!(writer.write(&account(1), 0, 10_000).await, Position::new(10_000));
    let stored = events_of(&stores, &account(1)).await;
    assert_eq!(stored.len(), 10_000);
    for (index, event) in stored.iter().enumerate() {
        assert_eq!(event.payload.bytes, index.to_string().as_bytes());
        assert_eq!(event.event_id.nr, stored[0].event_id.nr + index as u64);
    }
    assert_dense(&stores, 10_000).await;
}

/// 10,000 entities append at once, twice.
pub async fn ten_thousand_entities_are_one_batch(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let keys = accounts(10_000);
    for round in 0..2 {
        let appends = keys.iter().map(|key| writer.append(key, round, vec![event(key.id())]));
        let outcomes = writer.store(appends.collect()).await.expect("the store accepts the batch");
        for (nr, outcome) in outcomes.iter().enumerate() {
            assert_eq!(*outcome, appended(round * 10_000 + nr as u64 + 1));
        }
    }
    for event in journal(&stores).await {
        assert_eq!(event.event.payload.bytes, event.entity.id().as_bytes());
    }
    assert_dense(&stores, 20_000).await;
}

fn appended(last: u64) -> AppendOutcome {
    AppendOutcome::Appended { last: Position::new(last) }
}

fn conflict(actual: u64) -> AppendOutcome {
    AppendOutcome::Conflict { actual: SequenceNr::new(actual) }
}

async fn assert_dense(stores: &actum_persistence::store::Stores, head: u64) {
    let positions: Vec<_> = journal(stores).await.iter().map(|e| e.event.position.get()).collect();
    assert!(positions.iter().copied().eq(1..=head), "positions 1 to {head} without a gap");
}
