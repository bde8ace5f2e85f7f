//! Lists of entities and of kinds.

use super::{
    StoreFixture,
    sample::{account, accounts, entity, event, payload, timestamp},
    writer::Writer,
};
use actum_model::SequenceNr;
use actum_persistence::store::{
    EntitySearch, EventDeletion, ListedEntity, ListedState, Listing, StateChange, StoreError,
    Stores, bounds::LISTED_MAX,
};
use std::num::NonZeroU32;

/// Pages of any size, chained, are all entities of the kind once, in the order of the bytes of their ids, whichever lane
/// they write to; another kind is not among them.
pub async fn entities_are_listed_in_the_order_of_their_ids(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let ids =
        ["B", "a", "a/b", "aa", "ab", "b", "z\u{7f}", "é", "\u{d7ff}", "\u{e000}", "\u{10ffff}"];
    for id in ids.iter().rev() {
        writer.write(&entity("account", id), 0, 2).await;
        writer.write(&entity("accounts", id), 0, 1).await;
        writer.write(&entity("Account", id), 0, 1).await;
    }
    for limit in [1, 2, 10, 11, 12, LISTED_MAX] {
        let listed = list_all(&stores, &search("account", "", limit)).await;
        let found: Vec<_> = listed.iter().map(|listed| listed.entity.id()).collect();
        assert_eq!(found, ids, "pages of {limit}");
        assert!(listed.iter().all(|listed| listed.entity.kind() == "account"));
        assert!(listed.iter().all(|listed| (listed.head.get(), listed.floor.get()) == (2, 0)));
    }
}

/// A prefix selects the ids that begin with it, compared byte by byte, and no page looks beyond them.
pub async fn a_prefix_selects_the_ids_that_begin_with_it(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let ids = [
        "a",
        "a%",
        "a%b",
        "a_",
        "ab",
        "a\u{10ffff}",
        "a\u{10ffff}b",
        "b",
        "A%",
        "é",
        "\u{10ffff}x",
    ];
    for id in ids {
        writer.write(&entity("account", id), 0, 1).await;
    }
    for prefix in ["", "a", "a%", "a_", "a\u{10ffff}", "b", "c", "A", "é", "\u{10ffff}", "e\u{301}"]
    {
        let mut expected: Vec<_> = ids.iter().filter(|id| id.starts_with(prefix)).collect();
        expected.sort_unstable();
        for limit in [1, 3, 100] {
            let listed = list_all(&stores, &search("account", prefix, limit)).await;
            let found = listed.iter().map(|listed| listed.entity.id());
            assert!(found.eq(expected.iter().map(|id| **id)), "{prefix:?}: {listed:?}");
        }
        let one = NonZeroU32::new(expected.len() as u32);
        if let Some(limit) = one {
            let exact = EntitySearch { limit, ..search("account", prefix, 1) };
            let page = list(&stores, &exact).await;
            let rest = EntitySearch { after: page.listed_to.expect("it is full"), ..exact };
            assert_eq!(list(&stores, &rest).await, Listing::new(Vec::new(), None), "{prefix:?}");
        }
    }
}

/// Also those all of whose events are deleted, with what they have come to.
pub async fn a_list_says_how_far_its_entities_have_come(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for key in accounts(3) {
        writer.write(&key, 0, 5).await;
    }
    let deletions = [(1, 3), (2, 5)];
    let deletions: Vec<_> =
        deletions.map(|(nr, to)| (account(nr), SequenceNr::new(to))).into_iter().collect();
    let deletions: Vec<_> =
        deletions.iter().map(|(key, to)| EventDeletion::new(key, *to)).collect();
    let deleted = stores.events.prune_events(writer.incarnation, &deletions).await;
    deleted.expect("events can be deleted");
    let listed = list_all(&stores, &search("account", "acc-", 2)).await;
    let numbers: Vec<_> =
        listed.iter().map(|listed| (listed.head.get(), listed.floor.get())).collect();
    assert_eq!(numbers, [(5, 0), (5, 3), (5, 5)]);
}

