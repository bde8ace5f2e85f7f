//! Files of a journal that are removed, renamed, replaced or given a second name while they are in use.

use crate::{
    child,
    fixture::SqliteFixture,
    sample::{Writer, account, claim, event, head_of, page},
};
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{
    ClaimError, DurableStateStore, EventStore, Snapshot, SnapshotStore, StoreError, WriterStore,
};
use actum_store_sqlite::{OpenError, SqliteSettings, SqliteStore};
use bytes::Bytes;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

fn beside(journal: &Path, suffix: &str) -> PathBuf {
    format!("{}{suffix}", journal.display()).into()
}

fn remove_all(journal: &Path) {
    for suffix in ["", "-wal", "-shm", ".writer-1"] {
        fs::remove_file(beside(journal, suffix)).unwrap();
    }
}

fn rename(journal: &Path, suffix: &str) {
    let path = beside(journal, suffix);
    fs::rename(&path, path.with_extension("old")).unwrap();
}

fn replace(journal: &Path, suffix: &str) {
    let path = beside(journal, suffix);
    let other = path.with_extension("other");
    fs::copy(&path, &other).unwrap();
    fs::rename(other, path).unwrap();
}

fn rename_directory(journal: &Path) {
    let directory = journal.parent().unwrap();
    fs::rename(directory, directory.with_extension("old")).unwrap();
    fs::create_dir(directory).unwrap();
}

/// What happens to a journal, which file the error names, and what it says of that one.
struct Mishap {
    happens: fn(&Path),
    suffix: &'static str,
    says: &'static str,
}

const MISHAPS: [Mishap; 15] = [
    Mishap { happens: remove_all, suffix: "", says: "was removed while" },
    Mishap { happens: |j| fs::remove_file(j).unwrap(), suffix: "", says: "was removed while" },
    Mishap { happens: |j| rename(j, ""), suffix: "", says: "was renamed to `" },
    Mishap { happens: rename_directory, suffix: "", says: "was renamed to `" },
    Mishap { happens: |j| replace(j, ""), suffix: "", says: "was replaced by another file" },
    Mishap {
        happens: |j| fs::hard_link(j, j.with_extension("link")).unwrap(),
        suffix: "",
        says: "was given another name",
    },
    Mishap {
        happens: |j| fs::remove_file(beside(j, "-wal")).unwrap(),
        suffix: "-wal",
        says: "was removed or renamed",
    },
    Mishap { happens: |j| rename(j, "-wal"), suffix: "-wal", says: "was removed or renamed" },
    Mishap { happens: |j| replace(j, "-wal"), suffix: "-wal", says: "was replaced" },
    Mishap {
        happens: |j| fs::remove_file(beside(j, "-shm")).unwrap(),
        suffix: "-shm",
        says: "was removed or renamed",
    },
    Mishap { happens: |j| rename(j, "-shm"), suffix: "-shm", says: "was removed or renamed" },
    Mishap { happens: |j| replace(j, "-shm"), suffix: "-shm", says: "was replaced" },
    Mishap {
        happens: |j| fs::remove_file(beside(j, ".writer-1")).unwrap(),
        suffix: ".writer-1",
        says: "was removed or renamed",
    },
    Mishap {
        happens: |j| rename(j, ".writer-1"),
        suffix: ".writer-1",
        says: "was removed or renamed",
    },
    Mishap { happens: |j| replace(j, ".writer-1"), suffix: ".writer-1", says: "was replaced" },
];

/// A directory of its own for each journal, since one is renamed.
fn place() -> (tempfile::TempDir, PathBuf) {
    let outer = tempfile::tempdir().unwrap();
    let inner = outer.path().canonicalize().unwrap().join("data");
    fs::create_dir(&inner).unwrap();
    (outer, inner.join("journal.db"))
}

fn assert_lost<T: std::fmt::Debug>(done: Result<T, StoreError>, what: &str) {
    match done {
        Err(error @ StoreError::Lost { .. }) => {
            assert_eq!(error.to_string(), format!("the store is lost: {what}"));
        }
        other => panic!("{what}: {other:?}"),
    }
}

/// What a store does when it meets a mishap first.
#[derive(Clone, Copy, Debug)]
enum First {
    Append,
    WriteState,
    SaveSnapshot,
    DeleteEvents,
    Renew,
    ReadEvents,
    LoadState,
    LoadSnapshot,
}

