//! Snapshot and tail, read together.

use super::{
    StoreFixture,
    reading::at_most,
    refusal::until_available,
    sample::{account, accounts, events, payload, timestamp},
    seed,
    writer::Writer,
};
use actum_model::{EntityKey, SequenceNr, Timestamp};
use actum_persistence::store::{PageLimit, Recovered, RecoveryRead, Snapshot, Stores};
use bytes::Bytes;
use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::task::{JoinSet, yield_now};

/// How often an entity recovers while it deletes events.
const RECOVERIES: usize = 3000;

/// The page starts right behind the newest snapshot, or at the first event if none is wanted or there is none.
pub async fn recovery_reads_the_newest_snapshot_and_what_is_behind_it(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for nr in [1, 2] {
        writer.write(&account(nr), 0, 20).await;
    }
    save(&stores, &account(1), 5).await;
    save(&stores, &account(1), 12).await;
    for (nr, wanted, taken, first) in
        [(1, true, Some(12), 13), (1, false, None, 1), (2, true, None, 1), (2, false, None, 1)]
    {
        let found =
            recover(&stores, &[(account(nr), wanted)], PageLimit::default()).await.remove(0);
        assert_eq!(found.snapshot.as_ref().map(|s| s.sequence_nr.get()), taken);
        assert!(numbers(&found).eq(first..=20), "account {nr}, snapshot wanted: {wanted}");
        assert_eq!(found.page.head, SequenceNr::new(20));
    }
    save(&stores, &account(1), 20).await;
    let found = recover(&stores, &[(account(1), true)], PageLimit::default()).await.remove(0);
    assert_eq!((found.page.events.len(), found.page.head), (0, SequenceNr::new(20)));
    assert!(!found.page.has_more(SequenceNr::new(20)));
}

/// Many entities in one call, in their order: with and without snapshot, with events or without, one twice, unknown
/// ones; the limit holds for each.
pub async fn many_entities_recover_in_one_call(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let keys = accounts(600);
    let appends = keys.iter().enumerate();
    let appends = appends.map(|(nr, key)| writer.append(key, 0, events(1 + nr % 9))).collect();
    writer.store(appends).await.expect("the store accepts the batch");
    let snapshot_of =
        |nr: usize| (nr < 600 && nr.is_multiple_of(3)).then_some((1 + nr % 9) as u64 / 2);
    let snapshots = keys.iter().enumerate();
    let snapshots = snapshots.filter_map(|(nr, key)| Some(snapshot(key, snapshot_of(nr)?)));
    let snapshots: Vec<_> = snapshots.filter(|s| s.sequence_nr > SequenceNr::ZERO).collect();
    stores.snapshots.save(&snapshots).await.expect("snapshots can be saved");

    let mut rng = seed::random();
    let asked: Vec<_> = (0..1000).map(|_| (rng.usize(..700), rng.bool())).collect();
    let reads: Vec<_> = asked.iter().map(|(nr, wanted)| (account(*nr), *wanted)).collect();
    let found = recover(&stores, &reads, at_most(3)).await;
    for ((nr, wanted), found) in asked.into_iter().zip(found) {
        let after = if wanted { snapshot_of(nr).unwrap_or(0) } else { 0 };
        let head = if nr < 600 { (1 + nr % 9) as u64 } else { 0 };
        assert_eq!(found.snapshot.as_ref().map_or(0, |s| s.sequence_nr.get()), after);
        assert!(found.snapshot.as_ref().is_none_or(|s| s.entity == account(nr)));
        assert_eq!(found.page.head.get(), head, "account {nr}");
        assert!(numbers(&found).eq((after + 1..=head).take(3)), "account {nr}: {found:?}");
    }
}

/// After retention, recovery shows the snapshot, the events that are left, and the floor.
pub async fn recovery_works_on_what_retention_has_left(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(1), 0, 10).await;
    for (taken, deleted) in [(6, 4), (6, 6), (10, 10)] {
        save(&stores, &account(1), taken).await;
        let up_to = SequenceNr::new(deleted);
        let deleted = stores.events.delete_events(writer.incarnation, &account(1), up_to).await;
        deleted.expect("events can be deleted");
        let found = recover(&stores, &[(account(1), true)], PageLimit::default()).await.remove(0);
        assert_eq!(found.snapshot.as_ref().map(|s| s.sequence_nr.get()), Some(taken));
        assert!(numbers(&found).eq(taken + 1..=10));
        assert_eq!((found.page.head.get(), found.page.floor), (10, up_to));
        let whole = recover(&stores, &[(account(1), false)], PageLimit::default()).await.remove(0);
        assert!(whole.snapshot.is_none());
        assert!(numbers(&whole).eq(up_to.get() + 1..=10));
    }
}

