use actum_model::{EntityKey, Lane, Offset, Position, SequenceNr};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, ChangeFilter, ChangePage, CommandRead, DurableStateStore,
    EntityPage, EntityRead, EntitySearch, EventDeletion, EventFilter, EventStore, Incarnation,
    JournalLayout, LanePage, ListedEntity, ListedState, Listing, PageLimit, Resolution, StateBatch,
    StateOutcome, StateRecord, StoreError, StoredCommand,
};
use async_trait::async_trait;
use std::{
    any::Any,
    collections::VecDeque,
    panic::resume_unwind,
    sync::{Arc, Mutex},
};
use tokio::sync::{mpsc, oneshot};

/// A store that hands every call to the test, and answers what the test says, when it says so.
pub(super) struct GateStore<B, O> {
    calls: mpsc::Sender<Call<B, O>>,
    /// Answers to the next writes, which are given at once and do not reach the test.
    ready: Mutex<VecDeque<Answer<Vec<O>>>>,
}

/// A call that waits for its answer.
#[derive(Debug)]
pub(super) enum Call<B, O> {
    Write(B, oneshot::Sender<Answer<Vec<O>>>),
    Resolve(B, oneshot::Sender<Answer<Vec<Resolution<O>>>>),
}

#[derive(Debug)]
pub(super) enum Answer<R> {
    Say(Result<R, StoreError>),
    Panic,
    PanicWith(Box<dyn Any + Send>),
}

pub(super) type Journal = GateStore<AppendBatch, AppendOutcome>;
pub(super) type States = GateStore<StateBatch, StateOutcome>;
pub(super) type Calls<B, O> = mpsc::Receiver<Call<B, O>>;

impl<B: Clone, O> GateStore<B, O> {
    pub(super) fn new() -> (Arc<Self>, Calls<B, O>) {
        let (calls, receiver) = mpsc::channel(1);
        (Arc::new(Self { calls, ready: Mutex::default() }), receiver)
    }

    /// Gives this answer to the next write at once.
    pub(super) fn answer_at_once(&self, answer: Answer<Vec<O>>) {
        self.ready.lock().unwrap().push_back(answer);
    }

    async fn ask_write(
        &self,
        call: impl FnOnce(oneshot::Sender<Answer<Vec<O>>>) -> Call<B, O>,
    ) -> Result<Vec<O>, StoreError> {
        let ready = self.ready.lock().unwrap().pop_front();
        match ready {
            Some(answer) => answer.give(),
            None => self.ask(call).await,
        }
    }

    async fn ask<R>(
        &self,
        call: impl FnOnce(oneshot::Sender<Answer<R>>) -> Call<B, O>,
    ) -> Result<R, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.calls.send(call(answer)).await.map_err(drop).expect("the test takes the call");
        answered.await.expect("the test answers the call").give()
    }
}

impl<R> Answer<R> {
    fn give(self) -> Result<R, StoreError> {
        match self {
            Self::Say(result) => result,
            Self::Panic => panic!("the gate fell down"),
            Self::PanicWith(said) => resume_unwind(said),
        }
    }
}

impl<B: std::fmt::Debug, O: std::fmt::Debug> Call<B, O> {
    pub(super) fn write(self) -> (B, oneshot::Sender<Answer<Vec<O>>>) {
        match self {
            Self::Write(batch, answer) => (batch, answer),
            Self::Resolve(..) => panic!("expected a write, got {self:?}"),
        }
    }

    pub(super) fn resolve(self) -> (B, oneshot::Sender<Answer<Vec<Resolution<O>>>>) {
        match self {
            Self::Resolve(batch, answer) => (batch, answer),
            Self::Write(..) => panic!("expected a resolve, got {self:?}"),
        }
    }
}

#[async_trait]
impl EventStore for Journal {
    fn layout(&self) -> JournalLayout {
        JournalLayout::default()
    }

    async fn append(&self, batch: &AppendBatch) -> Result<Vec<AppendOutcome>, StoreError> {
        self.ask_write(|answer| Call::Write(batch.clone(), answer)).await
    }

    async fn resolve(
        &self,
        batch: &AppendBatch,
    ) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
        self.ask(|answer| Call::Resolve(batch.clone(), answer)).await
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

#[async_trait]
impl DurableStateStore for States {
    async fn write(&self, batch: &StateBatch) -> Result<Vec<StateOutcome>, StoreError> {
        self.ask_write(|answer| Call::Write(batch.clone(), answer)).await
    }

    async fn resolve(
        &self,
        batch: &StateBatch,
    ) -> Result<Vec<Resolution<StateOutcome>>, StoreError> {
        self.ask(|answer| Call::Resolve(batch.clone(), answer)).await
    }

    async fn load(&self, _: &[EntityKey]) -> Result<Vec<Option<StateRecord>>, StoreError> {
        unreachable!("a writer does not read")
    }

    async fn list_states(&self, _: &EntitySearch) -> Result<Listing<ListedState>, StoreError> {
        unreachable!("a writer does not read")
    }

    async fn has_states_of(&self, _: &str) -> Result<bool, StoreError> {
        unreachable!("a writer does not read")
    }

    async fn command_records(
        &self,
        _: &[CommandRead],
    ) -> Result<Vec<Option<bytes::Bytes>>, StoreError> {
        unreachable!("a writer does not read")
    }

    async fn commands_before(
        &self,
        _: &[CommandRead],
    ) -> Result<Vec<Vec<StoredCommand>>, StoreError> {
        unreachable!("a writer does not read")
    }

    async fn read_changes(
        &self,
        _: Lane,
        _: Position,
        _: &ChangeFilter,
        _: PageLimit,
    ) -> Result<ChangePage, StoreError> {
        unreachable!("a writer does not read")
    }

    async fn change_heads(&self) -> Result<Offset, StoreError> {
        unreachable!("a writer does not read")
    }
}
