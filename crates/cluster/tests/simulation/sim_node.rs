use crate::{
    entity::{Add, Look, Tagged, Tags},
    happened::{Happened, Outcome},
    lasting_members::LastingMembers,
    plan::Flaw,
    watched_members::WatchedMembers,
};
use actum_cluster::{Cluster, Node, NodeStart, transport::MemoryNetwork};
use actum_persistence::{
    settings_check::SettingsCheck,
    store::{Incarnation, Stores},
};
use actum_runtime::{
    AskError, Registration, Runtime, StartError,
    settings::{EntitySettings, OpenAtStart, RuntimeSettings},
};
use actum_testkit::{FaultStore, Faults};
use parking_lot::Mutex;
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    runtime,
    time::{Instant, advance, sleep_until},
};

/// A node as a process: a real engine and a real node, in a runtime of its own with a clock of its own.
pub(crate) struct SimNode {
    pub(crate) name: String,
    pub(crate) faults: Faults,
    runtime: runtime::Runtime,
    stage: Arc<Mutex<NodeStage>>,
    base: Instant,
    /// How much of its time has passed, in microseconds, and how much of that it has slept through.
    passed: u64,
    jumped: Arc<AtomicU64>,
    /// How its clock runs, in millionths.
    pub(crate) rate: u64,
    /// It does nothing, as a process that is stopped, while its clock goes on.
    pub(crate) is_stopped: bool,
    happened: Arc<Happened>,
}

enum NodeStage {
    Starting,
    Serving(Serving),
    Leaving(Serving),
    Ended,
}

#[derive(Clone)]
struct Serving {
    engine: Runtime,
    node: Node,
}

/// What a node is started over.
pub(crate) struct Ground<'a> {
    pub(crate) network: &'a MemoryNetwork,
    pub(crate) members: WatchedMembers,
    pub(crate) faults: Faults,
    pub(crate) happened: Arc<Happened>,
    pub(crate) flaw: Flaw,
    pub(crate) rate: u64,
}

/// How much later than its deadline an answer may be, beside what its process has slept through.
const LATE_MAX: Duration = Duration::from_millis(250);

impl SimNode {
    pub(crate) fn start(name: &str, ground: Ground<'_>) -> Self {
        let Ground { network, members, faults, happened, flaw, rate } = ground;
        let mut runtime = runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
        let mut stores: Stores = members.memory.reopen().into();
        stores.members = Some(Arc::new(members));
        let mut stores: Stores = FaultStore::scripted(stores, &faults).into();
        if flaw == Flaw::LeaseForgotten {
            stores.members =
                stores.members.map(|members| Arc::new(LastingMembers::new(members)) as _);
        }
        let stage = Arc::new(Mutex::new(NodeStage::Starting));
        let (cluster, started) = (Cluster::in_memory(network).node(name), Arc::clone(&stage));
        runtime.spawn(async move {
            *started.lock() = match start(cluster, stores).await {
                Ok(serving) => NodeStage::Serving(serving),
                Err(_) => NodeStage::Ended,
            };
        });
        let (name, base) = (name.to_owned(), runtime.block_on(async { Instant::now() }));
        let (passed, jumped, is_stopped) = (0, Arc::default(), false);
        Self { name, faults, runtime, stage, base, passed, jumped, rate, is_stopped, happened }
    }