/// While an entity writes, takes snapshots and deletes what they cover, each recovery of it always gets a tail that
/// starts right behind the snapshot.
pub async fn recovery_is_consistent_while_retention_runs(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = Writer::claim(&stores).await;
    let mut rng = seed::random();
    let recovered = Arc::new(AtomicUsize::new(0));
    let mut readers = JoinSet::new();
    for handle in [&stores, &other, &other] {
        readers.spawn(recover_often(handle.clone(), Arc::clone(&recovered)));
    }
    let (mut head, key) = (0, account(1));
    while !readers.is_empty() {
        if let Some(reader) = readers.try_join_next() {
            reader.expect("every recovery is consistent");
        }
        let count = rng.usize(1..5);
        writer.write(&key, head, count).await;
        head += count as u64;
        if rng.bool() {
            let taken = head - rng.u64(..count as u64);
            save(&stores, &key, taken).await;
            let up_to = SequenceNr::new(taken);
            let deleted =
                until_available!(stores.events.delete_events(writer.incarnation, &key, up_to));
            deleted.expect("events can be deleted");
            if rng.bool() {
                let older = SequenceNr::ZERO..=SequenceNr::new(taken - 1);
                stores.snapshots.delete(&key, older).await.expect("snapshots can be deleted");
            }
        }
        yield_now().await;
    }
}

async fn recover_often(stores: Stores, recovered: Arc<AtomicUsize>) {
    while recovered.fetch_add(1, Ordering::SeqCst) < RECOVERIES {
        let found = recover(&stores, &[(account(1), true)], at_most(3)).await.remove(0);
        let after = found.snapshot.as_ref().map_or(0, |s| s.sequence_nr.get());
        let first =
            found.page.events.first().map_or(found.page.head.get(), |e| e.sequence_nr.get() - 1);
        assert_eq!(first, after, "the tail starts behind the snapshot: {found:?}");
        assert!(numbers(&found).eq((after + 1..=found.page.head.get()).take(3)), "{found:?}");
        yield_now().await;
    }
}

fn numbers(found: &Recovered) -> impl Iterator<Item = u64> {
    found.page.events.iter().map(|event| event.sequence_nr.get())
}

/// A snapshot ahead of the journal, as beside one that was restored, is skipped: an older one or the events are used.
pub async fn a_snapshot_ahead_of_the_journal_is_skipped(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for nr in [1, 2] {
        writer.write(&account(nr), 0, 5).await;
        save(&stores, &account(nr), 6).await;
        save(&stores, &account(nr), 9).await;
    }
    save(&stores, &account(1), 3).await;
    save(&stores, &account(3), 1).await; // of an entity without any event
    for stores in [separate(&stores), stores] {
        let reads = [1, 2, 3].map(|nr| (account(nr), true));
        let found = recover(&stores, &reads, PageLimit::default()).await;
        for (found, (taken, head)) in found.iter().zip([(3, 5), (0, 5), (0, 0)]) {
            assert_eq!(found.taken_at().get(), taken, "{found:?}");
            assert!(numbers(found).eq(taken + 1..=head), "{found:?}");
            assert_eq!(found.page.head.get(), head);
            assert!(found.skipped.as_ref().is_some_and(|why| why.contains("ahead")), "{found:?}");
        }
    }
}

/// A snapshot that was ahead stays skipped when the journal reaches its number with other events: its timestamp is not
/// that of the event with its number. The events that it would stand for are read instead.
pub async fn a_snapshot_of_another_history_is_never_used(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for (nr, off) in [(1, -1), (2, 1), (3, i64::from(u32::MAX))] {
        writer.write(&account(nr), 0, 2).await;
        let lost = Timestamp::from_micros(timestamp().as_micros() + off);
        let stale = Snapshot { timestamp: lost, ..snapshot(&account(nr), 5) };
        stores.snapshots.save(&[stale]).await.expect("snapshots can be saved");
        writer.write(&account(nr), 2, 6).await;
        save(&stores, &account(nr), 2).await;
    }
    for stores in [separate(&stores), stores] {
        let reads = [1, 2, 3].map(|nr| (account(nr), true));
        for found in recover(&stores, &reads, PageLimit::default()).await {
            assert_eq!(found.taken_at().get(), 2, "{found:?}");
            assert!(numbers(&found).eq(3..=8), "{found:?}");
        }
    }
}

