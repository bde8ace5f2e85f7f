//! A crowd of writers and readers, some of whom are killed.

use crate::{
    bounded::{random, run_on},
    crowd_reader::{self, Reader},
    fixture::PostgresFixture,
    foreign_session::ForeignSession,
    reader::journal,
    writer::{Writer, account},
};
use actum_model::{LaneCount, Position};
use actum_persistence::store::{AppendBatch, AppendOutcome, EventStore, JournalLayout, StoreError};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use fastrand::Rng;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::sleep};

const NODES: usize = 3;
const WRITERS: usize = 64;
const READERS: usize = 3;
const EVENTS: usize = 100_000;
/// The entities of each writer.
const ENTITIES: usize = 24;

#[test]
fn every_reader_sees_every_event_of_a_crowd_once_and_in_table_order() {
    let lanes = LaneCount::new(4).unwrap();
    let settings = PostgresSettings::default()
        .with_layout(JournalLayout { lanes, ..JournalLayout::default() })
        .with_connections_max(2);
    run_on(PostgresFixture::with(settings), async |fixture| {
        let mut rng = random();
        let mut stores = Vec::new();
        for _ in 0..NODES + READERS {
            stores.push(Arc::new(named_store(fixture).await));
        }
        let (nodes, readers) = stores.split_at(NODES);
        let stored = Arc::new(AtomicUsize::new(0));
        let mut writing = JoinSet::new();
        for nr in 0..WRITERS {
            let writer = Writer::claim_slot(Arc::clone(&nodes[nr % NODES]), &nr.to_string()).await;
            let member = Member { nr, heads: vec![0; ENTITIES], writer, rng: rng.fork() };
            writing.spawn(member.write(Arc::clone(&stored)));
        }
        let readers: Vec<_> = readers.iter().map(Reader::start).collect();
        let mut confirmed = HashMap::new();
        let mut killer = ForeignSession::beside(fixture).await;
        let mut kills = 0;
        while !writing.is_empty() {
            tokio::select! {
                biased;
                done = writing.join_next() => confirmed.extend(done.unwrap().unwrap()),
                () = sleep(Duration::from_millis(rng.u64(10..100))) => {
                    kill_one(fixture, &mut killer).await;
                    kills += 1;
                }
            }
        }
        let store = fixture.store().await;
        let table = journal(&store).await;
        println!("{} events, {kills} kills", table.len());
        assert!(table.len() >= EVENTS);
        let table = crowd_reader::seen(&table);
        for reader in readers {
            let seen = reader.end(store.heads().await.unwrap()).await;
            assert!(seen == table, "a reader has not seen what the table has, in its order");
        }
        check(&confirmed, table);
    });
}

/// A store whose connections can be distinguished from others.
async fn named_store(fixture: &PostgresFixture) -> PostgresStore {
    let settings = fixture.settings();
    let url = format!("{}?application_name={}", fixture.url(), settings.schema);
    PostgresStore::connect_with(&url, settings).await.unwrap()
}

/// Ends a connection, whatever it is at.
async fn kill_one(fixture: &PostgresFixture, killer: &mut ForeignSession) {
    let schema = fixture.settings().schema;
    let kill = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM (
            SELECT pid FROM pg_stat_activity WHERE application_name = '{schema}' ORDER BY random() LIMIT 1
        ) AS one"
    );
    killer.number(&kill).await;
}

/// What the writers were answered is what the table has.
fn check(confirmed: &HashMap<String, Position>, table: Vec<Vec<String>>) {
    let mut appends: HashMap<String, Vec<u64>> = HashMap::new();
    for lane in table {
        for (text, position) in lane.into_iter().zip(1..) {
            appends.entry(text).or_default().push(position);
        }
    }
    assert_eq!(
        appends.len(),
        confirmed.len(),
        "what is there was confirmed, and what was confirmed is there"
    );
    for (text, positions) in appends {
        assert_eq!(confirmed[&text].get(), *positions.last().unwrap(), "{text}");
        let in_one_place = positions.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        assert!(in_one_place && positions.len() == events(&text), "{text}: {positions:?}");
    }
}

