//! Two nodes, each with a writer slot of its own, that come by the same entities in one lane: what one of them
//! remembers of a head is too low as soon as the other has written.

use crate::{
    fixture::PostgresFixture,
    writer::{Writer, account},
};
use actum_model::SequenceNr;
use actum_persistence::store::{
    AppendOutcome, EntityRead, EventStore, JournalLayout, PageLimit, StoreError,
};
use actum_testkit::conformance::StoreFixture;
use std::sync::Arc;

/// Two nodes over one journal; none where there is no server.
async fn two_nodes() -> Option<(PostgresFixture, Writer, Writer)> {
    let fixture = PostgresFixture::create(JournalLayout::default()).await;
    if !fixture.is_available() {
        return None;
    }
    let first = Writer::claim_slot(Arc::new(fixture.store().await), "first").await;
    let second = Writer::claim_slot(Arc::new(fixture.store().await), "second").await;
    Some((fixture, first, second))
}

/// Appends one event to each of these accounts, all at this number, in one batch.
async fn append(writer: &Writer, accounts: &[usize], at: u64) -> Vec<AppendOutcome> {
    let appends = accounts.iter().map(|nr| writer.append(&account(*nr), at, &["x"])).collect();
    writer.store.append(&writer.batch(appends)).await.unwrap()
}

fn conflict(actual: u64) -> AppendOutcome {
    AppendOutcome::Conflict { actual: SequenceNr::new(actual) }
}

async fn numbers(writer: &Writer, nr: usize, after: u64) -> Vec<u64> {
    let read = EntityRead { entity: account(nr), after: SequenceNr::new(after) };
    let pages = writer.store.read_entities(&[read], PageLimit::default()).await.unwrap();
    pages[0].events.iter().map(|event| event.sequence_nr.get()).collect()
}

#[tokio::test]
async fn a_head_that_another_node_has_moved_conflicts_and_the_rest_of_the_batch_is_stored() {
    let Some((_fixture, first, second)) = two_nodes().await else { return };
    append(&first, &[1, 2, 3], 0).await;
    second.write(&account(2), 1, "foreign").await;
    let outcomes = append(&first, &[1, 2, 3], 1).await;
    assert!(matches!(outcomes[0], AppendOutcome::Appended { .. }), "{outcomes:?}");
    assert_eq!(outcomes[1], conflict(2));
    assert!(matches!(outcomes[2], AppendOutcome::Appended { .. }), "{outcomes:?}");
    assert_eq!(numbers(&first, 2, 0).await, [1, 2]);
    // what was found out is remembered
    first.write(&account(2), 2, "own").await;
    assert_eq!(numbers(&second, 2, 0).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_number_is_not_free_because_another_node_has_deleted_its_event() {
    let Some((_fixture, first, second)) = two_nodes().await else { return };
    append(&first, &[1, 2], 0).await;
    for at in 1..4 {
        second.write(&account(1), at, "foreign").await;
    }
    let deleted =
        second.store.delete_events(second.incarnation, &account(1), SequenceNr::new(4)).await;
    deleted.unwrap();
    let outcomes = append(&first, &[1, 2], 1).await;
    assert_eq!(outcomes[0], conflict(4), "events 2 to 4 were there");
    assert!(matches!(outcomes[1], AppendOutcome::Appended { .. }), "{outcomes:?}");
    assert_eq!(numbers(&first, 1, 0).await, [0; 0]);
    first.write(&account(1), 4, "own").await;
    assert_eq!(numbers(&second, 1, 4).await, [5]);
}

#[tokio::test]
async fn a_lane_that_has_regressed_is_looked_up() {
    let Some((fixture, first, _second)) = two_nodes().await else { return };
    append(&first, &[1, 2], 0).await;
    append(&first, &[1, 2], 1).await;
    // as after a fail-over to a replica that had not got the last commits
    let lost = fixture.sql("DELETE FROM @events WHERE position > 2");
    let mut foreign = fixture.foreign_connection().await;
    sqlx::raw_sql(lost).execute(&mut foreign).await.unwrap();
    let outcomes = append(&first, &[1, 2], 2).await;
    assert_eq!(outcomes, [conflict(1), conflict(1)], "a gap would never be found again");
}

#[tokio::test]
async fn nodes_that_take_turns_in_a_lane_store_everything_once() -> Result<(), StoreError> {
    let Some((_fixture, first, second)) = two_nodes().await else { return Ok(()) };
    for at in 0..20 {
        for (writer, accounts) in [(&first, 0..20), (&second, 20..40)] {
            let outcomes = append(writer, &accounts.collect::<Vec<_>>(), at).await;
            let appended = |o: &AppendOutcome| matches!(o, AppendOutcome::Appended { .. });
            assert!(outcomes.iter().all(appended), "{outcomes:?}");
        }
    }
    let heads = first.store.heads().await?;
    assert_eq!(heads, second.store.heads().await?);
    for nr in 0..40 {
        assert_eq!(numbers(&first, nr, 0).await, (1..=20).collect::<Vec<_>>());
    }
    Ok(())
}
