//! Changes of durable states.

use super::{
    StoreFixture,
    change_reading::{change_head, changes_of, page_of_changes},
    reading::{at_most, head},
    refusal::assert_invalid,
    sample::{account, accounts, entity, payload, timestamp},
    writer::{Writer, lane_of},
};
use actum_model::{EntityKey, Lane, Partition, Position, Revision, Timestamp};
use actum_persistence::store::{
    ChangeFilter, ChangePage, ChangedState, EventId, PageLimit, StateChange, StateOutcome,
    bounds::{FILTER_NAMES_MAX, NUMBER_MAX},
};

const LANE: Lane = Lane::new(0);

/// Where no state was written there is no change, and a reader stays where it is, wherever that is.
pub async fn a_journal_without_states_has_no_changes(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(1), 0, 3).await;
    assert_eq!(change_head(&stores, LANE).await, Position::ZERO);
    for after in [0, 1, 7, NUMBER_MAX] {
        let after = Position::new(after);
        let page = page_of_changes(&stores, after, &ChangeFilter::default(), at_most(9)).await;
        assert_eq!(page, ChangePage::new(Vec::new(), after));
    }
}

/// A change comes with every field as it was written, and so does one that deletes; an entity's record says where its
/// change is.
pub async fn a_change_comes_back_as_it_was_written(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let (kept, gone) = (entity("käse", "語 ' \n"), account(7));
    let mut put = writer.change(&kept, (0, 3), StateChange::Put(payload("kept")));
    put.timestamp = Timestamp::from_micros(-7);
    put.write_nr = u64::MAX;
    let delete = writer.change(&gone, (0, 1 << 40), StateChange::Delete);
    let partition = |key: &EntityKey| key.partition(stores.events.layout().partitions);
    let expected = [(&put, Some(payload("kept")), 1), (&delete, None, 2)];
    let expected = expected.map(|(write, state, position)| ChangedState {
        entity: write.entity.clone(),
        partition: partition(&write.entity),
        position: Position::new(position),
        revision: write.revision,
        timestamp: write.timestamp,
        write_id: EventId { incarnation: writer.incarnation, nr: write.write_nr },
        state,
    });
    writer.store_states(vec![put, delete]).await.expect("the store accepts the writes");
    assert_eq!(changes_of(&stores, LANE).await, expected);
    let records = stores.states.load(&[gone, kept]).await.expect("states can be loaded");
    let positions = records.iter().flatten().map(|record| record.position.get());
    assert!(positions.eq([2, 1]), "a record says where its change is");
}

/// A write moves its entity to the end and leaves nothing where it was: there is one change of each entity, its last.
pub async fn an_entity_has_one_change_the_last(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for (nr, revisions) in [(1, (0, 1)), (2, (0, 1)), (1, (1, 2)), (3, (0, 1)), (1, (2, 3))] {
        put(&writer, nr, revisions).await;
    }
    assert_eq!(places(&changes_of(&stores, LANE).await), [(2, 2, 1), (4, 3, 1), (5, 1, 3)]);
    assert_eq!(change_head(&stores, LANE).await, Position::new(5));
    let delete = writer.change(&account(2), (1, 2), StateChange::Delete);
    writer.store_states(vec![delete]).await.expect("the store accepts the write");
    let changes = changes_of(&stores, LANE).await;
    assert_eq!(places(&changes), [(4, 3, 1), (5, 1, 3), (6, 2, 2)]);
    assert_eq!(changes[2].state, None);
    // a reader that stands where nothing is any more goes on behind it
    let all = ChangeFilter::default();
    for (after, first) in [(1, 4), (2, 4), (3, 4), (4, 5), (5, 6)] {
        let page = page_of_changes(&stores, Position::new(after), &all, at_most(1)).await;
        assert_eq!((page.changes[0].position.get(), page.read_to.get()), (first, first));
    }
}

