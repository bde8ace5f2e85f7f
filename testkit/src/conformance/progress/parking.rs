//! Parked entities are listed, and asked for.

use super::{
    ProgressFixture,
    sample::{
        TestProjection, everywhere, left, new_projection, parked, parked_entity, right, segment,
    },
};
use crate::conformance::sample::entity;
use actum_persistence::progress::{ParkedEntity, ParkedRequest, ProgressSave};

/// By the bytes of kind and id; pages of any size, chained, are all of them once.
pub async fn parked_entities_are_listed_in_order(fixture: &dyn ProgressFixture) {
    let keys = [
        ("Account", "1"),
        ("account", "B"),
        ("account", "a"),
        ("account", "a/b"),
        ("account", "aa"),
        ("account", "b"),
        ("account", "é"),
        ("account", "\u{e000}"),
        ("account", "\u{10ffff}"),
        ("accounts", "1"),
        ("é", "1"),
    ];
    let keys = keys.map(|(kind, id)| entity(kind, id));
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let mut entities: Vec<_> = keys.iter().map(|key| parked_entity(key.clone(), 7)).collect();
    entities.reverse();
    projection.save(ProgressSave { parked: entities, ..projection.save_of(&held) }).await;
    for limit in [1, 2, 10, 11, 12, u32::MAX] {
        let mut listed: Vec<ParkedEntity> = Vec::new();
        loop {
            let after = listed.last().map(|one| one.entity.clone());
            let page = projection.store.parked(&projection.id, left(), after.as_ref(), limit).await;
            let page = page.expect("parked entities can be listed");
            assert!(page.len() <= limit as usize);
            let is_last = page.len() < limit as usize;
            listed.extend(page);
            assert!(listed.len() <= keys.len(), "pages of {limit} list one twice");
            if is_last {
                break;
            }
        }
        let found: Vec<_> = listed.iter().map(|one| &one.entity).collect();
        assert_eq!(found, keys.iter().collect::<Vec<_>>(), "pages of {limit}");
    }
}

/// It need not be there itself, and a page of none is empty.
pub async fn a_page_starts_behind_an_entity_that_need_not_be_parked(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let entities = ["b", "d"].map(|id| parked(id, 7));
    let save = ProgressSave { parked: entities.to_vec(), ..projection.save_of(&held) };
    projection.save(save).await;
    let behind = async |kind: &str, id: &str, limit: u32| {
        let after = entity(kind, id);
        let page = projection.store.parked(&projection.id, left(), Some(&after), limit).await;
        page.expect("parked entities can be listed")
    };
    assert_eq!(behind("Z", "z", 9).await, entities);
    assert_eq!(behind("account", "a", 9).await, entities);
    assert_eq!(behind("account", "a", 0).await, []);
    assert_eq!(behind("account", "c", 9).await, entities[1..]);
    assert_eq!(behind("account", "d", 9).await, []);
    assert_eq!(behind("b", "a", 9).await, []);
}

/// The first and the last partition are in the range, those beside it are not; pages count what is in it alone.
pub async fn parked_entities_are_listed_by_their_partitions(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let held = projection.claim(left(), "a").await;
    let partitions = [0, 63, 64, 65, 127, 128, 255];
    let entities = partitions.map(|nr| parked(&format!("{nr:03}"), nr));
    let save = ProgressSave { parked: entities.to_vec(), ..projection.save_of(&held) };
    projection.save(save).await;
    for (range, expected) in [
        (everywhere(), &entities[..]),
        (left(), &entities[..5]),
        (right(), &entities[5..]),
        (segment(64, 64), &entities[2..3]),
        (segment(64, 127), &entities[2..5]),
        (segment(129, 254), &[]),
    ] {
        assert_eq!(projection.parked(range).await, expected, "{range}");
    }
    let page = projection.store.parked(&projection.id, segment(64, 127), None, 2).await;
    assert_eq!(page.expect("parked entities can be listed"), entities[2..4]);
}

/// One, or all; the last request is the one that counts, and the answer is how many were asked.
pub async fn parked_entities_are_asked_for_something(fixture: &dyn ProgressFixture) {
    let projection = TestProjection::enter(fixture).await;
    let other = TestProjection::enter_in(&projection.store, &new_projection("balances", 2)).await;
    for one in [&projection, &other] {
        let held = one.claim(left(), "a").await;
        let parked = vec![parked("1", 1), parked("2", 2), parked("3", 200)];
        one.save(ProgressSave { parked, ..one.save_of(&held) }).await;
    }
    let beside = other.everything().await;
    let ask = async |id: Option<&str>, request| {
        let one = id.map(|id| entity("account", id));
        let asked = projection.store.request(&projection.id, one.as_ref(), request).await;
        asked.expect("it can be asked for")
    };
    let requests = async || {
        let parked = projection.parked(everywhere()).await;
        let requests: Vec<_> = parked.iter().map(|one| one.request).collect();
        let counted = projection.load().await.requested;
        assert_eq!(counted, requests.iter().flatten().count() as u64);
        requests
    };
    let (replay, discard) = (ParkedRequest::Replay, ParkedRequest::Discard);
    assert_eq!(ask(Some("2"), replay).await, 1);
    assert_eq!(requests().await, [None, Some(replay), None]);
    assert_eq!(ask(Some("2"), discard).await, 1);
    assert_eq!(requests().await, [None, Some(discard), None]);
    assert_eq!(ask(Some("4"), replay).await, 0);
    assert_eq!(requests().await, [None, Some(discard), None]);
    assert_eq!(ask(None, replay).await, 3);
    assert_eq!(requests().await, [Some(replay); 3]);
    assert_eq!(ask(None, discard).await, 3);
    assert_eq!(requests().await, [Some(discard); 3]);
    assert_eq!(other.everything().await, beside);
}
