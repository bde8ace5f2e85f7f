//! Many submitters at once, over a store that checks what it is sent.

use super::writes::{append, appended};
use actum_model::{EntityKey, Lane, Offset, Partition, Position, SequenceNr};
use actum_persistence::{
    Weight,
    group_commit::{
        CommitError, CommitSink, Committed, GroupCommitSettings, LaneQueue, LaneWriter,
    },
    store::{
        AppendBatch, AppendOutcome, EntityAppend, EntityPage, EntityRead, EntitySearch,
        EventDeletion, EventFilter, EventStore, Incarnation, JournalLayout, LanePage, ListedEntity,
        Listing, PageLimit, Resolution, StoreError,
    },
};
use async_trait::async_trait;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{sync::mpsc, task::yield_now, time::timeout};

const SUBMITTERS: u16 = 4;
const ENTITIES: u32 = 50;
const ROUNDS: u64 = 200;
const PATIENCE: Duration = Duration::from_secs(60);

/// Stores at once or, if it is patient, after others had their turn.
#[derive(Default)]
struct CheckingStore {
    patient: bool,
    busy: AtomicBool,
    heads: Mutex<HashMap<EntityKey, u64>>,
    batches: AtomicU64,
}

impl CheckingStore {
    fn store(&self, append: &EntityAppend) -> AppendOutcome {
        let mut heads = self.heads.lock().unwrap();
        let head = heads.entry(append.entity.clone()).or_default();
        assert_eq!(*head, append.expected.get(), "a write of {} overtook another", append.entity);
        *head += append.events.len() as u64;
        appended(*head)
    }
}

#[async_trait]
impl EventStore for CheckingStore {
    fn layout(&self) -> JournalLayout {
        JournalLayout::default()
    }

    async fn append(&self, batch: &AppendBatch) -> Result<Vec<AppendOutcome>, StoreError> {
        assert!(!self.busy.swap(true, SeqCst), "two batches in flight");
        assert!(batch.events() <= 100, "{} events in a batch", batch.events());
        if self.patient {
            yield_now().await;
        }
        let outcomes = batch.appends.iter().map(|append| self.store(append)).collect();
        self.batches.fetch_add(1, SeqCst);
        self.busy.store(false, SeqCst);
        Ok(outcomes)
    }

    async fn resolve(&self, _: &AppendBatch) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
        unreachable!("no outcome is unknown")
    }

    async fn read_entities(
        &self,
        _: &[EntityRead],
        _: PageLimit,
    ) -> Result<Vec<EntityPage>, StoreError> {
        unreachable!("a writer does not read")
    }

    async fn read_lane(
        &self,
        _: Lane,
        _: Position,
        _: &EventFilter,
        _: PageLimit,
    ) -> Result<LanePage, StoreError> {
        unreachable!("a writer does not read")
    }

    async fn read_backward(
        &self,
        _: &EntityKey,
        _: SequenceNr,
        _: PageLimit,
    ) -> Result<EntityPage, StoreError> {
        unreachable!("a writer does not read")
    }

    async fn list_entities(&self, _: &EntitySearch) -> Result<Listing<ListedEntity>, StoreError> {
        unreachable!("a writer does not read")
    }

    async fn kinds(&self) -> Result<Vec<String>, StoreError> {
        unreachable!("a writer does not read")
    }

    async fn heads(&self) -> Result<Offset, StoreError> {
        unreachable!("a writer does not read")
    }

    async fn has_events_of(&self, _: &str) -> Result<bool, StoreError> {
        unreachable!("a writer does not read")
    }

    async fn prune_events(&self, _: Incarnation, _: &[EventDeletion]) -> Result<(), StoreError> {
        unreachable!("a writer does not delete")
    }
}

type Results = Vec<(u32, Result<Committed, CommitError>)>;

/// Passes results on to the submitter of their partition.
struct Router(Vec<mpsc::Sender<Results>>);

impl CommitSink<u32> for Router {
    fn committed(&self, partition: Partition, results: Results) {
        self.0[partition.index()].try_send(results).expect("a submitter takes what it submitted");
    }

    fn fenced(&self, _: Incarnation) {
        unreachable!("no one is revoked")
    }
    fn lost(&self, _: &StoreError) {}
}