/// Before snapshots had the timestamp of the event they cover they had that of the moment they were taken. Where the
/// events are deleted such a snapshot is used, if nothing else reaches as far.
pub async fn a_snapshot_of_the_older_format_is_used_where_events_are_deleted(
    fixture: &dyn StoreFixture,
) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let later = Timestamp::from_micros(timestamp().as_micros() + 7);
    let old = |nr, at| Snapshot { timestamp: later, ..snapshot(&account(nr), at) };
    for nr in [1, 2] {
        writer.write(&account(nr), 0, 8).await;
        stores.snapshots.save(&[old(nr, 6)]).await.expect("snapshots can be saved");
        let (entity, up_to) = (account(nr), SequenceNr::new(4));
        let deleted = stores.events.delete_events(writer.incarnation, &entity, up_to).await;
        deleted.expect("events can be deleted");
    }
    save(&stores, &account(2), 4).await;
    for stores in [separate(&stores), stores] {
        let reads = [1, 2].map(|nr| (account(nr), true));
        let found = recover(&stores, &reads, PageLimit::default()).await;
        assert_eq!(found[0].taken_at().get(), 6, "nothing else reaches the floor");
        assert_eq!(found[1].taken_at().get(), 4, "its event was deleted behind it");
    }
}

/// A snapshot whose row cannot be read is skipped, by every way that reads it; where the events are deleted too, the
/// page shows the gap by its floor, and the entities that are read with it are not disturbed.
pub async fn a_damaged_snapshot_is_skipped(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for nr in [1, 2, 3] {
        writer.write(&account(nr), 0, 9).await;
        save(&stores, &account(nr), 8).await;
    }
    save(&stores, &account(1), 4).await;
    let up_to = SequenceNr::new(8);
    let deleted = stores.events.delete_events(writer.incarnation, &account(3), up_to).await;
    deleted.expect("events can be deleted");
    stores.close().await;
    for nr in [1, 2, 3] {
        if !fixture.damage_snapshot(&account(nr), SequenceNr::new(8)).await {
            return;
        }
    }
    let stores = fixture.open().await;
    let newest = SequenceNr::new(u64::MAX);
    for (nr, left) in [(1, Some(4)), (2, None)] {
        let loaded = stores.snapshots.load(&account(nr), newest).await;
        let loaded = loaded.expect("what is damaged is skipped").map(|s| s.sequence_nr.get());
        assert_eq!(loaded, left);
        let listed = stores.snapshots.list(&account(nr), newest, NonZeroU32::MIN).await;
        assert_eq!(listed.expect("snapshots can be listed"), [SequenceNr::new(8)]);
    }
    for stores in [separate(&stores), stores] {
        let reads = [1, 2, 3].map(|nr| (account(nr), true));
        let found = recover(&stores, &reads, PageLimit::default()).await;
        for (found, taken) in found.iter().zip([4, 0]) {
            assert_eq!(found.taken_at().get(), taken, "{found:?}");
            assert!(numbers(found).eq(taken + 1..=9), "{found:?}");
        }
        assert_eq!((found[2].snapshot.as_ref(), found[2].page.floor), (None, up_to));
        for read in reads {
            recover(&stores, &[read], PageLimit::default()).await;
        }
    }
}

/// The same journal, whose snapshots are read as if they were in another store.
fn separate(stores: &Stores) -> Stores {
    stores.clone().with_snapshots(Arc::clone(&stores.snapshots))
}

fn snapshot(entity: &EntityKey, sequence_nr: u64) -> Snapshot {
    Snapshot {
        entity: entity.clone(),
        sequence_nr: SequenceNr::new(sequence_nr),
        timestamp: timestamp(),
        state: payload("state"),
        recent_commands: Bytes::new(),
    }
}

async fn save(stores: &Stores, entity: &EntityKey, sequence_nr: u64) {
    let new = [snapshot(entity, sequence_nr)];
    let saved = until_available!(stores.snapshots.save(&new));
    saved.expect("snapshots can be saved");
}

async fn recover(stores: &Stores, reads: &[(EntityKey, bool)], limit: PageLimit) -> Vec<Recovered> {
    let reads: Vec<_> = reads
        .iter()
        .map(|(entity, snapshot)| RecoveryRead { entity: entity.clone(), snapshot: *snapshot })
        .collect();
    let found = stores.recovery.recover(&reads, limit).await.expect("entities can recover");
    assert_eq!(found.len(), reads.len(), "each read has an answer");
    found
}
