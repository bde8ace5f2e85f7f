//! Snapshots.

use super::{
    StoreFixture,
    refusal::assert_invalid,
    sample::{account, accounts, payload, timestamp},
    seed,
};
use actum_model::{EntityKey, SequenceNr, StoredPayload, Timestamp};
use actum_persistence::store::{Snapshot, SnapshotDeletion, Stores};
use bytes::Bytes;
use std::{collections::BTreeMap, num::NonZeroU32};

/// A snapshot comes back with every field as it was.
pub async fn a_snapshot_comes_back_as_it_was_saved(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let odd = Snapshot {
        entity: account(1),
        sequence_nr: SequenceNr::new(1 << 40),
        timestamp: Timestamp::from_micros(-1),
        state: StoredPayload {
            codec: "ç".repeat(16).into(),
            manifest: "m%_".repeat(85).into(),
            schema_version: u32::MAX,
            bytes: Bytes::from_static(b"\0\xff'"),
        },
        recent_commands: Bytes::from_static(b"\0commands\0"),
    };
    save(&stores, std::slice::from_ref(&odd)).await;
    assert_eq!(load(&stores, &account(1), u64::MAX).await, Some(odd));
    assert_eq!(load(&stores, &account(2), u64::MAX).await, None);
}

/// A load finds the newest snapshot that is not behind what was asked for.
pub async fn a_load_finds_the_newest_that_is_not_too_new(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    for nr in [20, 5, 30, 10] {
        save(&stores, &[snapshot(1, nr, "any order")]).await;
    }
    save(&stores, &[snapshot(2, 7, "a neighbour")]).await;
    for (at_most, found) in [
        (4, None),
        (5, Some(5)),
        (9, Some(5)),
        (29, Some(20)),
        (30, Some(30)),
        (u64::MAX, Some(30)),
    ] {
        let loaded = load(&stores, &account(1), at_most).await;
        assert_eq!(loaded.map(|snapshot| snapshot.sequence_nr.get()), found, "at most {at_most}");
    }
}

/// Saving a sequence number again replaces what was there.
pub async fn saving_the_same_number_again_replaces(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    save(&stores, &[snapshot(1, 5, "first"), snapshot(1, 9, "newer")]).await;
    save(&stores, &[snapshot(1, 5, "second")]).await;
    assert_eq!(load(&stores, &account(1), 5).await, Some(snapshot(1, 5, "second")));
    assert_eq!(load(&stores, &account(1), 9).await, Some(snapshot(1, 9, "newer")));
    assert_eq!(list(&stores, &account(1), u64::MAX, 9).await, [9, 5]);
}

/// Many snapshots are saved in one call, several of one entity among them.
pub async fn many_snapshots_are_saved_together(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let many: Vec<_> = (0..2000).map(|nr| snapshot(nr % 700, 1 + nr as u64, "many")).collect();
    save(&stores, &many).await;
    save(&stores, &[]).await;
    for snapshot in many {
        let at_most = snapshot.sequence_nr.get();
        assert_eq!(load(&stores, &snapshot.entity, at_most).await, Some(snapshot));
    }
}

/// A list has the newest numbers, newest first, of this entity only and none behind what was asked for.
pub async fn snapshots_are_listed_from_the_newest(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    for nr in [3, 1, 4, 2] {
        save(&stores, &[snapshot(1, nr * 10, "any order"), snapshot(2, nr, "another's")]).await;
    }
    for (at_most, limit, numbers) in [
        (u64::MAX, 9, &[40, 30, 20, 10][..]),
        (u64::MAX, 2, &[40, 30]),
        (39, 2, &[30, 20]),
        (10, 2, &[10]),
        (9, 2, &[]),
        (0, 2, &[]),
    ] {
        assert_eq!(list(&stores, &account(1), at_most, limit).await, numbers, "up to {at_most}");
    }
    assert_eq!(list(&stores, &account(3), u64::MAX, u32::MAX).await, [0; 0]);
}

/// A delete takes the numbers it names, of this entity only.
pub async fn snapshots_are_deleted_by_their_numbers(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    for nr in 1..=6 {
        save(&stores, &[snapshot(1, nr * 10, "deleted or not"), snapshot(2, nr * 10, "another's")])
            .await;
    }
    for (first, last, left) in [
        (0, 9, &[60, 50, 40, 30, 20, 10][..]),
        (0, 19, &[60, 50, 40, 30, 20]),
        (40, 40, &[60, 50, 30, 20]),
        (31, 49, &[60, 50, 30, 20]),
        (51, u64::MAX, &[50, 30, 20]),
        (49, 31, &[50, 30, 20]),
    ] {
        delete(&stores, &account(1), first, last).await;
        assert_eq!(list(&stores, &account(1), u64::MAX, 9).await, left, "{first} to {last}");
    }
    assert_eq!(load(&stores, &account(1), 49).await, Some(snapshot(1, 30, "deleted or not")));
    delete(&stores, &account(1), 0, u64::MAX).await;
    assert_eq!(load(&stores, &account(1), u64::MAX).await, None);
    delete(&stores, &account(3), 0, u64::MAX).await;
    assert_eq!(list(&stores, &account(2), u64::MAX, 9).await.len(), 6);
    save(&stores, &[snapshot(1, 5, "after all were deleted")]).await;
    assert_eq!(list(&stores, &account(1), u64::MAX, 9).await, [5]);
}

