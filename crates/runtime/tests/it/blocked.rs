//! An entity whose handler blocks until it is let go, and an engine on a tokio runtime of its own that it blocks.

use crate::rig::Rig;
use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use actum_persistence::codec::Json;
use actum_runtime::{
    EntityRef, Registration, Runtime,
    settings::{EntitySettings, RuntimeSettings},
};
use actum_testkit::FaultStore;
use parking_lot::{Condvar, Mutex};
use serde::{Deserialize, Serialize};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};
use tokio::{
    runtime::{Builder, Handle as Tokio},
    sync::oneshot,
};
use tracing::dispatcher;

/// Longer than anything takes that does not hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Blocked {
    touched: u64,
}
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Touched;
/// Is handled for as long as the latch of this number is closed, and changes something then.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Block(pub(crate) usize);
/// As `Block`, and changes nothing.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Look(pub(crate) usize);
/// Changes something at once; answered with how often that was done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Touch;
/// Changes nothing; answered as `Touch` is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Count;

actum_model::payload! {
    Json: Blocked = "blocked.state", Touched = "touched", Block = "block", Look = "look", Touch = "touch", Count = "count"
}

/// Holds handlers back, each until it is opened.
#[derive(Clone, Default)]
pub(crate) struct Latches(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    opened: Vec<usize>,
    entered: Vec<usize>,
}

impl Latches {
    pub(crate) fn open(&self, latch: usize) {
        self.0.0.lock().opened.push(latch);
        self.0.1.notify_all();
    }

    /// Waits until a handler is held by this latch.
    pub(crate) fn entered(&self, latch: usize) {
        self.wait(|state| state.entered.contains(&latch), "no handler came");
    }

    pub(crate) fn was_entered(&self, latch: usize) -> bool {
        self.0.0.lock().entered.contains(&latch)
    }

    fn pass(&self, latch: usize) {
        self.0.0.lock().entered.push(latch);
        self.0.1.notify_all();
        self.wait(|state| state.opened.contains(&latch), "the latch was never opened");
    }

    fn wait(&self, until: impl Fn(&State) -> bool, otherwise: &str) {
        let mut state = self.0.0.lock();
        // longer than a test waits for what the handler keeps from it
        let waited = self.0.1.wait_while_for(&mut state, |state| !until(state), 2 * PATIENCE);
        assert!(!waited.timed_out(), "{otherwise}");
    }
}

impl Entity for Blocked {
    const KIND: &'static str = "blocked";
    type Id = String;
    type Env = Latches;
    type Event = Touched;
    type Commands = (Block, Look, Touch, Count);

    fn initial(_: &String) -> Self {
        Self::default()
    }
}

impl EventSourced for Blocked {
    fn apply(&mut self, _: &Touched) {
        self.touched += 1;
    }
}

type Answer = Result<Effect<Blocked, u64>, Infallible>;

fn touch() -> Answer {
    Ok(Effect::persist(Touched).reply_with(|state: &Blocked| state.touched))
}

impl Handle<Block> for Blocked {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, Block(latch): Block, ctx: &Ctx<'_, Self>) -> Answer {
        ctx.env().pass(latch);
        touch()
    }
}

impl Handle<Look> for Blocked {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, Look(latch): Look, ctx: &Ctx<'_, Self>) -> Answer {
        ctx.env().pass(latch);
        Ok(Effect::none().reply(self.touched))
    }
}

impl Handle<Touch> for Blocked {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, Touch: Touch, _: &Ctx<'_, Self>) -> Answer {
        touch()
    }
}

impl Handle<Count> for Blocked {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, Count: Count, _: &Ctx<'_, Self>) -> Answer {
        Ok(Effect::none().reply(self.touched))
    }
}

/// An engine whose entities share a partition, on a tokio runtime of its own.
pub(crate) struct Stage {
    pub(crate) rig: Rig,
    pub(crate) store: FaultStore,
    pub(crate) engine: Runtime,
    pub(crate) latches: Latches,
    pub(crate) tokio: Tokio,
    runtime: Host,
}

/// What runs the engine.
enum Host {
    Threads(Option<tokio::runtime::Runtime>),
    Thread { _ends_when_dropped: oneshot::Sender<()>, _moves_when_dropped: SyncSender<()> },
}

/// Plays a scenario with an engine on one thread, whose clock stands still until [`pass`] moves it; handlers that block
/// block all of that thread, and the scenario goes on in this one.
pub(crate) fn in_still_time<F: Future<Output = ()>>(
    settings: RuntimeSettings,
    scenario: impl FnOnce(Stage) -> F,
) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let tokio = runtime.handle().clone();
    let (ends, ended) = oneshot::channel();
    let listener = dispatcher::get_default(Clone::clone);
    thread::spawn(move || {
        let _guard = dispatcher::set_default(&listener);
        let _ = runtime.block_on(ended);
        runtime.shutdown_background();
    });
    // a paused clock goes on by itself when all tasks wait, but not while such a one is at work
    let (moves, moved) = sync_channel(0);
    tokio.spawn_blocking(move || moved.recv());
    let host = Host::Thread { _ends_when_dropped: ends, _moves_when_dropped: moves };
    tokio.clone().block_on(async { scenario(Stage::on(tokio, host, settings).await).await });
}

/// Lets time pass in a scenario of [`in_still_time`].
pub(crate) async fn pass(time: Duration) {
    tokio::time::advance(time).await;
}

impl Stage {
    /// With so many threads.
    pub(crate) async fn of_threads(threads: usize) -> Self {
        Self::with(threads, RuntimeSettings::default().with_ask_timeout(2 * PATIENCE)).await
    }

    /// What is said there is heard by what listens on the thread of the caller.
    pub(crate) async fn with(threads: usize, settings: RuntimeSettings) -> Self {
        let listener = dispatcher::get_default(Clone::clone);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_time()
            .on_thread_start(move || std::mem::forget(dispatcher::set_default(&listener)))
            .build()
            .unwrap();
        Self::on(runtime.handle().clone(), Host::Threads(Some(runtime)), settings).await
    }

    async fn on(tokio: Tokio, runtime: Host, settings: RuntimeSettings) -> Self {
        let (rig, latches) = (Rig::of_one_partition(), Latches::default());
        let kinds = vec![registered(&latches)];
        let store = rig.store();
        let start = Runtime::start("stage", Some(store.clone().into()), kinds, settings);
        let engine = tokio.spawn(start).await.unwrap().unwrap();
        Self { rig, store, engine, latches, tokio, runtime }
    }

    pub(crate) fn entity(&self, id: &str) -> EntityRef<Blocked> {
        self.engine.entity(id)
    }

    /// Blocks the partition behind the latch of this number: what is sent now waits in the inbox, and comes to one turn
    /// when it is opened.
    pub(crate) fn block(&self, latch: usize) {
        self.entity("first").tell(Look(latch)).unwrap();
        self.latches.entered(latch);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        (0..8).for_each(|latch| self.latches.open(latch));
        if let Host::Threads(runtime) = &mut self.runtime
            && let Some(runtime) = runtime.take()
        {
            runtime.shutdown_background();
        }
    }
}

pub(crate) fn registered(latches: &Latches) -> Registration {
    Registration::event_sourced::<Blocked>(latches.clone(), EntitySettings::default())
}
