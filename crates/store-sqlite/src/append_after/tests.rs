use crate::SqliteStore;
use actum_model::{EntityKey, Lane, SequenceNr, StoredPayload, Timestamp};
use actum_persistence::store::{
    AppendBatch, EntityAppend, EventStore, Incarnation, NewEvent, WriterClaim, WriterStore,
};
use bytes::Bytes;
use sqlx::{ConnectOptions, Executor, sqlite::SqliteConnectOptions};
use std::{path::PathBuf, time::Duration};
use tempfile::TempDir;

/// Events of entities: which, at what number, and what.
type Appends = &'static [(usize, u64, &'static [&'static str])];

enum Step {
    Append(Appends),
    /// By another store of the same journal.
    AppendElsewhere(Appends),
    /// By the same.
    Delete(usize, u64),
    ByHand(&'static str),
}

/// Wherever something must be read, `Append` comes behind one that had to read nothing.
const STEPS: &[Step] = &[
    Step::Append(&[(1, 0, &["a"]), (2, 0, &["b", "c"])]),
    Step::Append(&[(1, 1, &["d"])]),
    Step::Append(&[(2, 2, &[""])]),
    // conflicts
    Step::Append(&[(1, 1, &["too low"])]),
    Step::Append(&[(1, 9, &["too high"])]),
    Step::Append(&[(3, 1, &["never written"])]),
    Step::Append(&[(3, 0, &["e"])]),
    Step::Append(&[(3, 1, &["f"])]),
    // others write behind it
    Step::AppendElsewhere(&[(4, 0, &["g"])]),
    Step::Append(&[(1, 2, &["h"])]),
    Step::Append(&[(1, 3, &["i"])]),
    Step::AppendElsewhere(&[(1, 4, &["j"])]),
    Step::Append(&[(1, 4, &["taken"])]),
    Step::Append(&[(1, 5, &["k"])]),
    // others write behind it, and what they wrote is deleted: its positions are not given out again
    Step::AppendElsewhere(&[(5, 0, &["l"])]),
    Step::Delete(5, 1),
    Step::Append(&[(1, 6, &["m"])]),
    Step::Append(&[(1, 7, &["n"])]),
    // the last event of the lane is deleted
    Step::Delete(1, 8),
    Step::Append(&[(1, 8, &["o"])]),
    Step::Append(&[(1, 9, &["p"])]),
    // a number is taken that no one could have taken
    Step::ByHand(
        "INSERT INTO events SELECT 1000, entity, 11, incarnation, 1, timestamp, codec, manifest, schema_version,
            payload, metadata FROM events WHERE entity = 1 AND sequence_nr = 10;
        DELETE FROM events WHERE place = 1000",
    ),
    Step::Append(&[(1, 10, &["q"])]),
    Step::ByHand("UPDATE events SET sequence_nr = 12 WHERE entity = 1 AND sequence_nr = 9"),
    Step::Append(&[(1, 11, &["taken by hand"])]),
    Step::Append(&[(2, 3, &["r"])]),
    Step::Append(&[(3, 2, &["t"])]),
    Step::Append(&[(2, 4, &["s"])]),
    // the lane regresses
    Step::ByHand("DELETE FROM events WHERE place = (SELECT max(place) FROM events)"),
    Step::Append(&[(3, 3, &["u"])]),
    Step::Append(&[(2, 4, &["v"])]),
    Step::ByHand("UPDATE writers SET revoked_at = 1"),
    Step::Append(&[(3, 4, &["revoked"])]),
];

/// A journal, and the store of it that has written to it all the while.
struct Side {
    directory: TempDir,
    incarnation: Incarnation,
    store: SqliteStore,
    /// Whether each append is by a store of its own, which knows nothing.
    forgetful: bool,
}

impl Side {
    async fn open(forgetful: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("journal.db")).await.unwrap();
        let claim = WriterClaim {
            slot: "journal".into(),
            holder: "a test".into(),
            lease: Duration::from_secs(60),
            replaces: None,
        };
        let incarnation = store.claim(&claim).await.unwrap();
        Self { directory, incarnation, store, forgetful }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("journal.db")
    }

    async fn other(&self) -> SqliteStore {
        SqliteStore::open(self.path()).await.unwrap()
    }

    fn batch(&self, appends: Appends) -> AppendBatch {
        let append = |(nr, expected, texts): &(usize, u64, &[&'static str])| {
            let entity = EntityKey::new("account", format!("acc-{nr}")).unwrap();
            EntityAppend {
                partition: entity.partition(self.store.layout().partitions),
                owned_as: None,
                entity,
                expected: SequenceNr::new(*expected),
                first_event_nr: 1_000 * *nr as u64 + expected,
                events: texts.iter().map(|text| event(text)).collect(),
            }
        };
        let appends = appends.iter().map(append).collect();
        AppendBatch { lane: Lane::default(), incarnation: self.incarnation, appends }
    }

    async fn take(&self, step: &Step) -> String {
        let said = match step {
            Step::Append(appends) if !self.forgetful => {
                format!("{:?}", self.store.append(&self.batch(appends)).await)
            }
            Step::Append(appends) | Step::AppendElsewhere(appends) => {
                format!("{:?}", self.other().await.append(&self.batch(appends)).await)
            }
            Step::Delete(nr, up_to) => {
                let entity = EntityKey::new("account", format!("acc-{nr}")).unwrap();
                let other = self.other().await;
                let up_to = SequenceNr::new(*up_to);
                format!("{:?}", other.delete_events(self.incarnation, &entity, up_to).await)
            }
            Step::ByHand(text) => {
                self.foreign_connection().await.execute(sqlx::raw_sql(*text)).await.unwrap();
                String::new()
            }
        };
        said.replace(&self.path().display().to_string(), "journal")
    }

    async fn foreign_connection(&self) -> sqlx::SqliteConnection {
        SqliteConnectOptions::new().filename(self.path()).connect().await.unwrap()
    }

    /// Everything that is stored, as text.
    async fn rows(&self) -> Vec<String> {
        let query = "SELECT concat_ws('|', place, entity, sequence_nr, incarnation, event_nr, timestamp, codec, manifest,
                schema_version, hex(payload), hex(metadata)) FROM events
            UNION ALL SELECT concat_ws('|', lane, kept) FROM lanes
            UNION ALL SELECT concat_ws('|', entity, kind, id, partition, floor) FROM entities ORDER BY 1";
        sqlx::query_scalar(query).fetch_all(&mut self.foreign_connection().await).await.unwrap()
    }
}

fn event(text: &'static str) -> NewEvent {
    NewEvent {
        timestamp: Timestamp::from_micros(1_795_000_000_123_456),
        payload: StoredPayload {
            codec: "utf8".into(),
            manifest: format!("account.{text}").into(),
            schema_version: 1 + text.len() as u32,
            bytes: Bytes::from_static(text.as_bytes()),
        },
        metadata: Bytes::from(text.repeat(2)),
    }
}

#[tokio::test]
async fn alone_or_in_a_transaction_the_same_is_stored_and_answered() {
    let sides = [Side::open(false).await, Side::open(true).await];
    for (nr, step) in STEPS.iter().enumerate() {
        let [knowing, forgetful] = &sides;
        let came = (knowing.take(step).await, forgetful.take(step).await);
        assert_eq!(came.0, came.1, "step {nr}");
        assert_eq!(knowing.rows().await, forgetful.rows().await, "behind step {nr}: {}", came.0);
    }
}

#[tokio::test]
async fn one_event_behind_what_this_store_left_there_is_appended_alone() {
    let side = Side::open(false).await;
    let alone = async |appends| side.store.append_alone(&side.batch(appends)).await.ok().flatten();
    assert!(alone(&[(1, 0, &["the entity is not known"])]).await.is_none());
    side.take(&Step::Append(&[(1, 0, &["a"]), (2, 0, &["b"])])).await;
    assert!(alone(&[(1, 1, &["c"])]).await.is_some());
    assert!(alone(&[(2, 1, &["d"])]).await.is_some());
    assert!(alone(&[(1, 2, &["two", "events"])]).await.is_none());
    assert!(alone(&[(1, 2, &["e"]), (2, 2, &["f"])]).await.is_none());
    side.take(&Step::AppendElsewhere(&[(3, 0, &["g"])])).await;
    assert!(alone(&[(1, 2, &["others have written"])]).await.is_none());
    side.take(&Step::ByHand("UPDATE writers SET revoked_at = 1")).await;
    assert!(alone(&[(1, 2, &["revoked"])]).await.is_none());
}