    /// Lets this much time pass; a process that is stopped sleeps through it.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.passed += time.as_micros() as u64 * self.rate / 1_000_000;
        if self.is_stopped {
            return;
        }
        let until = self.base + Duration::from_micros(self.passed);
        self.runtime.block_on(async move { sleep_until(until).await });
    }

    /// Goes on after a stop: all the time that has passed is over at once.
    pub(crate) fn go_on(&mut self) {
        if std::mem::take(&mut self.is_stopped) {
            let until = self.base + Duration::from_micros(self.passed);
            let jumped = Arc::clone(&self.jumped);
            self.runtime.block_on(async move {
                let slept = until.saturating_duration_since(Instant::now());
                jumped.fetch_add(slept.as_micros() as u64, Ordering::Relaxed);
                advance(slept).await;
            });
        }
    }

    pub(crate) fn node(&self) -> Option<Node> {
        match &*self.stage.lock() {
            NodeStage::Serving(serving) | NodeStage::Leaving(serving) => Some(serving.node.clone()),
            NodeStage::Starting | NodeStage::Ended => None,
        }
    }

    pub(crate) fn incarnation(&self) -> Option<Incarnation> {
        self.node().map(|node| node.view().me)
    }

    pub(crate) fn serves(&self) -> bool {
        matches!(&*self.stage.lock(), NodeStage::Serving(_)) && !self.is_stopped
    }

    /// What this node sees, for those who look for what is wrong.
    pub(crate) fn describe(&self) -> String {
        let name = &self.name;
        self.node().map_or(format!("{name}: none"), |node| format!("{name}: {:?}", node.view()))
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(&*self.stage.lock(), NodeStage::Ended)
    }

    /// Sends a command to an entity from here; what it leads to is in what has happened.
    pub(crate) fn send(&self, entity: usize, tag: Option<u64>, has_id: bool, timeout: Duration) {
        let NodeStage::Serving(Serving { engine, .. }) = &*self.stage.lock() else { return };
        let entity_ref = engine.entity::<Tagged>(format!("e{entity}"));
        let attempt = self.happened.begin(entity, &self.name, tag);
        let (happened, jumped) = (Arc::clone(&self.happened), Arc::clone(&self.jumped));
        self.runtime.spawn(async move {
            let (begun, slept) = (Instant::now(), jumped.load(Ordering::Relaxed));
            let answer = match tag {
                Some(tag) if has_id => {
                    entity_ref.ask(Add(tag)).command_id(format!("c{tag}")).timeout(timeout).await
                }
                Some(tag) => entity_ref.ask(Add(tag)).timeout(timeout).await,
                None => entity_ref.ask(Look).timeout(timeout).await,
            };
            let slept = Duration::from_micros(jumped.load(Ordering::Relaxed) - slept);
            if begun.elapsed() > timeout + slept + LATE_MAX {
                let took = begun.elapsed();
                happened.wrong(format!("e{entity} {tag:?}: {took:?} instead of {timeout:?}"));
            }
            happened.end(attempt, outcome(answer));
        });
    }

    /// Leaves the cluster, as an engine that is shut down.
    pub(crate) fn leave(&self) {
        let mut stage = self.stage.lock();
        let NodeStage::Serving(serving) = &*stage else { return };
        let serving = serving.clone();
        *stage = NodeStage::Leaving(serving.clone());
        drop(stage);
        let stage = Arc::clone(&self.stage);
        self.runtime.spawn(async move {
            let deadline = Instant::now() + Duration::from_secs(10);
            serving.node.leave(deadline).await;
            let _report = serving.engine.shutdown_by(deadline).await;
            serving.node.end().await;
            *stage.lock() = NodeStage::Ended;
        });
    }

    /// Ends as a process that is killed: nothing more of it runs.
    pub(crate) fn kill(self, network: &MemoryNetwork) {
        if let Some(incarnation) = self.incarnation() {
            network.kill(incarnation);
        }
        let Self { runtime, stage, .. } = self;
        {
            let _inside = runtime.enter();
            *stage.lock() = NodeStage::Ended;
        }
        runtime.shutdown_background();
    }
}

fn outcome(answer: Result<Tags, AskError<Infallible>>) -> Outcome {
    match answer {
        Ok(tags) => Outcome::Answered(tags),
        Err(error) if error.maybe_applied() => Outcome::MaybeApplied(error.to_string()),
        Err(error) => Outcome::NotApplied(error.to_string()),
    }
}

async fn start(cluster: Cluster, stores: Stores) -> Result<Serving, StartError> {
    let kinds = vec![Registration::event_sourced::<Tagged>((), EntitySettings::default())];
    let names = kinds.iter().map(|kind| kind.kind().to_owned()).collect();
    let start = NodeStart::new(cluster, "simulated", names, stores.events.layout());
    let mut check = SettingsCheck::new();
    start.check(Some(&stores), &mut check);
    let settings = RuntimeSettings::default()
        .with_open_at_start(OpenAtStart::Only(Vec::new()))
        .with_elsewhere(start.elsewhere());
    let (problems, join) = (check.into_problems(), Some(start.join()));
    let engine =
        Runtime::start_unless(problems, "simulated", Some(stores), kinds, settings, join).await?;
    let node = start.start(&engine);
    Ok(Serving { engine, node })
}