impl First {
    const WRITES: [Self; 4] =
        [Self::Append, Self::WriteState, Self::SaveSnapshot, Self::DeleteEvents];
    const OTHERS: [Self; 4] = [Self::Renew, Self::ReadEvents, Self::LoadState, Self::LoadSnapshot];

    /// Does it to an entity that has one event and a state of revision 1.
    async fn run(self, writer: &Writer<'_>) -> Result<(), StoreError> {
        let (store, incarnation, key) = (writer.store, writer.incarnation, account(1));
        let first = SequenceNr::new(1);
        match self {
            Self::Append => writer.each(&[key], 1, 10).await.map(drop),
            Self::WriteState => store.write(&writer.put(&key, 1)).await.map(drop),
            Self::SaveSnapshot => store.save(&[snapshot(key)]).await,
            Self::DeleteEvents => store.delete_events(incarnation, &key, first).await,
            Self::Renew => store.renew(incarnation, Duration::from_secs(9)).await,
            Self::ReadEvents => page(store, &key).await.map(drop),
            Self::LoadState => DurableStateStore::load(store, &[key]).await.map(drop),
            Self::LoadSnapshot => SnapshotStore::load(store, &key, first).await.map(drop),
        }
    }
}

fn snapshot(entity: EntityKey) -> Snapshot {
    let (sequence_nr, event) = (SequenceNr::new(1), event("state"));
    let (timestamp, recent_commands) = (event.timestamp, Bytes::new());
    Snapshot { entity, sequence_nr, timestamp, state: event.payload, recent_commands }
}

impl Mishap {
    /// Opens a journal, lets it happen while that is in use, does `first`, and hands over what came of it.
    async fn meet<T>(
        &self,
        first: First,
        look: impl AsyncFnOnce(&Writer<'_>, &Path, Result<(), StoreError>) -> T,
    ) -> T {
        let (_outer, journal) = place();
        let store = SqliteStore::open(&journal).await.unwrap();
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        store.write(&writer.put(&account(1), 0)).await.unwrap();
        First::ReadEvents.run(&writer).await.unwrap();
        (self.happens)(&journal);
        let done = first.run(&writer).await;
        look(&writer, &journal, done).await
    }

    /// Checks that `what` names the file and says what happened to it.
    fn assert_named(&self, journal: &Path, what: &str) {
        let path = beside(journal, self.suffix);
        assert!(what.starts_with(&format!("`{}` {}", path.display(), self.says)), "{what}");
    }
}

#[tokio::test]
async fn a_write_to_files_that_are_not_what_they_were_is_unknown_and_the_store_ends() {
    for (mishap, first) in MISHAPS.iter().flat_map(|m| First::WRITES.map(|first| (m, first))) {
        let look = async |writer: &Writer<'_>, journal: &Path, done: Result<(), StoreError>| {
            let error = done.expect_err("the files are not what they were");
            assert!(matches!(error, StoreError::OutcomeUnknown { .. }), "{first:?}: {error:?}");
            let what = std::error::Error::source(&error).unwrap().to_string();
            mishap.assert_named(journal, &what);
            for next in First::WRITES.into_iter().chain(First::OTHERS) {
                assert_lost(next.run(writer).await, &what);
            }
            assert_lost(EventStore::resolve(writer.store, &writer.batch(Vec::new())).await, &what);
            assert_lost(writer.store.heads().await, &what);
            assert_lost(writer.store.revoke(writer.incarnation).await, &what);
            match writer.store.claim(&claim("another")).await {
                Err(ClaimError::Store(error)) => assert_lost(Err::<(), _>(error), &what),
                other => panic!("{other:?}"),
            }
        };
        mishap.meet(first, look).await;
    }
}

#[tokio::test]
async fn a_store_that_only_reads_or_renews_notices_too() {
    for (mishap, first) in MISHAPS.iter().flat_map(|m| First::OTHERS.map(|first| (m, first))) {
        let look = async |writer: &Writer<'_>, journal: &Path, done: Result<(), StoreError>| {
            match done {
                Err(StoreError::Lost { what }) => mishap.assert_named(journal, &what),
                other => panic!("{first:?}: {other:?}"),
            }
            let late = writer.each(&[account(1)], 1, 10).await;
            assert!(matches!(late, Err(StoreError::Lost { .. })), "{first:?}: {late:?}");
        };
        mishap.meet(first, look).await;
    }
}

