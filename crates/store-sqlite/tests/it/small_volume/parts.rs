//! What the processes do that live on a small volume.

use crate::{
    messages::line,
    progress::sample::{Runner, create_tables},
    sample::{Writer, account, claim, event, head_of, page},
};
use actum_model::{SequenceNr, Timestamp};
use actum_persistence::{
    progress::{ExactTarget, SaveError},
    store::{
        DurableStateStore, EventStore, Resolution, Snapshot, SnapshotStore, StoreError,
        WriterClaim, WriterStore,
    },
};
use actum_store_sqlite::{SqliteStore, SqliteTarget};
use bytes::Bytes;
use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

const EVENT_BYTES: usize = 100_000;

/// How many events of one entity are deleted at once, how many are appended at once, and how many snapshots are
/// deleted.
pub(super) const MANY: u64 = 1_000;
const SOME: u64 = 20;
pub(super) const SNAPSHOTS: u64 = 2_000;

/// What a child does on a small volume.
pub(crate) async fn play(part: &str, journal: &Path) {
    match part {
        "fill a small volume" => fill(journal).await,
        "go on in a small volume" => go_on(journal).await,
        "fill a small volume with one entity" => fill_with_one(journal).await,
        "delete many events" => delete_many_events(journal).await,
        "fill a small volume with snapshots" => fill_with_snapshots(journal).await,
        "delete many snapshots" => delete_many_snapshots(journal).await,
        "use what is kept of a small volume" => use_what_is_kept(journal).await,
        "fill a small volume with rows" => fill_with_rows(journal).await,
        "go on beside the rows" => go_on_beside_rows(journal).await,
        "meet others with rows" => meet_others_with_rows(journal).await,
        "meet a volume that others fill" => meet_others(journal).await,
        other => panic!("there is no part `{other}`"),
    }
}

