//! How fast the store appends, beside raw multi-row inserts of the same rows through sqlx in the same run.
//!
//! `cargo run --release -p actum-store-sqlite --example append_rate [entities] [batches]`
//!
//! Each batch is one transaction of 1,000 events of 1,000 different entities, chosen at random from 100,000 unless set
//! otherwise, every one of which has an event already. Both write with synchronous=FULL, a cache of 64 MiB, and into a
//! table and indexes of the same columns. Raw inserts know every key and number beforehand and checkpoint as SQLite
//! does by itself, in the connection that commits.

use actum_model::{EntityKey, Lane, SequenceNr, StoredPayload, Timestamp};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityAppend, EventStore, Incarnation, NewEvent, WriterClaim,
    WriterStore,
};
use actum_store_sqlite::SqliteStore;
use bytes::Bytes;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use std::{
    error::Error,
    time::{Duration, Instant},
};

const BATCH: usize = 1_000;
const PAYLOAD: [u8; 120] = [7; 120];
const METADATA: [u8; 40] = [8; 40];
/// Rows of one raw statement; 250 to 500 are the fastest.
const RAW_ROWS: usize = 250;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let entities = arguments.next().transpose()?.unwrap_or(100_000);
    let batches = arguments.next().transpose()?.unwrap_or(100);
    let directory = tempfile::tempdir()?;
    let mut raw = Raw::open(&directory.path().join("raw.db"), 1_000).await?;
    let mut raw_large = Raw::open(&directory.path().join("raw-large.db"), 16_384).await?;
    let mut store = Stored::open(&directory.path().join("store.db")).await?;

    let started = Instant::now();
    for first in (0..entities).step_by(BATCH) {
        store.append(&(first..entities.min(first + BATCH)).collect::<Vec<_>>()).await?;
    }
    println!(
        "the store, entities that are new: {:>9.0} events/s",
        entities as f64 / started.elapsed().as_secs_f64()
    );
    for raw in [&mut raw, &mut raw_large] {
        for first in (0..entities).step_by(BATCH) {
            raw.append(&(first..entities.min(first + BATCH)).collect::<Vec<_>>()).await?;
        }
    }

    let mut choices = fastrand::Rng::with_seed(7);
    let mut all = [Times::default(), Times::default(), Times::default()];
    for round in 1..=5 {
        let chosen: Vec<Vec<usize>> =
            (0..batches).map(|_| choose(&mut choices, entities)).collect();
        let mut rates = [Duration::ZERO; 3];
        for batch in &chosen {
            rates[0] += all[0].time(raw.append(batch)).await?;
        }
        for batch in &chosen {
            rates[1] += all[1].time(raw_large.append(batch)).await?;
        }
        for batch in &chosen {
            rates[2] += all[2].time(store.append(batch)).await?;
        }
        let [raw, large, store] = rates.map(|time| (batches * BATCH) as f64 / time.as_secs_f64());
        println!(
            "round {round}: raw {raw:>7.0}, raw with a log of 64 MiB {large:>7.0}, the store {store:>7.0} events/s = {:.2} and {:.2}",
            store / raw,
            store / large
        );
    }
    for (name, times) in ["raw", "raw, 64 MiB", "the store"].iter().zip(&mut all) {
        println!("{name:>12}: {:>7.0} events/s, {}", times.rate(), times.percentiles());
    }
    println!(
        "ratios {:.2} and {:.2}",
        all[2].rate() / all[0].rate(),
        all[2].rate() / all[1].rate()
    );
    singles(&mut raw, &mut store, entities).await
}

async fn singles(raw: &mut Raw, store: &mut Stored, entities: usize) -> Outcome<()> {
    let (mut raw_times, mut store_times) = (Times::default(), Times::default());
    for nr in 0..2_000 {
        raw_times.time(raw.append(&[nr * 7 % entities])).await?;
        store_times.time(store.append(&[nr * 7 % entities])).await?;
    }
    println!(
        "one event a transaction: raw {}, the store {}",
        raw_times.percentiles(),
        store_times.percentiles()
    );
    Ok(())
}

fn choose(choices: &mut fastrand::Rng, entities: usize) -> Vec<usize> {
    let mut chosen = std::collections::HashSet::with_capacity(BATCH);
    while chosen.len() < BATCH {
        chosen.insert(choices.usize(..entities));
    }
    chosen.into_iter().collect()
}

