use super::{
    Join, RunningEngine, Runtime, StartError,
    claim::claim,
    engine_parts::{EngineParts, Hosts, WritesAs},
    engine_tasks::EngineTasks,
    model_check,
    shutdown::{Ending, grace_until, release},
};
use crate::{
    background_tasks::{BackgroundTasks, keep_running},
    gate::EndGuard,
    journal::StoreAccess,
    journal_check::JournalCheck,
    partition::{EntityCap, PartitionFactory, Surroundings},
    registration::Registration,
    settings::{OpenAtStart, RuntimeSettings},
    state_model::StateModel,
    supervisor::{Supervisor, SupervisorArguments},
    watchdog::Watchdog,
    writer_lease,
};
use actum_host::cell::Ticket;
use actum_model::{Offset, Partition};
use actum_persistence::{
    commits::Commits,
    group_commit::{CommitSink, LaneWriter, StateWriter},
    panics::log_safely,
    settings_check::SettingsCheck,
    store::Stores,
};
use ractor::Actor;
use std::{collections::HashMap, sync::Arc};
use tokio::{
    sync::oneshot,
    task::{JoinError, JoinHandle},
    time::Instant,
};
use tracing::Instrument;

pub(super) async fn start(
    problems: Vec<String>,
    name: String,
    stores: Option<Stores>,
    registrations: Vec<Registration>,
    settings: RuntimeSettings,
    join: Option<Join>,
) -> Result<Runtime, StartError> {
    let stores = check(problems, &name, stores, &registrations, &settings)?;
    let (mut caller, started) = oneshot::channel();
    // in a task of its own: a caller who goes away leaves neither a slot taken nor a task behind
    let starting = tokio::spawn(
        async move {
            let is_member = join.is_some();
            let joined = match join {
                Some(join) => join(stores.clone()).await,
                None => claim(&name, &stores, &settings, caller.closed()).await.map_err(Into::into),
            };
            let result = match joined {
                Ok(joined) => {
                    let writes_as = WritesAs { joined, is_member };
                    start_over(name, stores, registrations, settings, writes_as).await
                }
                Err(error) => Err(error),
            };
            if let Err(Ok(unwanted)) = caller.send(result) {
                discard(unwanted).await;
            }
        }
        .in_current_span(),
    );
    match started.await {
        Ok(result) => result,
        Err(_) => match starting.await.map_err(JoinError::try_into_panic) {
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            _ => Err(StartError::Partitions { what: "the tokio runtime has ended".to_owned() }),
        },
    }
}

/// Ends a runtime that no caller has seen.
async fn discard(runtime: Runtime) {
    let parts = Arc::clone(&runtime.inner.parts);
    drop(runtime);
    release(&parts.stores, parts.incarnation.get(), grace_until(Instant::now())).await;
}

async fn start_over(
    name: String,
    stores: Stores,
    registrations: Vec<Registration>,
    settings: RuntimeSettings,
    writes_as: WritesAs,
) -> Result<Runtime, StartError> {
    let incarnation = writes_as.joined.incarnation;
    log_safely(|| tracing::info!(engine = name, %incarnation, "writer slot taken"));
    let models: Vec<_> = registrations.iter().map(|kind| (kind.kind, kind.model)).collect();
    let ends = match read_before(&stores, &models).await {
        Ok(ends) => ends,
        Err(error) => {
            release(&stores, incarnation, grace_until(Instant::now())).await;
            return Err(error);
        }
    };
    let (parts, kinds, hosts) = EngineParts::new(registrations, stores, settings, writes_as);
    let parts = Arc::new(parts);
    let tasks = match spawn(&parts, hosts, &ends).await {
        Ok(tasks) => tasks,
        Err(error) => {
            release(&parts.stores, incarnation, grace_until(Instant::now())).await;
            return Err(error);
        }
    };
    log_safely(|| tracing::info!(engine = name, %incarnation, "engine started"));
    let (commits, readers) = (tasks.commits.clone(), tasks.readers.clone());
    let supervisor = tasks.supervisor.clone();
    let ending = tokio::sync::Mutex::new(Ending::of(tasks));
    let inner = RunningEngine { name, kinds, parts, supervisor, commits, readers, ending };
    Ok(Runtime { inner: Arc::new(inner) })
}

