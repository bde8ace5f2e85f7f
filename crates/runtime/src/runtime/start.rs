use super::{
    Inner, JournalReaders, Runtime, StartError,
    claim::{Claimed, claim},
    crew::Crew,
    shutdown::{Ending, last_words, release},
    stored_models,
};
use crate::{
    alarm::Alarm,
    clock::Clock,
    gate::{Gate, ShutOnDrop},
    journal::{Journal, Reader, Retention, Saver},
    partition::{Around, Door, EntityCap, PartitionPlan, ServedPartition},
    registration::{HostPlan, Registration, Wired, Wiring},
    settings::RuntimeSettings,
    supervisor::{Post, Supervisor},
    tasks::{Tasks, keep_running},
    watchdog::Watchdog,
    writer_lease::{self, Term},
};
use actum_host::{Load, cell::Ticket};
use actum_model::Lane;
use actum_persistence::{
    group_commit::{CommitSink, LaneWriter, StateWriter},
    panics::log_safely,
    serializer::Serializer,
    settings_check::SettingsCheck,
    store::{Incarnation, Stores},
};
use ractor::Actor;
use std::{
    any::{Any, TypeId},
    collections::HashMap,
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};
use tokio::{sync::oneshot, task::JoinError, time::Instant};
use tracing::Instrument;

