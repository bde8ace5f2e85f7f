//! Reading a part of a lane.

use super::{
    StoreFixture,
    reading::{at_most, filtered, head, journal},
    sample::{entity, event_of_type},
    seed,
    writer::Writer,
};
use actum_model::{Lane, Partition, Position};
use actum_persistence::store::{EventFilter, JournalEvent, PageLimit, Stores};
use std::collections::HashMap;

const KINDS: [&str; 6] = ["account", "Account", "accounts", "acc", "a_count", "käse"];
const MANIFESTS: [&str; 10] = [
    "account",
    "account.opened",
    "account.opened.twice",
    "account.Opened",
    "accountant",
    "accounts.opened",
    "Account.opened",
    "acc%",
    "acc_unt.opened",
    ".account",
];

/// A kind is compared exactly: its prefix, another case or a wildcard in it select nothing.
pub async fn kinds_are_compared_exactly(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    mix(&stores, 400).await;
    for kind in KINDS {
        let filter = EventFilter { kinds: vec![kind.into()], ..EventFilter::default() };
        let found = assert_filtered(&stores, &filter, |event| event.entity.kind() == kind).await;
        assert!(found > 0, "{kind}");
    }
    for kind in ["acc%", "account\u{308}", "ACCOUNT", "a_coun_"] {
        let filter = EventFilter { kinds: vec![kind.into()], ..EventFilter::default() };
        assert_eq!(assert_filtered(&stores, &filter, |_| false).await, 0, "{kind}");
    }
}

/// A manifest selects itself and what begins with it and a dot, in this case and without wildcards.
pub async fn a_manifest_selects_itself_and_what_is_below_it(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    mix(&stores, 400).await;
    let below = |wanted: &str| -> Vec<&str> {
        let dotted = format!("{wanted}.");
        MANIFESTS.into_iter().filter(|m| *m == wanted || m.starts_with(&dotted)).collect()
    };
    assert_eq!(below("account"), MANIFESTS[..4], "the example shows what is meant");
    for wanted in MANIFESTS.into_iter().chain(["acc", "accoun_", "account.", "account.opene", "%"])
    {
        let filter = EventFilter { manifests: vec![wanted.into()], ..EventFilter::default() };
        let passes = |event: &JournalEvent| below(wanted).contains(&&*event.event.payload.manifest);
        let found = assert_filtered(&stores, &filter, passes).await;
        assert_eq!(found > 0, !below(wanted).is_empty(), "{wanted}");
    }
}

/// A range of partitions selects the entities in it; an empty range selects none.
pub async fn a_range_of_partitions_selects_the_entities_in_it(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    mix(&stores, 400).await;
    for (first, last) in [(0, 255), (0, 0), (255, 255), (17, 90), (128, 255), (90, 17)] {
        let range = Partition::new(first)..=Partition::new(last);
        let filter = EventFilter { partitions: Some(range.clone()), ..EventFilter::default() };
        assert_filtered(&stores, &filter, |event| range.contains(&event.partition)).await;
    }
}

/// Kinds are alternatives, manifests are alternatives, and an event must pass all three parts.
pub async fn the_parts_of_a_filter_hold_together(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    mix(&stores, 600).await;
    let mut rng = seed::random();
    for _ in 0..40 {
        let kinds: Vec<_> = (0..rng.usize(..3)).map(|_| KINDS[rng.usize(..6)]).collect();
        let manifests: Vec<_> = (0..rng.usize(..4)).map(|_| MANIFESTS[rng.usize(..10)]).collect();
        let partitions =
            rng.bool().then(|| Partition::new(rng.u16(..128))..=Partition::new(rng.u16(64..256)));
        let filter = EventFilter {
            kinds: kinds.iter().map(ToString::to_string).collect(),
            manifests: manifests.iter().map(ToString::to_string).collect(),
            partitions: partitions.clone(),
        };
        assert_filtered(&stores, &filter, |event| {
            let manifest = &*event.event.payload.manifest;
            let under = |m: &&str| manifest == *m || manifest.starts_with(&format!("{m}."));
            (kinds.is_empty() || kinds.contains(&event.entity.kind()))
                && (manifests.is_empty() || manifests.iter().any(under))
                && partitions.as_ref().is_none_or(|range| range.contains(&event.partition))
        })
        .await;
    }
}

/// Thousands of events that pass no filter lie between two that do, and behind them: page by page the reader gets past
/// them, and at the end it stands at the head, not at the last event that passed.
pub async fn a_reader_gets_past_everything_it_filters_out(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&entity("wanted", "1"), 0, 1).await;
    writer.write(&entity("noise", "1"), 0, 12_000).await;
    writer.write(&entity("wanted", "1"), 1, 1).await;
    let last = writer.write(&entity("noise", "1"), 12_000, 12_000).await;
    let filter = EventFilter { kinds: vec!["wanted".into()], ..EventFilter::default() };
    for limit in [at_most(1), at_most(100), PageLimit::default()] {
        // `filtered` fails when a page stops before the head
        let found = filtered(&stores, Position::ZERO, &filter, limit).await;
        let positions: Vec<_> = found.iter().map(|event| event.event.position.get()).collect();
        assert_eq!(positions, [1, 12_002]);
    }
    assert_eq!(head(&stores, Lane::default()).await, last);
    let unknown_kind = EventFilter { kinds: vec!["nobody".into()], ..EventFilter::default() };
    let lane = Lane::default();
    let page = stores.events.read_lane(lane, last, &unknown_kind, at_most(1)).await;
    assert_eq!(page.expect("the lane can be read").read_to, last);
}

/// Appends `count` events of any kind and type to any of some entities.
async fn mix(stores: &Stores, count: usize) {
    let writer = Writer::claim(stores).await;
    let mut rng = seed::random();
    let mut heads = HashMap::new();
    for _ in 0..count / 10 {
        let mut appends = Vec::new();
        for kind in KINDS {
            let key = entity(kind, &rng.u8(..40).to_string());
            let events: Vec<_> = (0..rng.usize(1..4))
                .map(|_| event_of_type(MANIFESTS[rng.usize(..MANIFESTS.len())]))
                .collect();
            let head: &mut u64 = heads.entry(key.clone()).or_default();
            let append = writer.append(&key, *head, events);
            *head = append.last_sequence_nr().get();
            appends.push(append);
        }
        writer.store(appends).await.expect("the store accepts the batch");
    }
}

/// Compares what a filter selects, by large and by small pages, with what `passes` does; says how many those are.
async fn assert_filtered(
    stores: &Stores,
    filter: &EventFilter,
    passes: impl Fn(&JournalEvent) -> bool,
) -> usize {
    let wanted: Vec<_> = journal(stores).await.into_iter().filter(|event| passes(event)).collect();
    for limit in [PageLimit::default(), at_most(7)] {
        let found = filtered(stores, Position::ZERO, filter, limit).await;
        assert_eq!(found, wanted, "{filter:?}");
    }
    wanted.len()
}
