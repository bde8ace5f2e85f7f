//! Closing a journal beside those who use it.

use super::{
    StoreFixture,
    reading::head_of,
    sample::{account, events},
    writer::Writer,
};
use actum_persistence::store::{AppendOutcome, StoreError};

/// An append that meets the close of its store is stored or was never begun, and is told so: that the store is closed, not
/// that another writer has taken over.
pub async fn an_append_beside_closing_is_stored_or_unavailable(fixture: &dyn StoreFixture) {
    for round in 0..40 {
        let stores = fixture.open().await;
        let writer = Writer::claim_slot(&stores, &format!("round-{round}")).await;
        let batch = writer.batch(vec![writer.append(&account(round), 0, events(1))]);
        let appending = async {
            for _ in 0..2 * round {
                tokio::task::yield_now().await;
            }
            stores.events.append(&batch).await
        };
        let ((), appended) = tokio::join!(biased; stores.close(), appending);
        let stored = match appended.as_deref() {
            Ok([AppendOutcome::Appended { .. }]) => 1,
            Err(StoreError::Unavailable { .. }) => 0,
            other => panic!("an append beside closing ends in {other:?}"),
        };
        assert_eq!(head_of(&fixture.open().await, &account(round)).await, stored);
    }
}