/// One call deletes of many entities; the others keep theirs.
pub async fn snapshots_of_many_entities_are_deleted_in_one_call(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let keys = accounts(60);
    let all: Vec<_> =
        (0..60).flat_map(|nr| [5, 10, 15, 20].map(|of| snapshot(nr, of, "state"))).collect();
    stores.snapshots.save(&all).await.expect("snapshots can be saved");
    let first = |nr: usize| SequenceNr::new(5 * (nr as u64 % 3));
    let deletions: Vec<_> = (0..50)
        .map(|nr| SnapshotDeletion::new(&keys[nr], first(nr)..=SequenceNr::new(15)))
        .collect();
    for _ in 0..2 {
        let deleted = stores.snapshots.prune_snapshots(&deletions).await;
        deleted.expect("snapshots can be deleted");
        for (nr, key) in keys.iter().enumerate() {
            let (newest, limit) = (SequenceNr::new(100), NonZeroU32::MAX);
            let left = stores.snapshots.list(key, newest, limit).await;
            let left: Vec<u64> =
                left.expect("they can be listed").iter().map(|nr| nr.get()).collect();
            let expected: &[u64] = match nr {
                50.. => &[20, 15, 10, 5],
                _ if first(nr).get() > 5 => &[20, 5],
                _ => &[20],
            };
            assert_eq!(left, expected, "{key}");
        }
    }
    stores.snapshots.prune_snapshots(&[]).await.expect("there may be nothing to delete");
}

/// A snapshot covers an event, and the first event has the number 1.
pub async fn a_snapshot_that_covers_no_event_is_invalid(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let both = [snapshot(1, 1, "good"), snapshot(1, 0, "covers nothing")];
    assert_invalid(stores.snapshots.save(&both).await);
    assert_eq!(load(&stores, &account(1), u64::MAX).await, None, "all or none are saved");
}

/// Random saves, deletes, lists and loads, beside a plain map.
pub async fn snapshots_behave_as_a_plain_map_would(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let mut rng = seed::random();
    let mut plain: BTreeMap<(usize, u64), Snapshot> = BTreeMap::new();
    for step in 0..300 {
        let (nr, at) = (rng.usize(..4), rng.u64(1..30));
        match rng.u8(..4) {
            0 => {
                let (first, last) = (rng.u64(..30), rng.u64(..30));
                plain.retain(|(of, at), _| *of != nr || !(first..=last).contains(at));
                delete(&stores, &account(nr), first, last).await;
                let limit = rng.u32(1..6);
                let left = plain.range((nr, 0)..=(nr, at)).rev().map(|((_, at), _)| *at);
                let left: Vec<_> = left.take(limit as usize).collect();
                assert_eq!(list(&stores, &account(nr), at, limit).await, left, "step {step}");
            }
            1 => {
                let newest = plain.range((nr, 0)..=(nr, at)).next_back();
                let loaded = load(&stores, &account(nr), at).await;
                assert_eq!(loaded.as_ref(), newest.map(|(_, s)| s), "step {step}");
            }
            _ => {
                let new = snapshot(nr, at, &step.to_string());
                save(&stores, std::slice::from_ref(&new)).await;
                plain.insert((nr, at), new);
            }
        }
    }
}

fn snapshot(nr: usize, sequence_nr: u64, text: &str) -> Snapshot {
    Snapshot {
        entity: account(nr),
        sequence_nr: SequenceNr::new(sequence_nr),
        timestamp: timestamp(),
        state: payload(text),
        recent_commands: Bytes::new(),
    }
}

async fn save(stores: &Stores, snapshots: &[Snapshot]) {
    stores.snapshots.save(snapshots).await.expect("snapshots can be saved");
}

async fn load(stores: &Stores, entity: &EntityKey, at_most: u64) -> Option<Snapshot> {
    let loaded = stores.snapshots.load(entity, SequenceNr::new(at_most)).await;
    loaded.expect("snapshots can be loaded")
}

async fn list(stores: &Stores, entity: &EntityKey, at_most: u64, limit: u32) -> Vec<u64> {
    let limit = limit.try_into().expect("a list has room");
    let numbers = stores.snapshots.list(entity, SequenceNr::new(at_most), limit).await;
    numbers.expect("snapshots can be listed").into_iter().map(SequenceNr::get).collect()
}

async fn delete(stores: &Stores, entity: &EntityKey, first: u64, last: u64) {
    let numbers = SequenceNr::new(first)..=SequenceNr::new(last);
    stores.snapshots.delete(entity, numbers).await.expect("snapshots can be deleted");
}
