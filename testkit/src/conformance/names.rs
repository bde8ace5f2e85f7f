//! Ids that are easily taken for one another.

use super::{
    StoreFixture,
    reading::{events_of, journal},
    sample::{entity, event, payload, timestamp},
    writer::Writer,
};
use actum_model::{EntityKey, ID_BYTES_MAX, KIND_BYTES_MAX, SequenceNr};
use actum_persistence::store::{Snapshot, Stores};
use bytes::Bytes;
use std::collections::HashMap;

/// Ids that differ by case, by normalization, by spaces, by an invisible character or in their last byte, and ids that
/// mean something to a query language: every one is an entity of its own, for events, snapshots and states, and comes
/// back as it was.
pub async fn ids_are_compared_byte_by_byte(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let keys: Vec<EntityKey> = ids().iter().map(|id| entity("name", id)).collect();
    store_each(&stores, &keys).await;
    assert_each(&stores, &keys).await;
}

/// The same for kinds, up to the longest one.
pub async fn kinds_are_compared_byte_by_byte(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let kinds = ids().into_iter().filter(|id| id.len() <= KIND_BYTES_MAX);
    let mut keys: Vec<EntityKey> = kinds.map(|kind| entity(&kind, "1")).collect();
    keys.push(entity(&"k".repeat(KIND_BYTES_MAX), "1"));
    keys.push(entity(&"k".repeat(KIND_BYTES_MAX - 1), "1"));
    store_each(&stores, &keys).await;
    assert_each(&stores, &keys).await;
}

/// Kind and id are kept apart: no separator, of whatever sort, makes `a` + `b/c` the same as `a/b` + `c`.
pub async fn kind_and_id_do_not_run_into_each_other(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let mut keys = vec![entity("a", "bc"), entity("ab", "c")];
    for separator in ["/", "-", ":", "|", ".", "\u{1}", "\u{1f}", " ", "#", "\t"] {
        keys.push(entity("a", &format!("b{separator}c")));
        keys.push(entity(&format!("a{separator}b"), "c"));
    }
    store_each(&stores, &keys).await;
    assert_each(&stores, &keys).await;
}

fn ids() -> Vec<String> {
    let words =
        PLAIN.split_whitespace().chain(PICTURED.split_whitespace()).chain(QUOTED.split(' '));
    let mut ids: Vec<String> = words.chain(INVISIBLE).map(String::from).collect();
    ids.push("x".repeat(ID_BYTES_MAX));
    ids.push(format!("{}y", "x".repeat(ID_BYTES_MAX - 1)));
    ids.push("x".repeat(ID_BYTES_MAX - 1));
    ids.push("語".repeat(ID_BYTES_MAX / 3));
    ids
}

/// Alike by case, by number, or because one begins with the other.
const PLAIN: &str = "id ID Id iD i e 3 03 3.0 ٣ 0 -0 1e3 1000 NULL null true fi ss";
/// Composed and decomposed letters, ligatures, other scripts and directions, emoji with joiners and skin tones.
const PICTURED: &str = "é e\u{301} É E\u{301} \u{c5} \u{212b} A\u{30a} ﬁ ß ẞ ı İ i\u{307} ا אבג 日本 𝒊𝒅 👍 👍🏽 \
    \u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{1f469}\u{1f469}\u{1f467} \u{10ffff} \u{fffd}";
/// What means something to a query language, a pattern or a path.
const QUOTED: &str = r#"' '' " ` \ \\ \0 % %% _ a% a_ * ? [a] $1 ?1 :id -- ; ');DROP/**/TABLE/**/events;-- ../x a/b"#;
/// Spaces, controls, and characters of no width.
const INVISIBLE: [&str; 10] = [
    " id",
    "id ",
    "id\t",
    "id\n",
    "id\u{200b}",
    "\u{feff}id",
    "\u{202e}id",
    "\u{200f}id",
    "\u{1}",
    "\u{7f}",
];

/// Stores for each key, in one batch each, a text that shows its index.
async fn store_each(stores: &Stores, keys: &[EntityKey]) {
    let writer = Writer::claim(stores).await;
    let text_of = |nr: usize| format!("of {nr}");
    let appends = keys.iter().enumerate();
    let appends =
        appends.map(|(nr, key)| writer.append(key, 0, vec![event(&text_of(nr))])).collect();
    writer.store(appends).await.expect("all keys are different");
    let snapshots: Vec<_> = keys
        .iter()
        .enumerate()
        .map(|(nr, key)| Snapshot {
            entity: key.clone(),
            sequence_nr: SequenceNr::new(1),
            timestamp: timestamp(),
            state: payload(&text_of(nr)),
            recent_commands: Bytes::new(),
        })
        .collect();
    stores.snapshots.save(&snapshots).await.expect("snapshots can be saved");
    for (nr, key) in keys.iter().enumerate() {
        writer.put(key, (0, 1), &text_of(nr)).await.expect("the store accepts the write");
    }
}

async fn assert_each(stores: &Stores, keys: &[EntityKey]) {
    let states = stores.states.load(keys).await.expect("states can be loaded");
    let seen: HashMap<_, _> =
        journal(stores).await.into_iter().map(|event| (event.entity.clone(), event)).collect();
    assert_eq!(seen.len(), keys.len(), "the lane shows every key as it is");
    for ((nr, key), state) in keys.iter().enumerate().zip(states) {
        let expected = payload(&format!("of {nr}"));
        let events = events_of(stores, key).await;
        assert_eq!(events.len(), 1, "{key:?}");
        assert_eq!(events[0].payload, expected, "{key:?}");
        assert_eq!(seen[key].event.payload, expected, "{key:?}");
        let snapshot = stores.snapshots.load(key, SequenceNr::new(1)).await;
        let snapshot = snapshot.expect("snapshots can be loaded").expect("it was saved");
        assert_eq!((&snapshot.entity, &snapshot.state), (key, &expected));
        assert_eq!(state.and_then(|record| record.state), Some(expected), "{key:?}");
    }
}