/// How many events of an append carry this text.
fn events(text: &str) -> usize {
    1 + text.bytes().map(usize::from).sum::<usize>() % 4
}

/// One writer, with a slot and entities of its own.
struct Member {
    nr: usize,
    heads: Vec<u64>,
    writer: Writer,
    rng: Rng,
}

impl Member {
    /// Writes until all together have stored enough, and says where what was confirmed to it is.
    async fn write(mut self, stored: Arc<AtomicUsize>) -> HashMap<String, Position> {
        let mut confirmed = HashMap::new();
        for round in 0.. {
            if stored.load(Ordering::Relaxed) >= EVENTS {
                break;
            }
            if self.rng.u8(..8) == 0 {
                sleep(Duration::from_micros(self.rng.u64(..5_000))).await;
            }
            let (batch, entities, texts) = self.batch(round);
            let outcomes = self.append(&batch).await;
            for (((nr, is_wrong), text), outcome) in entities.iter().zip(texts).zip(outcomes) {
                match outcome {
                    Some(AppendOutcome::Appended { last }) => {
                        assert!(!is_wrong, "{text} was at the wrong place");
                        self.heads[*nr] += events(&text) as u64;
                        stored.fetch_add(events(&text), Ordering::Relaxed);
                        confirmed.insert(text, last);
                    }
                    Some(AppendOutcome::Conflict { actual }) => {
                        assert!(is_wrong, "{text} was at the right place, not {actual}");
                        assert_eq!(actual.get(), self.heads[*nr], "{text}");
                    }
                    Some(AppendOutcome::NotOwned) => panic!("{text} names no role"),
                    None => {}
                }
            }
        }
        confirmed
    }

    /// A batch for entities of one lane, some of them expected where they are not.
    fn batch(&mut self, round: usize) -> (AppendBatch, Vec<(usize, bool)>, Vec<String>) {
        let layout = self.writer.store.layout();
        let lane_of = |nr| layout.lane_of(&account(self.nr * ENTITIES + nr));
        let lane = lane_of(self.rng.usize(..ENTITIES));
        let mut entities: Vec<usize> = (0..ENTITIES).filter(|nr| lane_of(*nr) == lane).collect();
        self.rng.shuffle(&mut entities);
        let mut texts = Vec::new();
        let mut picked = Vec::new();
        let mut appends = Vec::new();
        for nr in entities {
            let text = format!("{}/{nr}/{round}", self.nr);
            let is_wrong = self.rng.u8(..40) == 0;
            let expected = self.heads[nr] + u64::from(is_wrong) * self.rng.u64(1..3);
            let events = vec![text.as_str(); events(&text)];
            appends.push(self.writer.append(&account(self.nr * ENTITIES + nr), expected, &events));
            picked.push((nr, is_wrong));
            texts.push(text);
        }
        (self.writer.batch(appends), picked, texts)
    }

    /// Appends, gives up on it now and then, and finds out its outcome.
    async fn append(&mut self, batch: &AppendBatch) -> Vec<Option<AppendOutcome>> {
        let store = &*self.writer.store;
        let patience = match self.rng.u8(..20) {
            0 => Duration::from_micros(self.rng.u64(..20_000)),
            _ => Duration::from_secs(60),
        };
        match tokio::time::timeout(patience, store.append(batch)).await {
            Ok(Ok(outcomes)) => return outcomes.into_iter().map(Some).collect(),
            Ok(Err(StoreError::Unavailable { .. })) => {
                sleep(Duration::from_millis(self.rng.u64(1..20))).await;
                return vec![None; batch.appends.len()];
            }
            Err(_) | Ok(Err(StoreError::OutcomeUnknown { .. })) => {}
            Ok(Err(error)) => panic!("{error:?}"),
        }
        loop {
            match EventStore::resolve(store, batch).await {
                Ok(outcomes) => {
                    return outcomes.iter().map(|found| found.stored().copied()).collect();
                }
                Err(StoreError::Unavailable { .. } | StoreError::OutcomeUnknown { .. }) => {
                    sleep(Duration::from_millis(self.rng.u64(1..20))).await;
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}