/// States are listed with their revision, tombstones too; entities that have events are not among them, and the other way
/// round.
pub async fn states_are_listed_beside_tombstones(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(7), 0, 1).await;
    let note = |nr: usize| entity("account", &format!("note-{nr}"));
    let put = || StateChange::Put(payload("noted"));
    let changes = [(1, 1, put()), (2, 4, StateChange::Delete), (3, 9, put())];
    let writes = changes.map(|(nr, to, change)| writer.change(&note(nr), (0, to), change));
    writer.store_states(writes.into()).await.expect("the store accepts the batch");
    for limit in [1, 2, 3, 10] {
        let listed = list_all_states(&stores, &search("account", "", limit)).await;
        let found: Vec<_> = listed
            .iter()
            .map(|one| (one.entity.id(), one.revision.get(), one.is_deleted))
            .collect();
        assert_eq!(found, [("note-1", 1, false), ("note-2", 4, true), ("note-3", 9, false)]);
        assert!(listed.iter().all(|one| one.timestamp == timestamp()));
        let events = list_all(&stores, &search("account", "", limit)).await;
        assert_eq!(events.iter().map(|one| &one.entity).collect::<Vec<_>>(), [&account(7)]);
    }
}

/// Each kind once, in the order of bytes, whichever model it has; there is none in a new journal.
pub async fn kinds_are_listed_once(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let kinds = async || stores.events.kinds().await.expect("kinds can be listed");
    assert_eq!(kinds().await, Vec::<String>::new());
    let writer = Writer::claim(&stores).await;
    for kind in ["é", "b", "a", "B", "ab"] {
        let keys = ["1", "2", "3"].map(|id| entity(kind, id));
        let appends = keys.iter().map(|key| writer.append(key, 0, vec![event("first")])).collect();
        writer.store(appends).await.expect("the store accepts the batch");
    }
    writer.put(&entity("note", "1"), (0, 1), "noted").await.expect("a state is written");
    assert_eq!(kinds().await, ["B", "a", "ab", "b", "note", "é"]);
}

/// As a filter's names: what no id or kind can be, and pages that are too large.
pub async fn a_list_of_what_cannot_be_is_refused(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let refused = [
        search("", "", 1),
        search(&"k".repeat(65), "", 1),
        search("account", "\0", 1),
        search("account", "", LISTED_MAX + 1),
        EntitySearch { after: "\0".to_owned(), ..search("account", "", 1) },
    ];
    for search in refused {
        let events = stores.events.list_entities(&search).await.map(drop);
        let states = stores.states.list_states(&search).await.map(drop);
        for answer in [events, states] {
            assert!(matches!(answer, Err(StoreError::Invalid { .. })), "{search:?}: {answer:?}");
        }
    }
}

fn search(kind: &str, id_prefix: &str, limit: u32) -> EntitySearch {
    let (kind, id_prefix, after) = (kind.to_owned(), id_prefix.to_owned(), String::new());
    EntitySearch { kind, id_prefix, after, limit: NonZeroU32::new(limit).expect("it is not 0") }
}

async fn list(stores: &Stores, search: &EntitySearch) -> Listing<ListedEntity> {
    stores.events.list_entities(search).await.expect("entities can be listed")
}

async fn list_all(stores: &Stores, search: &EntitySearch) -> Vec<ListedEntity> {
    all(search, async |search| list(stores, &search).await).await
}

async fn list_all_states(stores: &Stores, search: &EntitySearch) -> Vec<ListedState> {
    let list = async |search: EntitySearch| stores.states.list_states(&search).await;
    all(search, async |search| list(search).await.expect("states can be listed")).await
}

/// All pages behind each other.
async fn all<T>(search: &EntitySearch, list: impl AsyncFn(EntitySearch) -> Listing<T>) -> Vec<T> {
    let (mut search, mut all) = (search.clone(), Vec::new());
    loop {
        let page = list(search.clone()).await;
        assert!(page.entities.len() <= search.limit.get() as usize);
        all.extend(page.entities);
        match page.listed_to {
            Some(listed_to) => {
                assert!(listed_to > search.after, "a page gets further");
                search.after = listed_to;
            }
            None => return all,
        }
    }
}
