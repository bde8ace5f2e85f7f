//! Many entities, or rivals for them, that write through group commit as fast as they can, and keep account of what
//! they were answered.

use crate::{
    reader::{journal, text_of},
    writer::{Writer, account, event},
};
use actum_model::{EntityKey, Partition, Position, SequenceNr};
use actum_persistence::{
    group_commit::{CommitError, CommitSink, Committed, GroupCommitSettings, LaneWriter},
    store::{EntityAppend, EntityRead, EventStore, Incarnation, PageLimit, StoreError},
};
use actum_store_postgres::PostgresStore;
use fastrand::Rng;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::oneshot, task::JoinSet};

type Outcome = Result<Committed, CommitError>;

/// What an entity was answered to one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is stored, and its last event is here.
    Stored(Position),
    NotStored,
    Unknown,
}

/// What every entity was answered to every write, by what the write's events carry.
#[derive(Debug, Default)]
pub(crate) struct Ledger(HashMap<String, Verdict>);

/// How much is written.
#[derive(Clone, Copy)]
pub(crate) struct Amount {
    pub(crate) entities: usize,
    /// How many writes each of them gets stored.
    pub(crate) writes: usize,
    /// Whether each of them has a rival on every other writer, who writes to the same entity.
    pub(crate) rivals: bool,
}

/// Entities that write.
pub(crate) struct Load {
    desks: Vec<Arc<Desk>>,
    entities: JoinSet<Ledger>,
    stored: Arc<AtomicUsize>,
}

impl Load {
    /// Starts entities; each writes through one of `writers`, always the same.
    pub(crate) fn start(writers: &[Writer], amount: Amount, rng: &mut Rng) -> Self {
        let desks: Vec<_> = writers.iter().map(Desk::open).collect();
        let (mut entities, stored) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
        for nr in 0..amount.entities {
            let (desk, stored) = (Arc::clone(&desks[nr % desks.len()]), Arc::clone(&stored));
            let key = account(if amount.rivals { nr / desks.len() } else { nr });
            let entity = Entity { nr, key, head: 0, has_rivals: amount.rivals, rng: rng.fork() };
            entities.spawn(entity.write(desk, amount.writes, stored));
        }
        Self { desks, entities, stored }
    }

    /// How many writes are stored.
    pub(crate) fn stored(&self) -> usize {
        self.stored.load(Ordering::Relaxed)
    }

    /// Waits until every entity has written what it wants.
    pub(crate) async fn end(mut self) -> Ledger {
        let mut ledger = Ledger::default();
        while let Some(entity) = self.entities.join_next().await {
            ledger.0.extend(entity.unwrap().0);
        }
        for desk in self.desks {
            let writers = std::mem::take(&mut *desk.writers.lock().unwrap());
            for writer in writers {
                writer.drain(Duration::from_secs(10)).await.unwrap();
            }
        }
        ledger
    }
}

impl Ledger {
    /// Compares what the entities were answered with what is stored.
    pub(crate) async fn check(&self, store: &PostgresStore) {
        let mut stored: HashMap<String, Vec<Position>> = HashMap::new();
        for event in journal(store).await {
            stored.entry(text_of(&event)).or_default().push(event.event.position);
        }
        let (mut refused, mut unknown) = (0, 0);
        for (text, verdict) in &self.0 {
            let found = stored.remove(text);
            match verdict {
                Verdict::Stored(last) => {
                    let found = found.unwrap_or_else(|| panic!("{text} is lost"));
                    assert_eq!(found.last(), Some(last), "{text}");
                    let events = 1 + text.len() % 3;
                    assert_eq!(found.len(), events, "{text} is there once");
                    assert_eq!(found[0].plus(events as u64 - 1), *last, "{text} is in one place");
                }
                Verdict::NotStored => {
                    refused += 1;
                    assert_eq!(found, None, "{text} was said not to be stored");
                }
                Verdict::Unknown => unknown += 1,
            }
        }
        assert!(stored.is_empty(), "no one wrote {stored:?}");
        println!("{} writes, {refused} refused, {unknown} of unknown outcome", self.0.len());
    }
}

/// The lane writers of one writer, and who waits for an answer of theirs.
struct Desk {
    store: Arc<PostgresStore>,
    writers: Mutex<Vec<LaneWriter<u64>>>,
    waiting: Arc<Waiting>,
    next: AtomicU64,
}