/// Whatever a writer notices it by: at once, in a database file that can be copied without its log.
#[tokio::test]
async fn what_was_confirmed_is_saved_by_the_first_call_of_a_writer_that_notices() {
    for calls in [&[First::Append][..], &[First::Renew], &[First::ReadEvents, First::Append]] {
        let (_outer, journal) = place();
        let store = SqliteStore::open(&journal).await.unwrap();
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        fs::remove_file(beside(&journal, "-wal")).unwrap();
        for call in calls {
            let done = call.run(&writer).await;
            assert!(done.is_err(), "{calls:?}");
        }
        let copy = journal.with_extension("copy");
        fs::copy(&journal, &copy).unwrap();
        let head = head_of(&SqliteStore::open(&copy).await.unwrap(), &account(1)).await;
        assert!(head >= 1, "{calls:?}");
    }
}

/// The log is gone, or its index, or the journal has another name: the database file can still be made whole.
#[tokio::test]
async fn what_was_confirmed_is_saved_into_the_database_file_while_that_is_there() {
    type Mishap = fn(&Path);
    let mishaps: [Mishap; 4] = [
        |journal| {
            fs::remove_file(beside(journal, "-wal")).unwrap();
            fs::remove_file(beside(journal, "-shm")).unwrap();
        },
        |journal| fs::remove_file(beside(journal, "-wal")).unwrap(),
        |journal| fs::hard_link(journal, journal.with_extension("link")).unwrap(),
        |journal| rename(journal, ""),
    ];
    for (nr, happens) in mishaps.into_iter().enumerate() {
        let (_outer, journal) = place();
        let mut player = child::start("append until the files are lost", &journal);
        while player.line() != "confirmed 20" {}
        happens(&journal);
        player.process.wait().unwrap();
        let lines: Vec<String> = player.lines.map_while(Result::ok).collect();
        let [confirmed @ .., unknown, lost] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(unknown, "unknown true");
        assert!(lost.starts_with("the store is lost: `"), "{lost}");
        let confirmed = confirmed.last().and_then(|line| line.strip_prefix("confirmed "));
        let confirmed: u64 = confirmed.unwrap_or("20").parse().unwrap();

        for name in ["link", "old"] {
            let other = journal.with_extension(name);
            if other.exists() {
                // without its log: by this name no one finds it
                drop(fs::remove_file(&journal));
                fs::rename(other, &journal).unwrap();
                drop(fs::remove_file(beside(&journal, "-wal")));
                drop(fs::remove_file(beside(&journal, "-shm")));
            }
        }
        let head = head_of(&SqliteStore::open(&journal).await.unwrap(), &account(1)).await;
        assert!(head >= confirmed, "{nr}: {head} of {confirmed}");
    }
}

/// The journal is removed or renamed under load: whatever was confirmed was written while its files were there.
#[tokio::test]
async fn nothing_is_confirmed_once_the_files_are_gone() {
    for happens in [remove_all, |journal: &Path| rename(journal, "")] {
        let (_outer, journal) = place();
        let mut player = child::start("append until the files are lost", &journal);
        while player.line() != "confirmed 20" {}
        happens(&journal);
        player.process.wait().unwrap();
        let lines: Vec<String> = player.lines.map_while(Result::ok).collect();
        let [confirmed @ .., unknown, lost] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(unknown, "unknown true");
        assert!(lost.contains("while it was in use"), "{lost}");
        // what was under way when the first file went may have been confirmed before that, and no more
        let limit = 20 + confirmed.len();
        assert!(confirmed.iter().all(|line| line.starts_with("confirmed ")), "{lines:?}");
        assert!(limit < 1_000, "it went on: {limit}");
        // a second one begins from scratch
        let store = SqliteStore::open(&journal).await.unwrap();
        Writer::claim(&store).await.write(&account(1), 0).await;
    }
}

#[tokio::test]
async fn a_journal_with_several_names_is_refused() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    fixture.store().await.close().await;
    let link = fixture.path().with_extension("link");
    fs::hard_link(fixture.path(), &link).unwrap();
    for path in [fixture.path(), link.clone()] {
        let refused = SqliteStore::open(&path).await;
        assert!(matches!(refused, Err(OpenError::Linked { names: 2, .. })), "{refused:?}");
    }
    fs::remove_file(link).unwrap();
    fixture.store().await;
}
