//! The entities of a kind.

use crate::rig::{Rig, account, entity};
use actum_persistence::store::StoreError;
use actum_persistence::store::{ListedEntity, bounds::LISTED_MAX};
use actum_projection::{EntityList, ReadError};
use actum_testkit::{Fault, Operation};
use std::num::NonZeroU32;

async fn ids(mut list: EntityList<ListedEntity>) -> Vec<String> {
    let mut ids = Vec::new();
    while let Some(listed) = list.next().await.unwrap() {
        ids.push(listed.entity.id().to_owned());
        assert!(ids.len() < 1000, "it does not end: {ids:?}");
    }
    ids
}

#[tokio::test]
async fn entities_come_in_order_with_a_prefix_and_from_any_place() {
    let rig = Rig::new(4).await;
    for nr in (0..30).rev() {
        rig.deposit(&account(&format!("acc-{nr:02}")), 2).await;
    }
    rig.deposit(&account("other"), 1).await;
    rig.deposit(&entity("note", "acc-01"), 1).await;
    let journal = rig.journal();
    let all: Vec<_> = (0..30).map(|nr| format!("acc-{nr:02}")).collect();
    for page in [1, 7, 30, 500] {
        let page = NonZeroU32::new(page).unwrap();
        let list = || journal.entities("account").page_entities(page).prefix("acc-");
        assert_eq!(ids(list()).await, all);
        assert_eq!(ids(list().after("acc-27")).await, all[28..]);
        assert_eq!(ids(list().after("acc-27x")).await, all[28..], "no such entity is needed");
    }
    assert_eq!(ids(journal.entities("account")).await.len(), 31);
    assert!(ids(journal.entities("order")).await.is_empty());
    assert!(journal.states("account").next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_list_goes_on_after_an_outage_and_refuses_what_cannot_be() {
    let rig = Rig::new(1).await;
    for id in ["a", "b", "c"] {
        rig.deposit(&account(id), 1).await;
    }
    rig.faults.next(Operation::ListEntities, Fault::none());
    rig.faults.next(Operation::ListEntities, Fault::unavailable());
    let mut list = rig.journal().entities("account").page_entities(NonZeroU32::MIN);
    assert_eq!(list.next().await.unwrap().map(|listed| listed.head.get()), Some(1));
    assert!(matches!(list.next().await, Err(ReadError::Store(StoreError::Unavailable { .. }))));
    assert_eq!(ids(list).await, ["b", "c"]);
    let too_many = NonZeroU32::new(LISTED_MAX + 1).unwrap();
    for mut list in
        [rig.journal().entities(""), rig.journal().entities("account").page_entities(too_many)]
    {
        assert!(matches!(list.next().await, Err(ReadError::Store(StoreError::Invalid { .. }))));
    }
}