/// Appends until the volume is full, and dies.
async fn fill(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let writer = Writer::claim(&store).await;
    let mut stored = 0;
    let error = loop {
        match writer.each(&[account(stored)], 0, EVENT_BYTES).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    eprintln!("stored {stored}\n{}", line(&error));
    for _ in 0..50 {
        let refused = writer.each(&[account(stored)], 0, EVENT_BYTES).await;
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    }
    std::process::abort();
}

/// Appends to one entity until the volume is full, and dies.
async fn fill_with_one(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let writer = Writer::claim(&store).await;
    let mut stored = 0;
    while append_some(&writer, stored).await.is_ok() {
        stored += SOME;
    }
    eprintln!("stored {stored}");
    std::process::abort();
}

/// Saves snapshots of two entities in turn, so that no page has those of one only; appends until the volume is full,
/// and dies.
async fn fill_with_snapshots(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    for nrs in (1..=SNAPSHOTS).collect::<Vec<_>>().chunks(100) {
        let both = nrs.iter().flat_map(|nr| [1, 2].map(|account| snapshot(account, *nr, 1_800)));
        store.save(&both.collect::<Vec<_>>()).await.unwrap();
    }
    store.close().await;
    fill(journal).await;
}

/// Starts on a full volume, deletes the snapshots of one of two entities in one call, and dies.
async fn delete_many_snapshots(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let [newest, all] = [SNAPSHOTS, u64::MAX].map(SequenceNr::new);
    store.delete(&account(1), SequenceNr::new(1)..=newest).await.unwrap();
    assert_eq!(SnapshotStore::load(&store, &account(1), all).await.unwrap(), None);
    let other = SnapshotStore::load(&store, &account(2), all).await.unwrap();
    assert_eq!(other, Some(snapshot(2, SNAPSHOTS, 1_800)));
    eprintln!("deleted {SNAPSHOTS} snapshots");
    std::process::abort();
}

/// Starts on a volume that one entity has filled, deletes many of its events in one call, uses the room, and dies.
async fn delete_many_events(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let writer = Writer::claim(&store).await;
    let stored = head_of(&store, &account(1)).await;
    let refused = append_some(&writer, stored).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    let up_to = SequenceNr::new(MANY);
    store.delete_events(writer.incarnation, &account(1), up_to).await.unwrap();
    assert_eq!(page(&store, &account(1)).await.unwrap().floor, up_to);
    for head in (stored..).step_by(SOME as usize).take(10) {
        append_some(&writer, head).await.unwrap();
    }
    eprintln!("found {stored}, deleted {MANY}, wrote 200");
    std::process::abort();
}

/// Appends some events to the one entity, in one batch.
async fn append_some(writer: &Writer<'_>, head: u64) -> Result<(), StoreError> {
    let events = vec![event(vec![7; 15_000]); SOME as usize];
    let batch = writer.batch(vec![writer.append(&account(1), head, events)]);
    writer.store.append(&batch).await.map(drop)
}

/// Starts on a full volume, makes room, uses it, and dies.
async fn go_on(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let writer = Writer::claim(&store).await;
    let mut stored = 0;
    while head_of(&store, &account(stored)).await > 0 {
        stored += 1;
    }
    let refused = writer.each(&[account(stored)], 0, EVENT_BYTES).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    // those that still have one: the others were deleted by the one before
    let mut deleted = 0;
    for nr in 0..stored {
        if deleted < 40 && page(&store, &account(nr)).await.unwrap().floor == SequenceNr::ZERO {
            let up_to = SequenceNr::new(1);
            store.delete_events(writer.incarnation, &account(nr), up_to).await.unwrap();
            deleted += 1;
        }
    }
    for nr in 0..20 {
        writer
            .each(&[account(nr)], head_of(&store, &account(nr)).await, EVENT_BYTES)
            .await
            .unwrap();
    }
    // and to the brim again, with what must not be found by the next one
    for nr in 0..stored {
        let head = head_of(&store, &account(nr)).await;
        if writer.each(&[account(nr)], head, EVENT_BYTES).await.is_err() {
            break;
        }
    }
    eprintln!("found {stored}, full again, deleted, wrote 20");
    std::process::abort();
}

/// Starts on a full volume, writes until nothing fits any more, and does what must be possible then; and dies.
async fn use_what_is_kept(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let writer = Writer::claim(&store).await;
    let mut head = head_of(&store, &account(1)).await;
    for bytes in [30_000, 8_000, 2_000, 10] {
        while writer.each(&[account(1)], head, bytes).await.is_ok() {
            head += 1;
        }
    }
    // not a byte of its own, and yet a row each
    let mut saved = 0;
    let refused = loop {
        match store.save(&[snapshot(1, saved + 1, 0)]).await {
            Ok(()) if saved < 1_000 => saved += 1,
            done => break done,
        }
    };
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    let written = store.write(&writer.put(&account(1), 0)).await;
    assert!(matches!(written, Err(StoreError::Unavailable { .. })), "{written:?}");

    let append = writer.batch(vec![writer.append(&account(1), head, vec![event("late")])]);
    assert_eq!(EventStore::resolve(&store, &append).await.unwrap(), [Resolution::NotStored]);
    let put = writer.put(&account(1), 0);
    assert_eq!(DurableStateStore::resolve(&store, &put).await.unwrap(), [Resolution::NotStored]);
    store.delete(&account(1), SequenceNr::new(1)..=SequenceNr::new(saved)).await.unwrap();
    store.delete_events(writer.incarnation, &account(1), SequenceNr::new(head)).await.unwrap();
    store.revoke(writer.incarnation).await.unwrap();
    let free = WriterClaim { slot: "another".to_owned(), ..claim("another") };
    let another = store.claim(&free).await.unwrap();
    store.release(another).await.unwrap();
    eprintln!("refused what grows, did what does not");
    std::process::abort();
}

fn snapshot(account_nr: usize, sequence_nr: u64, bytes: usize) -> Snapshot {
    Snapshot {
        entity: account(account_nr),
        sequence_nr: SequenceNr::new(sequence_nr),
        timestamp: Timestamp::default(),
        state: event(vec![7; bytes]).payload,
        recent_commands: Bytes::new(),
    }
}

/// Writes while a file takes all the room that is left, and when that is gone; then dies.
async fn meet_others(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let writer = Writer::claim(&store).await;
    let keys: Vec<_> = (0..5).map(account).collect();
    let mut head = head_of(&store, &keys[0]).await;
    for _ in 0..5 {
        writer.each(&keys, head, EVENT_BYTES).await.unwrap();
        head += 1;
    }
    let other = journal.with_extension("other");
    let mut file = File::create(&other).unwrap();
    while file.write_all(&[7; 1 << 10]).is_ok() {}
    let error = loop {
        match writer.each(&keys, head, EVENT_BYTES).await {
            Ok(_) => head += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    eprintln!("{}", line(&error));
    assert_eq!(head_of(&store, &keys[4]).await, head);
    drop(file);
    fs::remove_file(other).unwrap();
    for _ in 0..5 {
        writer.each(&keys, head, EVENT_BYTES).await.unwrap();
        head += 1;
    }
    eprintln!("went on");
    std::process::abort();
}

/// Appends some events, writes rows of a projection beside them until the volume is full, and dies.
async fn fill_with_rows(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let writer = Writer::claim(&store).await;
    for nr in 0..100 {
        writer.each(&[account(nr)], 0, EVENT_BYTES).await.unwrap();
    }
    let target = SqliteTarget::of(&store);
    create_tables(&target).await;
    let runner = Runner::claim(&target, "rows").await;
    let mut kept = 0;
    let error = loop {
        match keep_row(&runner, kept + 1).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    eprintln!("kept {kept}\n{}", line(&error));
    for _ in 0..50 {
        assert!(keep_row(&runner, kept + 1).await.is_err());
    }
    assert_eq!(runner.both().await, (kept, (1..=kept.cast_signed()).collect()));
    std::process::abort();
}

/// Starts on a full volume, makes room in the journal, uses it for rows and dies.
async fn go_on_beside_rows(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let writer = Writer::claim(&store).await;
    let runner = Runner::claim(&SqliteTarget::of(&store), "rows").await;
    let (found, rows) = runner.both().await;
    assert_eq!(rows.len() as u64, found);
    assert!(keep_row(&runner, found + 1).await.is_err());
    for nr in 0..80 {
        store.delete_events(writer.incarnation, &account(nr), SequenceNr::new(1)).await.unwrap();
    }
    for position in found + 1..=found + 10 {
        keep_row(&runner, position).await.unwrap();
    }
    assert_eq!(runner.both().await.0, found + 10);
    eprintln!("found {found}, deleted, kept 10");
    std::process::abort();
}

/// Keeps a row of 200 KB with the progress that it stands for.
async fn keep_row(runner: &Runner, position: u64) -> Result<(), StoreError> {
    let mut tx = runner.begin().await?;
    let statement = "INSERT INTO handled VALUES (?, zeroblob(200000))";
    let statement = sqlx::query(statement).bind(position.cast_signed());
    let written = statement.execute(SqliteTarget::connection(&mut tx)).await;
    if let Err(error) = written {
        assert!(SqliteTarget::is_unavailable(&error), "{error}");
        runner.target.rollback(tx).await;
        return Err(StoreError::unavailable("writing a row", error));
    }
    match runner.target.commit(tx, &runner.save(position)).await {
        Err(SaveError::Store(error @ StoreError::Unavailable { .. })) => Err(error),
        done => {
            done.unwrap();
            Ok(())
        }
    }
}

/// Keeps rows while a file takes all the room that is left, finds it full, and says how large the log is then.
async fn meet_others_with_rows(journal: &Path) {
    let store = SqliteStore::open(journal).await.unwrap();
    let target = SqliteTarget::of(&store);
    create_tables(&target).await;
    let runner = Runner::claim(&target, "rows").await;
    for position in 1..=10 {
        keep_row(&runner, position).await.unwrap();
    }
    let mut file = File::create(journal.with_extension("other")).unwrap();
    while file.write_all(&[7; 1 << 10]).is_ok() {}
    let mut position = 11;
    while keep_row(&runner, position).await.is_ok() {
        position += 1;
    }
    let log = journal.with_extension("db-wal").metadata().unwrap().len();
    eprintln!("the log has {log} bytes");
    drop(file);
    fs::remove_file(journal.with_extension("other")).unwrap();
    keep_row(&runner, position).await.unwrap();
    eprintln!("went on");
    std::process::abort();
}
