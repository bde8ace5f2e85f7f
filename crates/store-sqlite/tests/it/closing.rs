//! How a store ends, and what is left of it.

use crate::{
    fixture::SqliteFixture,
    sample::{Writer, account, claim, head_of, page},
};
use actum_model::SequenceNr;
use actum_persistence::store::{
    ClaimError, DurableStateStore, EventStore, SnapshotStore, StoreError, WriterStore,
};
use actum_store_sqlite::SqliteSettings;
use std::{fs, path::PathBuf};

const FIRST: SequenceNr = SequenceNr::new(1);

fn beside(fixture: &SqliteFixture) -> Vec<String> {
    let directory = fixture.path().parent().map(PathBuf::from).unwrap();
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_closed_store_leaves_one_file_and_says_that_it_is_closed() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    writer.write(&account(1), 0).await;
    assert_eq!(head_of(&store, &account(1)).await, 1);
    let lock = "journal.db.writer-1".to_owned();
    assert!(beside(&fixture).contains(&lock));
    EventStore::close(&store).await;
    SnapshotStore::close(&store).await;
    DurableStateStore::close(&store).await;
    assert_eq!(beside(&fixture), ["journal.db"]);

    let refusals = [
        writer.each(&[account(1)], 1, 10).await.map(drop),
        page(&store, &account(1)).await.map(drop),
        store.renew(writer.incarnation, claim("a").lease).await,
        store.delete(&account(1), FIRST..=FIRST).await,
        store.claim(&claim("late")).await.map(drop).map_err(|error| match error {
            ClaimError::Store(error) => error,
            held => panic!("{held}"),
        }),
    ];
    for refusal in refusals {
        match refusal {
            Err(error @ StoreError::Unavailable { .. }) => {
                let source = std::error::Error::source(&error).unwrap().to_string();
                assert_eq!(source, "the store was closed");
            }
            other => panic!("{other:?}"),
        }
    }
    let again = fixture.store().await;
    assert_eq!(head_of(&again, &account(1)).await, 1);
}

#[tokio::test]
async fn closing_gives_the_slot_back_and_dropping_too() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    for _ in 0..2 {
        let store = fixture.store().await;
        Writer::claim(&store).await.write(&account(1), head_of(&store, &account(1)).await).await;
        store.claim(&claim("a rival")).await.expect_err("the holder is alive");
        store.close().await;
    }
    let dropped = fixture.store().await;
    Writer::claim(&dropped).await;
    drop(dropped);
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    assert_eq!(writer.incarnation.get(), 4);
    let locks: Vec<_> =
        beside(&fixture).into_iter().filter(|name| name.contains("writer")).collect();
    assert_eq!(locks, ["journal.db.writer-4"], "the dead holder's file is deleted");
}

#[tokio::test]
async fn closing_waits_for_what_is_under_way() {
    let fixture = SqliteFixture::with(SqliteSettings::default().with_reader_connections(2));
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let keys: Vec<_> = (0..500).map(account).collect();
    writer.each(&keys, 0, 100).await.unwrap();
    let appending = writer.each(&keys, 1, 100);
    let reading = page(&store, &keys[3]);
    let (appended, read, ()) = tokio::join!(biased; appending, reading, EventStore::close(&store));
    assert_eq!(appended.unwrap().len(), 500);
    assert!(!read.unwrap().events.is_empty());
    let again = fixture.store().await;
    assert_eq!(head_of(&again, &keys[499]).await, 2);
}

/// Callers that come while the store closes, before or behind the release of its slot.
#[tokio::test]
async fn an_append_beside_closing_is_stored_or_refused_because_the_store_is_closed() {
    for patience in 0..80 {
        let fixture = SqliteFixture::with(SqliteSettings::default());
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        let appending = async {
            for _ in 0..patience {
                tokio::task::yield_now().await;
            }
            writer.each(&[account(1)], 1, 10).await
        };
        let ((), appended) = tokio::join!(biased; EventStore::close(&store), appending);
        let stored = match appended {
            Ok(_) => true,
            Err(error @ StoreError::Unavailable { .. }) => {
                let source = std::error::Error::source(&error).unwrap().to_string();
                assert_eq!(source, "the store was closed");
                false
            }
            Err(error) => panic!("{error:?}"),
        };
        let again = fixture.store().await;
        assert_eq!(head_of(&again, &account(1)).await, 1 + u64::from(stored));
    }
}

/// Reads that are dropped at any moment leave connections behind that others can use, or none.
#[tokio::test]
async fn dropped_calls_leave_the_store_usable() {
    let fixture = SqliteFixture::with(SqliteSettings::default().with_reader_connections(1));
    let store = fixture.store().await;
    let writer = Writer::claim(&store).await;
    let keys: Vec<_> = (0..300).map(account).collect();
    writer.each(&keys, 0, 100).await.unwrap();
    for patience in 0..60 {
        let patience = async {
            for _ in 0..patience {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            read = page(&store, &keys[0]) => drop(read.unwrap()),
            deleted = store.delete(&keys[0], FIRST..=FIRST) => deleted.unwrap(),
            () = patience => {}
        }
    }
    assert_eq!(head_of(&store, &keys[299]).await, 1);
    writer.each(&keys, 1, 100).await.unwrap();
}