/// The changes of a batch lie in its order, behind those before; what conflicts is none and does not come in between.
pub async fn the_changes_of_a_batch_lie_in_its_order(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    put(&writer, 50, (0, 1)).await;
    let conflicts = |nr: usize| nr % 7 == 3 || nr == 50;
    for nr in (0..100).filter(|nr| conflicts(*nr) && *nr != 50) {
        put(&writer, nr, (0, 1)).await;
    }
    let before = change_head(&stores, LANE).await;
    let order: Vec<usize> = (0..100).map(|nr| nr * 37 % 100).collect();
    let new = |nr: &usize| writer.change(&account(*nr), (0, 9), StateChange::Put(payload("new")));
    let outcomes = writer.store_states(order.iter().map(new).collect()).await;
    let outcomes = outcomes.expect("a conflict is no error");
    let written = outcomes.iter().filter(|outcome| **outcome == StateOutcome::Written).count();
    let expected: Vec<usize> = order.into_iter().filter(|nr| !conflicts(*nr)).collect();
    assert_eq!(written, expected.len());
    let behind = changes_of(&stores, LANE).await;
    let behind = behind.iter().filter(|change| change.position > before);
    assert!(
        behind
            .map(|change| &change.entity)
            .eq(&expected.into_iter().map(account).collect::<Vec<_>>())
    );
}

/// A write that conflicts moves nothing, and neither does a fenced one.
pub async fn what_is_not_written_is_no_change(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    put(&writer, 1, (0, 1)).await;
    put(&writer, 2, (0, 1)).await;
    let before = changes_of(&stores, LANE).await;
    for (nr, revisions) in [(1, (0, 5)), (1, (2, 5)), (3, (1, 2))] {
        let outcome = writer.put(&account(nr), revisions, "late").await;
        assert_ne!(outcome.expect("a conflict is no error"), StateOutcome::Written);
    }
    stores.writers.revoke(writer.incarnation).await.expect("a writer can be revoked");
    assert!(writer.put(&account(1), (1, 2), "fenced").await.is_err());
    assert_eq!(changes_of(&stores, LANE).await, before);
    assert_eq!(change_head(&stores, LANE).await, Position::new(2));
}

/// Changes and events do not touch each other's positions, in one lane.
pub async fn changes_are_counted_apart_from_events(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for nr in 0..3 {
        writer.write(&account(1), nr * 2, 2).await;
        put(&writer, 2, (nr, nr + 1)).await;
        let heads = (head(&stores, LANE).await, change_head(&stores, LANE).await);
        assert_eq!(heads, (Position::new(nr * 2 + 2), Position::new(nr + 1)));
    }
}

/// A filter selects kinds exactly and partitions by their range; a reader gets past what it leaves out.
pub async fn changes_are_filtered(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let kinds = ["account", "Account", "acc", "a_count"];
    let keys: Vec<_> = (0..200).map(|nr| entity(kinds[nr % 4], &nr.to_string())).collect();
    let new = |key: &EntityKey| writer.change(key, (0, 1), StateChange::Put(payload(key.id())));
    writer.store_states(keys.iter().map(new).collect()).await.expect("the store accepts them");
    let range = |first, last| Some(Partition::new(first)..=Partition::new(last));
    let filter = |kinds: &[&str], partitions| ChangeFilter {
        kinds: kinds.iter().map(ToString::to_string).collect(),
        partitions,
    };
    for filter in [
        filter(&["account"], None),
        filter(&["acc", "a_count"], None),
        filter(&["ACCOUNT"], None),
        filter(&[], range(17, 90)),
        filter(&[], range(90, 17)),
        filter(&["account", "Account"], range(0, 128)),
    ] {
        let all = changes_of(&stores, LANE).await;
        let expected = all.into_iter().filter(|change| filter.passes(change));
        let (mut found, mut after) = (Vec::new(), Position::ZERO);
        loop {
            let page = page_of_changes(&stores, after, &filter, at_most(7)).await;
            found.extend(page.changes);
            if page.read_to == after {
                break;
            }
            after = page.read_to;
        }
        assert_eq!(found, expected.collect::<Vec<_>>(), "{filter:?}");
        assert_eq!(after, change_head(&stores, LANE).await, "{filter:?}");
    }
}