#[derive(Default)]
struct Waiting(Mutex<HashMap<u64, oneshot::Sender<Outcome>>>);

impl CommitSink<u64> for Waiting {
    fn committed(&self, _: Partition, results: Vec<(u64, Outcome)>) {
        let mut waiting = self.0.lock().unwrap();
        for (ticket, result) in results {
            let whom = waiting.remove(&ticket);
            whom.expect("a write is settled once").send(result).expect("entities wait");
        }
    }

    fn fenced(&self, _: Incarnation) {}
    fn lost(&self, _: &StoreError) {}
}

impl Desk {
    fn open(writer: &Writer) -> Arc<Self> {
        let settings = GroupCommitSettings::default()
            .with_resolve_attempts_max(1_000)
            .with_resolve_backoff_min(Duration::from_millis(2))
            .with_resolve_backoff_max(Duration::from_millis(50));
        let waiting = Arc::new(Waiting::default());
        let lanes = writer.store.layout().lanes.iter().map(|lane| {
            let (store, sink) = (Arc::clone(&writer.store), Arc::clone(&waiting));
            LaneWriter::<u64>::spawn(store, lane, writer.incarnation, settings.clone(), sink)
        });
        let writers = Mutex::new(lanes.collect());
        Arc::new(Self {
            store: Arc::clone(&writer.store),
            writers,
            waiting,
            next: AtomicU64::new(0),
        })
    }

    async fn store(&self, append: EntityAppend) -> Outcome {
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.waiting.0.lock().unwrap().insert(ticket, sender);
        let lane = self.store.layout().lane_of(&append.entity);
        let queue = Arc::clone(self.writers.lock().unwrap()[lane.index()].queue());
        queue.submit([(append, ticket)]);
        answer.await.expect("every write is settled")
    }
}

struct Entity {
    nr: usize,
    key: EntityKey,
    head: u64,
    has_rivals: bool,
    rng: Rng,
}

impl Entity {
    /// Writes until so many writes are stored, one after the other.
    async fn write(mut self, desk: Arc<Desk>, writes: usize, stored: Arc<AtomicUsize>) -> Ledger {
        let mut ledger = Ledger::default();
        let mut is_head_sure = true;
        let (mut attempt, mut done) = (0, 0);
        while done < writes {
            attempt += 1;
            let text = format!("<{}/{attempt}>", self.nr);
            let verdict = match desk.store(self.append(&desk, &text)).await {
                Ok(committed) => Verdict::Stored(committed.last.unwrap()),
                Err(CommitError::Conflict { actual }) => {
                    let may_be = self.has_rivals || !is_head_sure;
                    assert!(
                        may_be,
                        "{} is at {actual}, its only writer has {}",
                        self.key, self.head
                    );
                    self.head = actual.get();
                    Verdict::NotStored
                }
                Err(CommitError::Store(StoreError::Unavailable { .. })) => Verdict::NotStored,
                Err(CommitError::Store(StoreError::OutcomeUnknown { .. })) => Verdict::Unknown,
                Err(error) => panic!("{error:?}"),
            };
            let events = 1 + text.len() as u64 % 3;
            ledger.0.insert(text, verdict);
            match verdict {
                Verdict::Stored(_) => {
                    self.head += events;
                    done += 1;
                    stored.fetch_add(1, Ordering::Relaxed);
                }
                Verdict::NotStored | Verdict::Unknown => {
                    is_head_sure &= verdict == Verdict::NotStored;
                    // not all at once
                    tokio::time::sleep(Duration::from_millis(self.rng.u64(1..20))).await;
                }
            }
            if !is_head_sure {
                is_head_sure = self.look(&desk).await;
            }
        }
        ledger
    }

    fn append(&self, desk: &Desk, text: &str) -> EntityAppend {
        EntityAppend {
            entity: self.key.clone(),
            partition: self.key.partition(desk.store.layout().partitions),
            owned_as: None,
            expected: SequenceNr::new(self.head),
            first_event_nr: 0, // given by the lane's writer
            events: vec![event(text); 1 + text.len() % 3],
        }
    }

    /// Reads where it is.
    async fn look(&mut self, desk: &Desk) -> bool {
        let read = EntityRead { entity: self.key.clone(), after: SequenceNr::ZERO };
        let pages = desk.store.read_entities(&[read], PageLimit::default()).await;
        pages.map(|pages| self.head = pages[0].head.get()).is_ok()
    }
}
