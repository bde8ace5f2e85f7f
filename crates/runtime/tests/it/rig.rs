//! A journal in memory, what goes wrong in it, and engines over it.

use crate::account::{Account, AccountEvent};
use actum_model::{EntityKey, PartitionCount, SequenceNr};
use actum_persistence::store::{EntityRead, EventStore, JournalLayout, PageLimit, StoredEvent};
use actum_runtime::{
    AskError, EntityRef, Registration, Runtime, StartError,
    settings::{EntitySettings, RuntimeSettings},
};
use actum_store_memory::MemoryStore;
use actum_testkit::{Fault, FaultStore, Faults, Operation};
use std::{
    future::IntoFuture,
    ops::Deref,
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::Duration,
};
use tokio::{task::JoinHandle, time::timeout};

/// A journal that outlives its engines.
pub(crate) struct Rig {
    pub(crate) memory: MemoryStore,
    pub(crate) faults: Faults,
    _patience: Patience,
}

/// Ends the process when a test does not end: on a paused clock an engine that answers no one lets time fly for ever.
struct Patience {
    _ends_when_dropped: SyncSender<()>,
}

impl Patience {
    /// So long that a machine that is busy with other things is no reason.
    const REAL_TIME: Duration = Duration::from_secs(600);

    #[expect(clippy::disallowed_methods, reason = "nothing is left that could return")]
    fn of_this_test() -> Self {
        let (sender, receiver) = sync_channel(0);
        let test = thread::current().name().unwrap_or("a test").to_owned();
        thread::spawn(move || {
            if receiver.recv_timeout(Self::REAL_TIME) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{test} waits in vain");
                std::process::exit(101);
            }
        });
        Self { _ends_when_dropped: sender }
    }
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::over(MemoryStore::new())
    }

    /// All entities are in one partition, and so are neighbours.
    pub(crate) fn of_one_partition() -> Self {
        let partitions = PartitionCount::new(1).unwrap();
        Self::over(MemoryStore::with_layout(JournalLayout { partitions, ..Default::default() }))
    }

    pub(crate) fn over(memory: MemoryStore) -> Self {
        Self { memory, faults: Faults::new(), _patience: Patience::of_this_test() }
    }

    /// The journal, for one more engine.
    pub(crate) fn store(&self) -> FaultStore {
        FaultStore::scripted(self.memory.reopen(), &self.faults)
    }

    /// An engine that runs accounts.
    pub(crate) async fn start(&self) -> Runtime {
        self.start_accounts(EntitySettings::default()).await
    }

    pub(crate) async fn start_accounts(&self, settings: EntitySettings<Account>) -> Runtime {
        self.start_with(vec![Registration::event_sourced((), settings)], RuntimeSettings::default())
            .await
    }

    pub(crate) async fn start_set(&self, settings: RuntimeSettings) -> Runtime {
        self.start_with(vec![accounts()], settings).await
    }

    pub(crate) async fn start_with(
        &self,
        registrations: Vec<Registration>,
        settings: RuntimeSettings,
    ) -> Runtime {
        self.try_start("bank", registrations, settings).await.unwrap()
    }

    pub(crate) async fn try_start(
        &self,
        name: &str,
        registrations: Vec<Registration>,
        settings: RuntimeSettings,
    ) -> Result<Runtime, StartError> {
        Runtime::start(name, Some(self.store().into()), registrations, settings).await
    }

    /// Holds the next call of `operation`.
    pub(crate) fn hold_next(&self, operation: Operation) -> Gate {
        let gate = Gate::closed();
        self.faults.next(operation, Fault::none().held_before(&gate));
        gate
    }

    /// What the journal has of an account, whatever engines believe.
    pub(crate) async fn events(&self, id: &str) -> Vec<AccountEvent> {
        let stored = self.stored("account", id).await;
        stored.iter().map(|event| event.payload.decode().unwrap()).collect()
    }

    /// As [`Rig::events`], of any kind and as it is stored.
    pub(crate) async fn stored(&self, kind: &'static str, id: &str) -> Vec<StoredEvent> {
        self.stored_after(kind, id, 0).await
    }

    /// As [`Rig::stored`], behind event `after`.
    pub(crate) async fn stored_after(
        &self,
        kind: &'static str,
        id: &str,
        after: u64,
    ) -> Vec<StoredEvent> {
        let read = EntityRead { entity: key(kind, id), after: SequenceNr::new(after) };
        let all = u32::MAX.try_into().unwrap();
        let limit = PageLimit::default().with_events(all).with_bytes(usize::MAX);
        let mut pages = self.memory.reopen().read_entities(&[read], limit).await.unwrap();
        pages.remove(0).events
    }
}

/// Holds calls back; who waits for them in vain fails instead of hanging.
pub(crate) struct Gate(actum_testkit::Gate);

impl Gate {
    pub(crate) fn closed() -> Self {
        Self(actum_testkit::Gate::closed())
    }

    /// Waits until at least `count` calls are held at once. On a paused clock the minutes pass as soon as nothing else can
    /// happen.
    pub(crate) async fn held(&self, count: usize) {
        let held = timeout(Duration::from_mins(10), self.0.held(count)).await;
        assert!(held.is_ok(), "{} of {count} calls came to the gate", self.0.held_now());
    }
}

impl Deref for Gate {
    type Target = actum_testkit::Gate;

    fn deref(&self) -> &actum_testkit::Gate {
        &self.0
    }
}

pub(crate) fn accounts() -> Registration {
    Registration::event_sourced::<Account>((), EntitySettings::default())
}

pub(crate) fn key(kind: &'static str, id: &str) -> EntityKey {
    EntityKey::new(kind, id).unwrap()
}

pub(crate) fn account(engine: &Runtime, id: &str) -> EntityRef<Account> {
    engine.entity(id)
}

/// Lets every task do what it can do, on a paused clock: it goes on only when all of them wait.
pub(crate) async fn all_wait() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Sends a command, and waits for its answer in a task of its own.
pub(crate) fn send<R, X>(
    ask: impl IntoFuture<Output = Result<R, AskError<X>>, IntoFuture: Send + 'static>,
) -> JoinHandle<Result<R, AskError<X>>>
where
    R: Send + 'static,
    X: Send + 'static,
{
    tokio::spawn(ask.into_future())
}

/// Asserts that a value matches a pattern, and shows the value when it does not.
macro_rules! assert_is {
    ($value:expr, $pattern:pat $(if $guard:expr)?) => {
        match $value {
            $pattern $(if $guard)? => {}
            other => panic!("expected {}, got {other:?}", stringify!($pattern $(if $guard)?)),
        }
    };
}
pub(crate) use assert_is;