fn write(submitter: u16, entity: u32, done: u64) -> EntityAppend {
    EntityAppend {
        partition: Partition::new(submitter),
        owned_as: None,
        expected: SequenceNr::new(done),
        ..append(u32::from(submitter) * ENTITIES + entity)
    }
}

/// Writes each of its entities again as soon as its last write is committed, `ROUNDS` times.
async fn submit_in_a_loop(
    submitter: u16,
    queue: Arc<LaneQueue<EntityAppend, u32>>,
    mut results: mpsc::Receiver<Results>,
) {
    let mut done = vec![0; ENTITIES as usize];
    queue.submit((0..ENTITIES).map(|entity| (write(submitter, entity, 0), entity)));
    while done.iter().any(|done| *done < ROUNDS) {
        let mut next = Vec::new();
        for (entity, result) in results.recv().await.unwrap() {
            let done = &mut done[entity as usize];
            *done += 1;
            assert_eq!(result.unwrap().last, Some(Position::new(*done)));
            if *done < ROUNDS {
                next.push((write(submitter, entity, *done), entity));
            }
        }
        queue.submit(next);
    }
    assert!(results.try_recv().is_err(), "a write was settled twice");
}

async fn run(patient: bool) -> Arc<CheckingStore> {
    let store = Arc::new(CheckingStore { patient, ..CheckingStore::default() });
    let (senders, receivers): (Vec<_>, Vec<_>) =
        (0..SUBMITTERS).map(|_| mpsc::channel(ENTITIES as usize)).unzip();
    let settings = GroupCommitSettings::default().with_batch_events_max(100);
    let sink = Arc::new(Router(senders));
    let (lane, incarnation) = (Lane::new(0), Incarnation::new(1));
    let writer = LaneWriter::spawn(Arc::clone(&store) as _, lane, incarnation, settings, sink);
    let submitters = (0..SUBMITTERS).zip(receivers).map(|(submitter, results)| {
        tokio::spawn(submit_in_a_loop(submitter, Arc::clone(writer.queue()), results))
    });
    for submitter in submitters.collect::<Vec<_>>() {
        timeout(PATIENCE, submitter).await.expect("every write is settled").unwrap();
    }
    assert_eq!(writer.queue().pending(), Weight::ZERO);
    writer.drain(PATIENCE).await.unwrap();
    store
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_write_is_lost_or_doubled_or_overtaken_under_concurrency() {
    for patient in [false, true] {
        run(patient).await;
    }
}

#[tokio::test]
async fn writes_of_many_submitters_share_their_transactions() {
    let store = run(true).await;
    let (batches, writes) =
        (store.batches.load(SeqCst), u64::from(SUBMITTERS) * u64::from(ENTITIES) * ROUNDS);
    assert!(batches <= writes / 40, "{batches} batches for {writes} writes");
}

#[tokio::test]
async fn a_store_that_answers_at_once_leaves_others_their_turn() {
    /// Submits the next write from inside the result of the last one, for ever.
    #[derive(Default)]
    struct Echo {
        queue: OnceLock<Arc<LaneQueue<EntityAppend, u32>>>,
        enough: AtomicBool,
    }
    impl CommitSink<u32> for Echo {
        fn committed(&self, _: Partition, results: Results) {
            if self.enough.load(SeqCst) {
                return;
            }
            let queue = self.queue.get().expect("the queue is set before anything is submitted");
            let again =
                results.into_iter().map(|(done, _)| (write(0, 0, u64::from(done)), done + 1));
            queue.submit(again);
        }
        fn fenced(&self, _: Incarnation) {}
        fn lost(&self, _: &StoreError) {}
    }
    let (store, sink) = (Arc::new(CheckingStore::default()), Arc::new(Echo::default()));
    let settings = GroupCommitSettings::default();
    let (lane, incarnation) = (Lane::new(0), Incarnation::new(1));
    let writer = LaneWriter::spawn(
        Arc::clone(&store) as _,
        lane,
        incarnation,
        settings,
        Arc::clone(&sink) as _,
    );
    sink.queue.get_or_init(|| Arc::clone(writer.queue())).submit([(write(0, 0, 0), 1)]);
    // on a single thread this test goes on only if the writer lets it
    for _ in 0..10 {
        yield_now().await;
    }
    sink.enough.store(true, SeqCst);
    writer.drain(PATIENCE).await.unwrap();
    assert!(store.batches.load(SeqCst) > 1);
}