pub(super) async fn start(
    name: String,
    stores: Option<Stores>,
    registrations: Vec<Registration>,
    settings: RuntimeSettings,
) -> Result<Runtime, StartError> {
    let stores = check(&name, stores, &registrations, &settings)?;
    let (mut caller, started) = oneshot::channel();
    // in a task of its own: a caller who goes away leaves neither a slot taken nor somebody at work
    let starting = tokio::spawn(
        async move {
            let claimed = claim(&name, &stores, &settings, caller.closed()).await;
            let result = match claimed {
                Ok(claimed) => start_over(name, stores, registrations, settings, claimed).await,
                Err(error) => Err(error.into()),
            };
            if let Err(Ok(unwanted)) = caller.send(result) {
                give_up(unwanted).await;
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

/// Ends a runtime that nobody has seen.
async fn give_up(runtime: Runtime) {
    let (stores, incarnation) = (runtime.inner.stores.clone(), runtime.incarnation());
    drop(runtime);
    release(&stores, incarnation, last_words(Instant::now())).await;
}

async fn start_over(
    name: String,
    stores: Stores,
    registrations: Vec<Registration>,
    settings: RuntimeSettings,
    claimed: Claimed,
) -> Result<Runtime, StartError> {
    let incarnation = claimed.incarnation;
    log_safely(|| tracing::info!(engine = name, %incarnation, "writer slot taken"));
    let models: Vec<_> = registrations.iter().map(|kind| (kind.kind, kind.model)).collect();
    if let Err(error) = stored_models::check(&stores, &models).await {
        release(&stores, incarnation, last_words(Instant::now())).await;
        return Err(error);
    }
    let (mut plant, kinds) = Plant::build(registrations, &stores, &settings, incarnation);
    let crew = match plant.set_to_work(&stores, &settings, &claimed).await {
        Ok(crew) => crew,
        Err(error) => {
            release(&stores, incarnation, last_words(Instant::now())).await;
            return Err(error);
        }
    };
    log_safely(|| tracing::info!(engine = name, %incarnation, "engine started"));
    let Plant { gate, load, term, .. } = plant;
    let partitions = stores.events.layout().partitions;
    let (commits, readers) = (crew.commits(), crew.readers.clone());
    let ending = tokio::sync::Mutex::new(Ending::of(crew));
    Ok(Runtime {
        inner: Arc::new(Inner {
            name,
            partitions,
            incarnation,
            kinds,
            gate,
            load,
            term,
            stores,
            commits,
            readers,
            settings,
            ending,
        }),
    })
}

/// Of an engine's name, in bytes: with the process it is what a store keeps of the holder of a slot.
const NAME_BYTES_MAX: usize = 255;

/// Lists everything that is wrong at once.
fn check(
    name: &str,
    stores: Option<Stores>,
    registrations: &[Registration],
    settings: &RuntimeSettings,
) -> Result<Stores, StartError> {
    let mut check = SettingsCheck::new();
    check.bytes("name", name.len(), 1..=NAME_BYTES_MAX);
    check.extend(settings.problems());
    let mut problems = check.into_problems();
    if stores.is_none() {
        problems.push("no store was given: call `.store(..)`".to_owned());
    }
    if registrations.is_empty() {
        problems.push(
            "no entity was registered: call `.entity(..)` or `.durable_state(..)`".to_owned(),
        );
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
    match stores {
        Some(stores) if problems.is_empty() => Ok(stores),
        _ => Err(StartError::Invalid { problems }),
    }
}

/// Everything a runtime consists of, before anybody works in it.
struct Plant {
    clock: Clock,
    alarm: Arc<Alarm>,
    doors: Arc<[Arc<Door>]>,
    gate: Arc<Gate>,
    load: Arc<Load>,
    term: Arc<Term>,
    hosts: Arc<[HostPlan]>,
    retention: HashMap<&'static str, Retention>,
}

type Kinds = HashMap<TypeId, Box<dyn Any + Send + Sync>>;

impl Plant {
    fn build(
        registrations: Vec<Registration>,
        stores: &Stores,
        settings: &RuntimeSettings,
        incarnation: Incarnation,
    ) -> (Self, Kinds) {
        let layout = stores.events.layout();
        let (clock, alarm) = (Clock::start(), Arc::new(Alarm::new()));
        let door = |partition| {
            Door::new(partition, Lane::of_partition(partition, layout.lanes), Arc::clone(&alarm))
        };
        let doors: Arc<[Arc<Door>]> =
            layout.partitions.iter().map(|partition| Arc::new(door(partition))).collect();
        let RuntimeSettings { commands_max, entities_max, journal_bytes_max, .. } = *settings;
        let load = Load::new(commands_max, entities_max, journal_bytes_max)
            .with_command_ids_bytes_max(settings.command_ids_bytes_max);
        let load = Arc::new(load);
        let gate = Arc::new(Gate::new(Arc::clone(&doors)));
        let (mut kinds, mut hosts, mut guarded) = (Kinds::new(), Vec::new(), Vec::new());
        let mut retention = HashMap::new();
        for (nr, mut registration) in (0..).zip(registrations) {
            retention.extend(registration.retention.take().map(|kept| (registration.kind, kept)));
            let serializer = Serializer::new(settings.size_limits);
            let type_id = registration.type_id;
            let (doors, load) = (&doors, &load);
            let wiring = Wiring { nr, doors, load, clock, settings, serializer, incarnation };
            let Wired { ports, inboxes, host } = registration.build(&wiring);
            kinds.insert(type_id, ports);
            guarded.extend(inboxes);
            hosts.push(host);
        }
        gate.guards(guarded);
        let (term, hosts) = (Arc::new(Term::new(clock)), hosts.into());
        (Self { clock, alarm, doors, gate, load, term, hosts, retention }, kinds)
    }

    async fn set_to_work(
        &mut self,
        stores: &Stores,
        settings: &RuntimeSettings,
        claimed: &Claimed,
    ) -> Result<Crew, StartError> {
        let incarnation = claimed.incarnation;
        self.term.prolong(claimed.valid_until);
        let sink = Arc::clone(&self.gate) as Arc<dyn CommitSink<Ticket>>;
        let layout = stores.events.layout();
        let lane_writer = |lane| {
            let (store, settings) = (Arc::clone(&stores.events), settings.group_commit.clone());
            LaneWriter::<Ticket>::spawn(store, lane, incarnation, settings, Arc::clone(&sink))
        };
        let lanes: Vec<_> = layout.lanes.iter().map(lane_writer).collect();
        let (store, group_commit) = (Arc::clone(&stores.states), settings.group_commit.clone());
        let states = StateWriter::<Ticket>::spawn(store, incarnation, group_commit, sink);

        let saver = Arc::new(Saver::new(
            settings.snapshot_bytes_max,
            Serializer::new(settings.size_limits),
            std::mem::take(&mut self.retention),
            self.clock,
        ));
        let batch_max = NonZeroU32::new(settings.read_batch_max).unwrap_or(NonZeroU32::MIN);
        let reader = Arc::new(Reader::new(batch_max, settings.readers, settings.read_bytes_max));
        let queues = lanes.iter().map(|lane| Arc::clone(lane.queue())).collect();
        let (to_read, to_save) = (Arc::clone(&reader), Arc::clone(&saver));
        let journal = Arc::new(Journal::new(queues, Arc::clone(states.queue()), to_read, to_save));

        let post = Post {
            plans: self.partition_plans(&journal),
            gate: Arc::clone(&self.gate),
            clock: self.clock,
        };
        let supervisor = Supervisor::spawn(None, Supervisor, post).await;
        let (supervisor, supervising) =
            supervisor.map_err(|error| StartError::Partitions { what: error.to_string() })?;
        let watch = self.watchdog(settings.slow_handler_after).spawn().map_err(|error| {
            let what = format!("the system has no thread for their watchdog: {error}");
            StartError::Partitions { what }
        })?;
        // last: tasks would outlive a start that fails
        let mut tasks = self.tasks(stores, settings, claimed, &reader);
        tasks.require("the supervisor of its partitions", supervising);
        let saving = {
            let (saver, stores) = (Arc::clone(&saver), stores.clone());
            let save = move || {
                let (saver, stores) = (Arc::clone(&saver), stores.clone());
                async move { saver.run(stores, incarnation).await }
            };
            tokio::spawn(keep_running("saver", save))
        };
        let (doors, states, saving) = (Arc::clone(&self.doors), Some(states), Some(saving));
        let (gate, load, watch) = (Arc::clone(&self.gate), Arc::clone(&self.load), Some(watch));
        let tasks = Some(tasks);
        let readers = JournalReaders::new();
        Ok(Crew {
            gate,
            supervisor,
            doors,
            lanes,
            states,
            saver,
            saving,
            tasks,
            load,
            watch,
            readers,
        })
    }

    fn watchdog(&self, slow_handler_after: Duration) -> Watchdog {
        let (doors, gate, load) =
            (Arc::clone(&self.doors), Arc::clone(&self.gate), Arc::clone(&self.load));
        Watchdog::new(doors, gate, load, self.clock, slow_handler_after)
    }

    fn tasks(
        &self,
        stores: &Stores,
        settings: &RuntimeSettings,
        claimed: &Claimed,
        reader: &Arc<Reader>,
    ) -> Tasks {
        let mut tasks = Tasks::new(Arc::clone(&self.gate));
        let page = settings.page;
        for _ in 0..settings.readers {
            let (reader, stores, doors) =
                (Arc::clone(reader), stores.clone(), Arc::clone(&self.doors));
            tasks.keep("reader", move || {
                let (reader, stores, doors) =
                    (Arc::clone(&reader), stores.clone(), Arc::clone(&doors));
                async move { reader.run(stores, doors, page).await }
            });
        }
        let (alarm, doors, clock) = (Arc::clone(&self.alarm), Arc::clone(&self.doors), self.clock);
        tasks.keep("alarm", move || {
            let (alarm, doors) = (Arc::clone(&alarm), Arc::clone(&doors));
            async move { alarm.run(doors, clock).await }
        });
        let shut_at_the_end = ShutOnDrop(Arc::clone(&self.gate), Arc::clone(&self.load));
        tasks.keep("end", move || {
            let _held = &shut_at_the_end;
            std::future::pending()
        });
        let (writers, gate, term) =
            (Arc::clone(&stores.writers), Arc::clone(&self.gate), Arc::clone(&self.term));
        let (incarnation, lease) = (claimed.incarnation, settings.writer_lease);
        tasks.keep("writer lease", move || {
            // a former life may have suspended it; without a term that lasts nothing is served in any case
            gate.reopen();
            let (writers, gate, term) =
                (Arc::clone(&writers), Arc::clone(&gate), Arc::clone(&term));
            let valid_until = Instant::now() + term.left();
            writer_lease::keep(writers, incarnation, lease, valid_until, gate, term)
        });
        tasks
    }

    fn partition_plans(&self, journal: &Arc<Journal>) -> Vec<PartitionPlan> {
        let cap = Arc::new(EntityCap::new(Arc::clone(&self.load), Arc::clone(&self.doors)));
        let plan = |at: usize| -> PartitionPlan {
            let (door, journal, load) =
                (Arc::clone(&self.doors[at]), Arc::clone(journal), Arc::clone(&self.load));
            let (cap, term) = (Arc::clone(&cap), Arc::clone(&self.term));
            let (clock, hosts) = (self.clock, Arc::clone(&self.hosts));
            let around = Around { door, journal, load, cap, term, clock };
            Arc::new(move || {
                let kinds = hosts.iter().map(|host| host(at)).collect();
                let partition = ServedPartition::new(around.clone(), kinds);
                (partition, Arc::clone(&around.door))
            })
        };
        (0..self.doors.len()).map(plan).collect()
    }
}
