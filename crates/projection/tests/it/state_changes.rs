//! Changes of durable states.

use crate::{
    customer::{Customer, customer, named},
    rig::{Rig, at_most, deposited, entity, positions},
};
use actum_model::{Lane, PartitionCount, Revision, StoredPayload};
use actum_persistence::store::StoreError;
use actum_projection::{ReadError, StateChanges};
use actum_testkit::{Fault, Operation};

/// What is left, as entity id, revision and name; no name once it was deleted.
async fn rest(changes: &mut StateChanges<Customer>) -> Vec<(String, u64, Option<String>)> {
    let mut rest = Vec::new();
    while let Some(change) = changes.next().await.unwrap() {
        let name = change.state.map(|customer| customer.name);
        rest.push((change.entity.id().to_owned(), change.revision.get(), name));
        assert!(rest.len() < 1_000, "it does not end: {rest:?}");
    }
    rest
}

fn change(id: &str, revision: u64, name: Option<&str>) -> (String, u64, Option<String>) {
    (id.to_owned(), revision, name.map(ToOwned::to_owned))
}

#[tokio::test]
async fn the_latest_state_of_each_entity_comes_in_the_order_of_changes() {
    let rig = Rig::new(1).await;
    rig.append(&entity("account", "a"), 0, vec![deposited(1)]).await;
    for (id, name) in [("a", "Ann"), ("b", "Bob"), ("c", "Cid"), ("a", "Anne")] {
        rig.write(&customer(id), named(name)).await;
    }
    rig.write(&customer("b"), None::<Customer>).await;
    rig.write(&entity("note", "a"), named("no customer")).await;
    let journal = rig.journal();
    let all = [change("c", 1, Some("Cid")), change("a", 2, Some("Anne")), change("b", 2, None)];
    for page in [1, 2, 100] {
        let mut changes = journal.state_changes::<Customer>().page_limit(at_most(page));
        assert_eq!(rest(&mut changes).await, all, "pages of {page}");
        assert_eq!(positions(changes.offset()), [6], "behind what the filter leaves out");
    }
    assert_eq!(positions(&journal.change_heads().await.unwrap()), [6]);
}

/// Each reader goes on from where the one before has come to: all together they meet every last state, whatever is
/// written in between, and nothing twice that was not written again.
#[tokio::test]
async fn a_reader_goes_on_from_the_offset_of_another() {
    let rig = Rig::new(3).await;
    let journal = rig.journal();
    let ids: Vec<String> = (0..9).map(|nr| nr.to_string()).collect();
    for id in &ids {
        rig.write(&customer(id), named("first")).await;
    }
    let mut changes = journal.state_changes::<Customer>();
    for _ in 0..5 {
        changes.next().await.unwrap().unwrap();
    }
    let offset = changes.offset().clone();
    rig.write(&customer("0"), named("second")).await;
    rig.write(&customer("8"), named("second")).await;
    let mut changes = journal.state_changes::<Customer>().after(offset);
    let found = rest(&mut changes).await;
    for id in ["0", "8"] {
        let last = found.iter().rfind(|(found, ..)| found == id);
        assert_eq!(last, Some(&change(id, 2, Some("second"))));
    }
    assert_eq!(changes.offset(), &journal.change_heads().await.unwrap());
    let mut end = journal.state_changes::<Customer>().after(changes.offset().clone());
    assert_eq!(rest(&mut end).await, []);
}

#[tokio::test]
async fn changes_are_read_by_lane_partition_and_kind_and_as_they_are_stored() {
    let rig = Rig::new(2).await;
    let keys = [customer("a"), customer("b"), customer("c"), entity("note", "a")];
    for key in &keys {
        rig.write(key, named(key.id())).await;
    }
    let journal = rig.journal();
    for lane in (0..2).map(Lane::new) {
        let mut changes = journal.stored_state_changes().of_lane(lane);
        let mut found = Vec::new();
        while let Some(change) = changes.next().await.unwrap() {
            assert_eq!(change.lane, lane);
            let stored: StoredPayload = change.state.unwrap();
            assert_eq!(stored.manifest, "customer");
            found.push(change.entity);
        }
        let expected: Vec<_> = keys.iter().filter(|key| rig.lane_of(key) == lane).collect();
        assert!(found.iter().eq(expected));
    }
    let mut notes = journal.stored_state_changes().of_kinds(["note"]);
    assert_eq!(notes.next().await.unwrap().unwrap().entity, keys[3]);
    assert!(notes.next().await.unwrap().is_none());
    let partition = keys[0].partition(PartitionCount::default());
    let mut of_one = journal.state_changes::<Customer>().in_partitions(partition..=partition);
    assert_eq!(rest(&mut of_one).await, [change("a", 1, Some("a"))]);
}

#[tokio::test]
async fn a_state_that_cannot_be_decoded_is_named_and_the_next_one_comes() {
    let rig = Rig::new(1).await;
    let mut damaged = rig.encoded(named("Ann"));
    damaged.as_mut().unwrap().bytes = bytes::Bytes::from_static(b"{");
    rig.write_stored(&customer("a"), damaged).await;
    rig.write(&customer("b"), named("Bob")).await;
    let mut changes = rig.journal().state_changes::<Customer>();
    match changes.next().await.unwrap_err() {
        ReadError::UndecodableState { entity, revision, .. } => {
            assert_eq!((entity, revision), (customer("a"), Revision::new(1)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(positions(changes.offset()), [0], "in front of it");
    assert_eq!(rest(&mut changes).await, [change("b", 1, Some("Bob"))]);
}

#[tokio::test]
async fn a_reader_of_changes_goes_on_after_an_outage() {
    let rig = Rig::new(1).await;
    rig.write(&customer("a"), named("Ann")).await;
    rig.faults.next(Operation::ReadChanges, Fault::unavailable());
    let mut changes = rig.journal().state_changes::<Customer>();
    let error = changes.next().await.unwrap_err();
    assert!(matches!(error, ReadError::Store(StoreError::Unavailable { .. })), "{error:?}");
    assert_eq!(rest(&mut changes).await, [change("a", 1, Some("Ann"))]);
}
