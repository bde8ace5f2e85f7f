//! A disk that is full, a file that another process keeps locked, rows that another program has written.

use crate::{
    fixture::SqliteFixture,
    sample::{Writer, account, claim, event, head_of, page},
};
use actum_model::{EntityKey, Lane, Position, Revision, SequenceNr};
use actum_persistence::store::{
    AppendOutcome, ClaimError, DurableStateStore, EventFilter, EventStore, PageLimit, StateBatch,
    StateChange, StateOutcome, StoreError, WriterClaim, WriterStore,
};
use actum_store_sqlite::SqliteSettings;
use sqlx::Executor;
use std::time::Duration;

fn assert_unavailable<T: std::fmt::Debug>(result: &Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Unavailable { .. })), "{result:?}");
}

#[tokio::test]
async fn a_full_disk_stores_nothing_of_the_batch_and_the_store_goes_on_when_there_is_room() {
    let settings = SqliteSettings::default().with_file_bytes_max(2 << 20);
    let fixture = SqliteFixture::with(settings);
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let keys: Vec<EntityKey> = (0..10).map(account).collect();
    let mut stored = 0;
    let failure = loop {
        match writer.each(&keys, stored, 20_000).await {
            Ok(outcomes) => {
                assert!(outcomes.iter().all(|o| matches!(o, AppendOutcome::Appended { .. })));
                stored += 1;
            }
            Err(error) => break error,
        }
    };
    assert!(stored >= 5, "there was room for {stored} batches");
    assert_unavailable::<()>(&Err(failure));
    for key in &keys {
        assert_eq!(head_of(&store, key).await, stored, "none of a batch, or all of it");
    }
    assert_eq!(store.heads().await.unwrap().position(Lane::default()).get(), 10 * stored);
    assert_unavailable(&writer.each(&keys, stored, 20_000).await);

    for key in &keys {
        store.delete_events(writer.incarnation, key, SequenceNr::new(stored)).await.unwrap();
    }
    writer.each(&keys, stored, 20_000).await.unwrap();
    let filter = EventFilter::default();
    let behind = Position::new(10 * stored);
    let page = store.read_lane(Lane::default(), behind, &filter, PageLimit::default()).await;
    assert_eq!(page.unwrap().events.len(), 10, "positions have no hole where a batch failed");
}

#[tokio::test]
async fn a_full_disk_leaves_the_states_that_are_there_and_takes_others_when_there_is_room() {
    let settings = SqliteSettings::default().with_file_bytes_max(2 << 20);
    let fixture = SqliteFixture::with(settings);
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let keys: Vec<EntityKey> = (0..10).map(account).collect();
    let put = |expected: u64, bytes: usize| {
        let writes = keys.iter().flat_map(|key| writer.put(key, expected).writes);
        let mut writes: Vec<_> = writes.collect();
        for write in &mut writes {
            write.change = StateChange::Put(event(vec![expected as u8; bytes]).payload);
        }
        StateBatch { incarnation: writer.incarnation, writes }
    };
    let mut stored = 0;
    let failure = loop {
        match store.write(&put(stored, 20_000 * (1 + stored as usize))).await {
            Ok(outcomes) => {
                assert_eq!(outcomes, [StateOutcome::Written; 10]);
                stored += 1;
            }
            Err(error) => break error,
        }
    };
    assert!(stored >= 3, "there was room for {stored} batches");
    assert_unavailable::<()>(&Err(failure));
    let bytes = vec![(stored - 1) as u8; 20_000 * stored as usize];
    for record in DurableStateStore::load(&store, &keys).await.unwrap() {
        let record = record.unwrap();
        assert_eq!(record.revision, Revision::new(stored), "none of a batch, or all of it");
        assert!(record.state.unwrap().bytes == bytes);
    }
    assert_eq!(store.write(&put(stored, 10)).await.unwrap(), [StateOutcome::Written; 10]);
}

