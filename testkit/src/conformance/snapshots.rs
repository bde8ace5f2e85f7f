//! Snapshots.

use super::{
    StoreFixture,
    sample::{account, payload, timestamp},
    seed,
};
use actum_model::{EntityKey, SequenceNr, StoredPayload, Timestamp};
use actum_persistence::store::{Snapshot, Stores};
use bytes::Bytes;
use std::collections::BTreeMap;

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
    let oldest = stores.snapshots.prune(&account(1), 9).await.expect("snapshots can be pruned");
    assert_eq!(oldest, Some(SequenceNr::new(5)));
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

/// Pruning keeps the newest so many, of this entity only, and says which is the oldest that is left.
pub async fn pruning_keeps_the_newest(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    for nr in 1..=10 {
        save(&stores, &[snapshot(1, nr * 10, "kept or not"), snapshot(2, nr, "another's")]).await;
    }
    for (keep, oldest) in
        [(20, Some(10)), (10, Some(10)), (3, Some(80)), (3, Some(80)), (1, Some(100))]
    {
        assert_eq!(prune(&stores, &account(1), keep).await, oldest, "keep {keep}");
        let before = oldest.map_or(0, |nr| nr - 1);
        assert_eq!(load(&stores, &account(1), before).await, None, "keep {keep}");
        assert!(load(&stores, &account(1), 100).await.is_some());
    }
    assert_eq!(prune(&stores, &account(1), 0).await, None);
    assert_eq!(load(&stores, &account(1), u64::MAX).await, None);
    assert_eq!(prune(&stores, &account(3), 1).await, None);
    assert_eq!(prune(&stores, &account(2), u32::MAX).await, Some(1));
    save(&stores, &[snapshot(1, 5, "after all were pruned")]).await;
    assert_eq!(prune(&stores, &account(1), 1).await, Some(5));
}

/// Random saves, prunes and loads, beside a plain map.
pub async fn snapshots_behave_as_a_plain_map_would(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let mut rng = seed::random();
    let mut plain: BTreeMap<(usize, u64), Snapshot> = BTreeMap::new();
    for step in 0..300 {
        let (nr, at) = (rng.usize(..4), rng.u64(1..30));
        match rng.u8(..4) {
            0 => {
                let keep = rng.u32(..6);
                let of_entity: Vec<_> =
                    plain.range((nr, 0)..=(nr, u64::MAX)).map(|(k, _)| *k).collect();
                let gone = of_entity.len().saturating_sub(keep as usize);
                of_entity[..gone].iter().for_each(|key| drop(plain.remove(key)));
                let oldest = of_entity.get(gone).map(|(_, at)| *at);
                assert_eq!(prune(&stores, &account(nr), keep).await, oldest, "step {step}");
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

async fn prune(stores: &Stores, entity: &EntityKey, keep: u32) -> Option<u64> {
    let oldest = stores.snapshots.prune(entity, keep).await.expect("snapshots can be pruned");
    oldest.map(SequenceNr::get)
}