/// A page has at most as many changes and bytes as asked for, and one change at least.
pub async fn pages_of_changes_keep_to_their_limits(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for (nr, text) in [(1, "12345"), (2, "1234567890"), (3, "123")] {
        writer.put(&account(nr), (0, 1), text).await.expect("the store accepts the write");
    }
    let delete = writer.change(&account(4), (0, 1), StateChange::Delete);
    writer.store_states(vec![delete]).await.expect("the store accepts the write");
    let all = ChangeFilter::default();
    let read_to = async |after: u64, limit: PageLimit| {
        let page = page_of_changes(&stores, Position::new(after), &all, limit).await;
        (page.changes.len(), page.read_to.get())
    };
    let bytes = |bytes| at_most(100).with_bytes(bytes);
    assert_eq!(read_to(0, at_most(2)).await, (2, 2));
    assert_eq!(read_to(2, at_most(2)).await, (2, 4));
    assert_eq!(read_to(0, at_most(4)).await, (4, 4));
    assert_eq!(read_to(0, bytes(14)).await, (1, 1));
    assert_eq!(read_to(0, bytes(15)).await, (2, 2));
    assert_eq!(read_to(0, bytes(18)).await, (4, 4));
    assert_eq!(read_to(1, bytes(1)).await, (1, 2), "one that is larger comes alone");
    assert_eq!(read_to(2, bytes(3)).await, (2, 4), "a tombstone has no bytes");
}

/// What no journal has cannot be asked for.
pub async fn a_read_of_changes_that_cannot_be_is_refused(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let all = ChangeFilter::default();
    for lane in [1, u16::MAX] {
        let (lane, limit) = (Lane::new(lane), PageLimit::default());
        assert_invalid(stores.states.read_changes(lane, Position::ZERO, &all, limit).await);
    }
    let names = vec!["account".to_owned(); FILTER_NAMES_MAX + 1];
    for kinds in [vec!["a\0b".to_owned()], vec!["k".repeat(65)], vec![String::new()], names] {
        let filter = ChangeFilter { kinds, partitions: None };
        let (after, limit) = (Position::ZERO, PageLimit::default());
        assert_invalid(stores.states.read_changes(LANE, after, &filter, limit).await);
    }
}

/// Positions go on where they were when the journal is opened again.
pub async fn changes_go_on_when_the_journal_is_opened_again(fixture: &dyn StoreFixture) {
    for round in 0..3 {
        let stores = fixture.open().await;
        assert_eq!(change_head(&stores, LANE).await, Position::new(round * 2));
        let writer = Writer::claim(&stores).await;
        put(&writer, 1, (round, round + 1)).await;
        put(&writer, 2, (round, round + 1)).await;
        let changes = places(&changes_of(&stores, LANE).await);
        assert_eq!(changes, [(round * 2 + 1, 1, round + 1), (round * 2 + 2, 2, round + 1)]);
        stores.writers.release(writer.incarnation).await.expect("a slot can be released");
        stores.close().await;
    }
}

/// Each lane has the changes of its own entities, with positions of its own, also of those that one batch writes. Runs with
/// four lanes.
pub async fn each_lane_has_changes_of_its_own(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let keys = accounts(40);
    for round in 0..2 {
        let new = |key| writer.change(key, (round, round + 1), StateChange::Put(payload("new")));
        let written = writer.store_states(keys.iter().map(new).collect()).await;
        assert_eq!(written.expect("the store accepts them"), [StateOutcome::Written; 40]);
    }
    for lane in (0..4).map(Lane::new) {
        let of_lane = keys.iter().filter(|key| lane_of(&*stores.events, key) == lane);
        let of_lane: Vec<_> = of_lane.cloned().collect();
        let first = of_lane.len() as u64;
        assert!(first > 0, "the example uses every lane");
        let changes = changes_of(&stores, lane).await;
        assert!(changes.iter().map(|change| &change.entity).eq(&of_lane));
        let positions = changes.iter().map(|change| change.position.get());
        assert!(positions.eq(first + 1..=2 * first), "lane {lane}");
        assert_eq!(change_head(&stores, lane).await, Position::new(2 * first));
    }
}

async fn put(writer: &Writer, nr: usize, revisions: (u64, u64)) {
    let written = writer.put(&account(nr), revisions, "state").await;
    assert_eq!(written.expect("the store accepts the write"), StateOutcome::Written);
}

/// Position, account and revision of each.
fn places(changes: &[ChangedState]) -> Vec<(u64, usize, u64)> {
    let place = |change: &ChangedState| {
        assert_eq!(change.timestamp, timestamp());
        let nr = change.entity.id().trim_start_matches("acc-").parse();
        (change.position.get(), nr.expect("it is an account"), Revision::get(change.revision))
    };
    changes.iter().map(place).collect()
}