#[tokio::test]
async fn a_file_that_stays_locked_is_unavailable_and_can_be_read() {
    let settings = SqliteSettings::default().with_busy_timeout(Duration::from_millis(50));
    let fixture = SqliteFixture::with(settings);
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    writer.write(&account(1), 0).await;
    let mut foreign = fixture.foreign_connection().await;
    foreign.execute("BEGIN IMMEDIATE").await.unwrap();
    assert_unavailable(&writer.each(&[account(1)], 1, 10).await);
    let put = writer.put(&account(1), 0);
    assert_unavailable(&store.write(&put).await);
    assert_unavailable(&DurableStateStore::resolve(&store, &put).await);
    assert_unavailable(&store.revoke(writer.incarnation).await);
    let batch = writer.batch(vec![]);
    assert_unavailable(&EventStore::resolve(&store, &batch).await);
    let free = WriterClaim { slot: "another".to_owned(), ..claim("another") };
    let claimed = store.claim(&free).await;
    assert!(matches!(claimed, Err(ClaimError::Store(StoreError::Unavailable { .. }))));
    assert_eq!(head_of(&store, &account(1)).await, 1);
    assert_eq!(DurableStateStore::load(&store, &[account(1)]).await.unwrap(), [None]);
    foreign.execute("ROLLBACK").await.unwrap();
    writer.write(&account(1), 1).await;
    assert_eq!(store.write(&put).await.unwrap(), [StateOutcome::Written]);
}

/// A second store on the same file may write to an entity whose head the first one remembers.
#[tokio::test]
async fn what_another_store_wrote_is_noticed_whatever_was_remembered() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let (one, two) = (fixture.store().await, fixture.store().await);
    let first = Writer::claim(&one).await;
    let second = Writer::of(&two, first.incarnation);
    let keys: Vec<EntityKey> = (0..20).map(account).collect();
    for round in 0..10 {
        let (ours, theirs) = if round % 3 == 0 { (&first, &second) } else { (&second, &first) };
        ours.each(&keys[..10], round, 10).await.unwrap();
        let late = theirs.each(&keys[..10], round, 10).await.unwrap();
        let actual = SequenceNr::new(round + 1);
        assert_eq!(late, vec![AppendOutcome::Conflict { actual }; 10]);
        // the same entities, now deleted: the unique index has nothing to say
        if round == 5 {
            for key in &keys {
                one.delete_events(first.incarnation, key, page(&one, key).await.unwrap().head)
                    .await
                    .unwrap();
            }
            let late = theirs.each(&keys[..10], round, 10).await.unwrap();
            assert_eq!(late, vec![AppendOutcome::Conflict { actual }; 10]);
        }
    }
}

#[tokio::test]
async fn a_deleted_number_is_never_given_again_although_its_row_is_free() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let (one, two) = (fixture.store().await, fixture.store().await);
    let first = Writer::claim(&one).await;
    first.write(&account(1), 0).await;
    let second = Writer::of(&two, first.incarnation);
    second.write(&account(1), 1).await;
    two.delete_events(first.incarnation, &account(1), SequenceNr::new(2)).await.unwrap();
    let outcome = first.each(&[account(1)], 1, 10).await.unwrap();
    assert_eq!(outcome, [AppendOutcome::Conflict { actual: SequenceNr::new(2) }]);
}

#[tokio::test]
async fn many_more_entities_than_are_remembered_are_appended_to() {
    let settings = SqliteSettings::default().with_remembered_entities(1_000);
    let fixture = SqliteFixture::with(settings);
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let keys: Vec<EntityKey> = (0..3_000).map(account).collect();
    for round in 0..4 {
        for some in keys.chunks(700) {
            let outcomes = writer.each(some, round, 10).await.unwrap();
            assert!(outcomes.iter().all(|o| matches!(o, AppendOutcome::Appended { .. })));
        }
    }
    for key in keys.iter().step_by(97) {
        assert_eq!(page(&store, key).await.unwrap().events.len(), 4);
    }
}

/// The file was changed by hand, without moving the head of a lane: the unique index is the second line.
#[tokio::test]
async fn a_number_that_is_taken_against_all_memory_is_a_conflict() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    writer.each(&[account(1), account(2), account(3)], 0, 10).await.unwrap();
    let forged = "UPDATE events SET entity = 1, sequence_nr = 2 WHERE entity = 2";
    fixture.foreign_connection().await.execute(forged).await.unwrap();
    let outcomes = writer.each(&[account(3), account(1)], 1, 10).await.unwrap();
    assert!(matches!(outcomes[0], AppendOutcome::Appended { .. }));
    assert_eq!(outcomes[1], AppendOutcome::Conflict { actual: SequenceNr::new(2) });
    assert_eq!(page(&store, &account(3)).await.unwrap().events.len(), 2);
}