/// Checks the kinds, and returns where the journal ends before this engine writes.
async fn read_before(
    stores: &Stores,
    models: &[(&'static str, StateModel)],
) -> Result<JournalEnds, StartError> {
    model_check::check(stores, models).await?;
    let (events, changes) = (stores.events.heads().await?, stores.states.change_heads().await?);
    Ok(JournalEnds { events, changes })
}

/// Where the lanes of a journal end.
struct JournalEnds {
    events: Offset,
    changes: Offset,
}

/// Of an engine's name, in bytes: with the process it is what a store keeps of the holder of a slot.
const NAME_BYTES_MAX: usize = 255;

/// Lists everything that is wrong at once.
fn check(
    beside: Vec<String>,
    name: &str,
    stores: Option<Stores>,
    registrations: &[Registration],
    settings: &RuntimeSettings,
) -> Result<Stores, StartError> {
    let mut check = SettingsCheck::new();
    check.bytes("name", name.len(), 1..=NAME_BYTES_MAX);
    check.extend(settings.problems());
    let mut problems = check.into_problems();
    problems.extend(beside);
    if stores.is_none() {
        problems.push("no store was given: call `.store(..)`".to_owned());
    }
    match (registrations.len(), settings.streams_only) {
        (0, false) => problems.push(
            "no entity was registered: call `.entity(..)` or `.durable_state(..)`, or `.streams_only()` if none is wanted"
                .to_owned(),
        ),
        (1.., true) => problems.push(
            "`streams_only` is set, and entities were registered: it can be one of the two".to_owned(),
        ),
        _ => {}
    }
    let mut kinds: HashMap<&str, &'static str> = HashMap::new();
    for registration in registrations {
        problems.extend(registration.problems());
        let (kind, this) = (registration.kind, registration.type_name);
        if let Some(other) = kinds.insert(kind, this) {
            problems.push(format!("two entities have the kind `{kind}`: `{other}` and `{this}`"));
        }
    }
    if registrations.len() > usize::from(u16::MAX) {
        problems.push(format!("{} kinds of entities are too many", registrations.len()));
    }
    if let (Some(stores), OpenAtStart::Only(partitions)) = (&stores, &settings.open_at_start) {
        let count = stores.events.layout().partitions.get();
        let unknown = partitions.iter().filter(|partition| partition.nr() >= count);
        problems.extend(unknown.map(|partition| {
            format!(
                "open_at_start names partition {partition}, and the journal has {count}, from 0"
            )
        }));
    }
    match stores {
        Some(stores) if problems.is_empty() => Ok(stores),
        _ => Err(StartError::Invalid { problems }),
    }
}

async fn spawn(
    parts: &Arc<EngineParts>,
    hosts: Hosts,
    ends: &JournalEnds,
) -> Result<EngineTasks, StartError> {
    let (lanes, states) = spawn_writers(parts);
    let announced = lanes.iter().map(|lane| Arc::clone(lane.commits())).collect();
    let commits = Commits::new(announced, Arc::clone(states.commits()));
    commits.lanes().iter().for_each(|lane| lane.begin_behind(ends.events.position(lane.lane())));
    commits.states().begin_behind(&ends.changes);
    let queues = lanes.iter().map(|lane| Arc::clone(lane.queue())).collect();
    let (reader, saver) = (Arc::clone(&parts.reader), Arc::clone(&parts.saver));
    let surroundings = Arc::new(Surroundings {
        journal: StoreAccess::new(queues, Arc::clone(states.queue()), reader, saver),
        observer: parts.settings.observer.clone(),
        load: Arc::clone(&parts.load),
        cap: EntityCap::new(Arc::clone(&parts.load), Arc::clone(&parts.partitions)),
        clock: parts.clock,
    });
    parts.streams.appends.connect(&surroundings);
    let arguments = SupervisorArguments {
        partitions: Arc::clone(&parts.partitions),
        factory: Arc::new(PartitionFactory { surroundings, hosts }),
        gate: Arc::clone(&parts.gate),
        open: open_at_start(parts),
        term: Arc::clone(&parts.term),
    };
    let supervisor = Supervisor::spawn(None, Supervisor, arguments).await;
    let (supervisor, supervising) =
        supervisor.map_err(|error| StartError::Partitions { what: error.to_string() })?;
    let watch = watchdog(parts).spawn().map_err(|error| {
        let what = format!("the system has no thread for their watchdog: {error}");
        StartError::Partitions { what }
    })?;
    // last: tasks would outlive a start that fails
    let check = JournalCheck::new(&parts.stores, commits.clone(), Arc::clone(&parts.gate));
    let mut background = background_tasks(parts, &Arc::new(check));
    background.require("the supervisor of its partitions", supervising);
    Ok(EngineTasks {
        parts: Arc::clone(parts),
        supervisor,
        lanes,
        states: Some(states),
        commits,
        saving: Some(spawn_saver(parts)),
        background: Some(background),
        watch: Some(watch),
        readers: parts.readers.clone(),
    })
}

fn open_at_start(parts: &EngineParts) -> Vec<Partition> {
    match &parts.settings.open_at_start {
        OpenAtStart::All => parts.partitions.count().iter().collect(),
        OpenAtStart::Only(partitions) => {
            let mut partitions = partitions.clone();
            partitions.sort_unstable();
            partitions.dedup();
            partitions
        }
    }
}

fn spawn_writers(parts: &EngineParts) -> (Vec<LaneWriter<Ticket>>, StateWriter<Ticket>) {
    let EngineParts { stores, incarnation, settings, .. } = parts;
    let sink = || Arc::clone(&parts.gate) as Arc<dyn CommitSink<Ticket>>;
    let group_commit = || settings.group_commit.clone();
    let lanes = stores.events.layout().lanes.iter().map(|lane| {
        let events = Arc::clone(&stores.events);
        LaneWriter::spawn(events, lane, incarnation.clone(), group_commit(), sink())
    });
    let states = Arc::clone(&stores.states);
    let states = StateWriter::spawn(states, incarnation.clone(), group_commit(), sink());
    (lanes.collect(), states)
}

fn spawn_saver(parts: &Arc<EngineParts>) -> JoinHandle<()> {
    let parts = Arc::clone(parts);
    let save = move || {
        let parts = Arc::clone(&parts);
        async move { parts.saver.run(&parts.stores, &parts.incarnation, &parts.readers).await }
    };
    tokio::spawn(keep_running("saver", save))
}

fn watchdog(parts: &EngineParts) -> Watchdog {
    let (partitions, load) = (Arc::clone(&parts.partitions), Arc::clone(&parts.load));
    Watchdog::new(partitions, load, parts.clock, parts.settings.slow_handler_after)
}

fn background_tasks(parts: &Arc<EngineParts>, check: &Arc<JournalCheck>) -> BackgroundTasks {
    let mut tasks = BackgroundTasks::new(Arc::clone(&parts.gate));
    for _ in 0..parts.settings.readers {
        let parts = Arc::clone(parts);
        tasks.keep("reader", move || {
            let parts = Arc::clone(&parts);
            async move { parts.reader.run(&parts.stores, &*parts.partitions, parts.settings.page).await }
        });
    }
    let alarm = Arc::clone(parts);
    tasks.keep("alarm", move || {
        let parts = Arc::clone(&alarm);
        async move { parts.alarm.run(parts.scheduled(), parts.clock).await }
    });
    let guard = EndGuard(Arc::clone(&parts.gate), Arc::clone(&parts.load));
    tasks.keep("end", move || {
        let _held = &guard;
        std::future::pending()
    });
    if parts.is_member {
        return tasks; // it has no lease of its own
    }
    let (lease, check) = (Arc::clone(parts), Arc::clone(check));
    tasks.keep("writer lease", move || {
        let (gate, term) = (Arc::clone(&lease.gate), Arc::clone(&lease.term));
        // a former run may have suspended it; without a term that lasts nothing is served in any case
        gate.reopen();
        let (writers, lasts) = (Arc::clone(&lease.stores.writers), lease.settings.writer_lease);
        let valid_until = Instant::now() + term.left();
        let check = Arc::clone(&check);
        writer_lease::keep(writers, lease.incarnation.get(), lasts, valid_until, gate, term, check)
    });
    tasks
}
