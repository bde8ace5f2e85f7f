//! Writers that may not write any more.

use super::{
    StoreFixture,
    reading::{events_of, head, journal},
    refusal::assert_fenced,
    sample::{account, accounts, entity, events},
    writer::{LONG_LEASE, Writer},
};
use actum_model::{Lane, SequenceNr};
use actum_persistence::store::{Incarnation, StateOutcome, Stores};

/// A revoked writer stores no event and no state, deletes nothing and cannot renew; what it stored before stays.
pub async fn a_revoked_writer_writes_and_deletes_nothing(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    stand(&writer).await;
    stores.writers.revoke(writer.incarnation).await.expect("a writer can be revoked");
    assert_shut_out(&writer).await;
}

/// The same when the revoke comes through another handle, as from another node.
pub async fn a_writer_revoked_through_another_handle_is_fenced_too(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = Writer::claim(&stores).await;
    stand(&writer).await;
    other.writers.revoke(writer.incarnation).await.expect("a writer can be revoked");
    assert_shut_out(&writer).await;
}

/// A writer that gave its slot back cannot write, whether or not another one has taken the slot.
pub async fn a_writer_that_released_its_slot_is_fenced(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    stand(&writer).await;
    stores.writers.release(writer.incarnation).await.expect("a slot can be released");
    assert_shut_out(&writer).await;
    let successor = Writer::claim(&stores).await;
    assert_shut_out(&writer).await;
    successor.write(&account(1), 3, 1).await;
}

/// A number that no claim returned belongs to no writer.
pub async fn an_incarnation_that_no_claim_returned_cannot_write(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    stand(&writer).await;
    for nr in [0, writer.incarnation.get() + 1, i64::MAX as u64, u64::MAX] {
        assert_shut_out(&Writer::of(&stores, Incarnation::new(nr))).await;
    }
    writer.write(&account(1), 3, 1).await;
}

/// Revoking one writer does nothing to the writers of other slots.
pub async fn revoking_a_writer_leaves_the_others_alone(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let one = Writer::claim_slot(&stores, "one").await;
    let two = Writer::claim_slot(&stores, "two").await;
    one.write(&account(1), 0, 1).await;
    two.write(&account(1), 1, 1).await;
    stores.writers.revoke(one.incarnation).await.expect("a writer can be revoked");
    two.write(&account(1), 2, 1).await;
    assert_fenced(one.store_one(&account(1), 3, events(1)).await, one.incarnation);
    let writers: Vec<_> = events_of(&stores, &account(1))
        .await
        .iter()
        .map(|event| event.event_id.incarnation)
        .collect();
    assert_eq!(writers, [one.incarnation, two.incarnation, two.incarnation]);
}

/// A batch of a revoked writer is refused as a whole, also where some of it would have been a conflict.
pub async fn of_a_fenced_batch_nothing_is_stored(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    writer.write(&account(0), 0, 1).await;
    stores.writers.revoke(writer.incarnation).await.expect("a writer can be revoked");
    let appends = accounts(100).iter().map(|key| writer.append(key, 0, events(2))).collect();
    assert_fenced(writer.store(appends).await, writer.incarnation);
    assert_eq!(journal(&stores).await.len(), 1);
}

/// Three events of an account, and the state of a cart.
async fn stand(writer: &Writer) {
    writer.write(&account(1), 0, 3).await;
    let written = writer.put(&cart(), (0, 1), "first").await.expect("the store accepts the write");
    assert_eq!(written, StateOutcome::Written);
}

/// Tries everything as `writer` on what [`stand`] left, and looks whether anything has changed.
async fn assert_shut_out(writer: &Writer) {
    let (stores, incarnation) = (&writer.stores, writer.incarnation);
    let before = picture(stores).await;
    assert_fenced(writer.store_one(&account(1), 3, events(1)).await, incarnation);
    assert_fenced(writer.store_one(&account(2), 0, events(1)).await, incarnation);
    assert_fenced(writer.put(&cart(), (1, 2), "late").await, incarnation);
    assert_fenced(writer.put(&entity("cart", "new"), (0, 1), "late").await, incarnation);
    let deleted = stores.events.delete_events(incarnation, &account(1), SequenceNr::new(2)).await;
    assert_fenced(deleted, incarnation);
    assert_fenced(stores.writers.renew(incarnation, LONG_LEASE).await, incarnation);
    assert_eq!(picture(stores).await, before, "incarnation {incarnation} left something behind");
}

/// Everything that a stale writer could have changed.
async fn picture(stores: &Stores) -> impl PartialEq + std::fmt::Debug + use<> {
    let keys = [cart(), entity("cart", "new")];
    let states = stores.states.load(&keys).await.expect("states can be loaded");
    (journal(stores).await, head(stores, Lane::default()).await, states)
}

fn cart() -> actum_model::EntityKey {
    entity("cart", "1")
}