#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    async fn time(&mut self, work: impl Future<Output = Outcome<()>>) -> Outcome<Duration> {
        let started = Instant::now();
        work.await?;
        self.0.push(started.elapsed());
        Ok(started.elapsed())
    }

    fn rate(&self) -> f64 {
        (self.0.len() * BATCH) as f64 / self.0.iter().sum::<Duration>().as_secs_f64()
    }

    fn percentiles(&mut self) -> String {
        self.0.sort();
        let at = |percent: usize| self.0[(self.0.len() - 1) * percent / 100];
        format!("p50 {:?}, p99 {:?}, slowest {:?}", at(50), at(99), at(100))
    }
}

/// The table alone.
struct Raw {
    connection: SqliteConnection,
    heads: Vec<i64>,
    position: i64,
    many: String,
    one: String,
}

impl Raw {
    async fn open(path: &std::path::Path, checkpoint_pages: u32) -> Outcome<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("cache_size", "-65536")
            .pragma("wal_autocheckpoint", checkpoint_pages.to_string())
            .disable_statement_logging();
        let mut connection = options.connect().await?;
        let schema = include_str!("../src/schema/v1.sql");
        sqlx::raw_sql(schema).execute(&mut connection).await?;
        let rows = |n| vec!["(?,?,?,?,?,?,?,?,?,?,?)"; n].join(",");
        let insert = |n| format!("INSERT INTO events VALUES {}", rows(n));
        let (many, one) = (insert(RAW_ROWS), insert(1));
        Ok(Self { connection, heads: Vec::new(), position: 0, many, one })
    }

    async fn append(&mut self, entities: &[usize]) -> Outcome<()> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        for chunk in entities.chunks(RAW_ROWS) {
            let sql = if chunk.len() == RAW_ROWS { &self.many } else { &self.one };
            let mut insert = sqlx::query(AssertSqlSafe(sql.as_str()));
            for entity in chunk {
                if self.heads.len() <= *entity {
                    self.heads.resize(entity + 1, 0);
                }
                self.heads[*entity] += 1;
                self.position += 1;
                insert = insert
                    .bind(self.position)
                    .bind(*entity as i64 + 1)
                    .bind(self.heads[*entity])
                    .bind(1i64)
                    .bind(self.position)
                    .bind(1_795_000_000_123_456i64)
                    .bind("json")
                    .bind("account.deposited")
                    .bind(1i64)
                    .bind(&PAYLOAD[..])
                    .bind(&METADATA[..]);
            }
            insert.execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }
}

/// The store.
struct Stored {
    store: SqliteStore,
    incarnation: Incarnation,
    keys: Vec<EntityKey>,
    heads: Vec<SequenceNr>,
    event_nr: u64,
}

impl Stored {
    async fn open(path: &std::path::Path) -> Outcome<Self> {
        let store = SqliteStore::open(path).await?;
        let claim = WriterClaim {
            slot: "journal".into(),
            holder: "append_rate".into(),
            lease: Duration::from_secs(60),
            replaces: None,
        };
        let incarnation = store.claim(&claim).await?;
        Ok(Self { store, incarnation, keys: Vec::new(), heads: Vec::new(), event_nr: 0 })
    }

    async fn append(&mut self, entities: &[usize]) -> Outcome<()> {
        let mut appends = Vec::with_capacity(entities.len());
        for entity in entities {
            while self.keys.len() <= *entity {
                self.keys
                    .push(EntityKey::new("account", format!("account-{:08}", self.keys.len()))?);
                self.heads.push(SequenceNr::ZERO);
            }
            let event = NewEvent {
                timestamp: Timestamp::from_micros(1_795_000_000_123_456),
                payload: StoredPayload {
                    codec: "json".into(),
                    manifest: "account.deposited".into(),
                    schema_version: 1,
                    bytes: Bytes::from_static(&PAYLOAD),
                },
                metadata: Bytes::from_static(&METADATA),
            };
            let key = &self.keys[*entity];
            appends.push(EntityAppend {
                entity: key.clone(),
                partition: key.partition(self.store.layout().partitions),
                owned_as: None,
                expected: self.heads[*entity],
                first_event_nr: self.event_nr,
                events: vec![event],
            });
            self.event_nr += 1;
            self.heads[*entity] = self.heads[*entity].next();
        }
        let batch = AppendBatch { lane: Lane::default(), incarnation: self.incarnation, appends };
        let outcomes = self.store.append(&batch).await?;
        let stored = |outcome: &AppendOutcome| matches!(outcome, AppendOutcome::Appended { .. });
        assert!(outcomes.iter().all(stored), "no one else writes");
        Ok(())
    }
}
