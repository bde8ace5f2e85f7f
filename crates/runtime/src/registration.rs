use crate::{
    ask::{Entrance, EntranceParts, KindRef, TellFailures},
    clock::Clock,
    elsewhere::Route,
    journal::{Decode, Retention},
    partition::{HostPlan, PartitionHandles, PartitionTable},
    settings::{EntitySettings, RuntimeSettings},
    state_model::StateModel,
};
use actum_host::{
    Load,
    cell::{ByEvents, ByState, FailureBursts, KindContext, SNAPSHOT_MARKS_MAX, decode_snapshot},
    partition::{HostedModel, Inbox, KindHost, Refuses},
    settings::EncodeState,
};
use actum_model::{
    CommandId, CommandSet, DurableState, Entity, EventSourced, PartitionCount, check_kind,
};
use actum_persistence::{
    error_chain::full_text,
    serializer::Serializer,
    store::{COMMANDS_READ_MAX, CurrentIncarnation},
};
use std::{
    any::{Any, TypeId},
    collections::HashSet,
    fmt,
    num::NonZeroU32,
    sync::Arc,
};

/// One kind of entity that an engine runs.
pub struct Registration {
    pub(crate) kind: &'static str,
    pub(crate) type_id: TypeId,
    pub(crate) type_name: &'static str,
    pub(crate) model: StateModel,
    pub(crate) retention: Option<Retention>,
    problems: Vec<String>,
    build: Box<dyn FnOnce(&Wiring<'_>) -> Wired + Send>,
}

/// What kinds are built from.
pub(crate) struct Wiring<'a> {
    pub(crate) nr: u16,
    pub(crate) partitions: PartitionCount,
    pub(crate) load: &'a Arc<Load>,
    pub(crate) clock: Clock,
    pub(crate) settings: &'a RuntimeSettings,
    pub(crate) serializer: Serializer,
    /// Which incarnation the engine writes as, and the role in which that must own what it writes, see
    /// [`KindContext::owned_as`].
    pub(crate) writer: (&'a CurrentIncarnation, Option<&'a Arc<str>>),
    pub(crate) route: Option<Route>,
}

/// A kind that is ready: what commands of it wait in, and how a partition hosts it.
pub(crate) struct Wired {
    pub(crate) inboxes: PartitionTable<Arc<dyn Refuses>>,
    pub(crate) host: HostPlan,
    pub(crate) connect: Connect,
}

/// Makes where commands of a kind enter, once its inboxes are at the partitions.
pub(crate) type Connect = Box<dyn FnOnce(&PartitionHandles) -> Connected>;

/// Where commands of a kind enter.
pub(crate) struct Connected {
    /// For references by type, an `Arc<Entrance<E>>`.
    pub(crate) by_type: Box<dyn Any + Send + Sync>,
    /// For what finds it by name.
    pub(crate) by_name: KindRef,
}

impl Registration {
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Runs `E` as event-sourced entities.
    pub fn event_sourced<E: EventSourced>(env: E::Env, settings: EntitySettings<E>) -> Self {
        let retention = settings.snapshots.as_ref().and_then(|snapshots| {
            let keep_snapshots = NonZeroU32::new(snapshots.snapshots_kept)?;
            let (delete_events, policy) = (snapshots.events_deleted, snapshots.clone());
            let decode: Decode = Box::new(move |serializer, snapshot| {
                decode_snapshot(&policy, serializer, snapshot).map(drop)
            });
            Some(Retention { keep_snapshots, delete_events, decode })
        });
        let encode_state = settings.snapshots.as_ref().map(|snapshots| snapshots.encode);
        let encode_state = settings.encode_state.or(encode_state);
        let kind = Self::of::<ByEvents<E>>(StateModel::EventSourced, env, settings, encode_state);
        Self { retention, ..kind }
    }

    /// Runs `E` as durable-state entities.
    pub fn durable_state<E: DurableState>(env: E::Env, settings: EntitySettings<E>) -> Self {
        let encode_state: EncodeState<E> = Serializer::encode;
        let encode_state = settings.encode_state.or(Some(encode_state));
        Self::of::<ByState<E>>(StateModel::DurableState, env, settings, encode_state)
    }

    fn of<M: HostedModel>(
        model: StateModel,
        env: <M::Entity as Entity>::Env,
        settings: EntitySettings<M::Entity>,
        encode_state: Option<EncodeState<M::Entity>>,
    ) -> Self {
        let problems = problems::<M::Entity>(&settings);
        Self {
            kind: M::Entity::KIND,
            type_id: TypeId::of::<M::Entity>(),
            type_name: std::any::type_name::<M::Entity>(),
            model,
            retention: None,
            problems,
            build: Box::new(move |wiring| wire::<M>(env, settings, encode_state, wiring)),
        }
    }

    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        self.problems
            .iter()
            .map(|problem| format!("entity `{}`: {problem}", self.kind.escape_debug()))
    }

    pub(crate) fn build(self, wiring: &Wiring<'_>) -> Wired {
        (self.build)(wiring)
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("kind", &self.kind)
            .field("type", &self.type_name)
            .finish_non_exhaustive()
    }
}

fn problems<E: Entity>(settings: &EntitySettings<E>) -> Vec<String> {
    let mut problems = settings.problems();
    if let Err(error) = check_kind(E::KIND) {
        problems.push(full_text(&error));
    }
    let mut seen = HashSet::new();
    for manifest in <E::Commands as CommandSet<E>>::MANIFESTS {
        if !seen.insert(manifest) {
            problems.push(format!("two of its commands have the manifest `{manifest}`"));
        }
    }
    problems
}

fn wire<M: HostedModel>(
    env: <M::Entity as Entity>::Env,
    settings: EntitySettings<M::Entity>,
    encode_state: Option<EncodeState<M::Entity>>,
    wiring: &Wiring<'_>,
) -> Wired {
    let slow_handler_after = wiring.settings.slow_handler_after;
    let serializer = wiring.serializer;
    let context = Arc::new(KindContext {
        env: Arc::new(env),
        settings,
        serializer,
        slow_handler_after,
        bursts: FailureBursts::default(),
        incarnation: wiring.writer.0.clone(),
        owned_as: wiring.writer.1.cloned(),
        hash_id: CommandId::hash64,
        snapshot_marks_max: SNAPSHOT_MARKS_MAX,
        commands_read_max: COMMANDS_READ_MAX,
        ids: Arc::clone(wiring.load.ids()),
    });
    let inboxes = PartitionTable::new(wiring.partitions, |_| {
        let commands_max = wiring.settings.partition_commands_max;
        Arc::new(Inbox::<M::Entity>::new(commands_max, Arc::clone(wiring.load)))
    });
    let refusing = PartitionTable::new(wiring.partitions, |partition| {
        Arc::clone(&inboxes[partition]) as Arc<dyn Refuses>
    });
    let (nr, load, for_hosts) = (wiring.nr, Arc::clone(wiring.load), inboxes.clone());
    let host: HostPlan = Box::new(move |partition| {
        let inbox = Arc::clone(&for_hosts[partition]);
        Box::new(KindHost::<M>::new(nr, Arc::clone(&context), inbox, Arc::clone(&load)))
    });
    let parts = EntranceParts {
        load: Arc::clone(wiring.load),
        clock: wiring.clock,
        ask_timeout: wiring.settings.ask_timeout,
        tells: Arc::new(TellFailures::new(<M::Entity as Entity>::KIND, wiring.clock)),
        caller_context: wiring.settings.caller_context.clone(),
        observer: wiring.settings.observer.clone(),
        route: wiring.route.clone(),
    };
    let connect: Connect = Box::new(move |handles| {
        // what comes by name has its metadata, and its partition is where it comes to
        let here = EntranceParts { caller_context: None, route: None, ..parts.clone() };
        let here = Arc::new(Entrance::new(&inboxes, handles, here));
        Connected {
            by_type: Box::new(Arc::new(Entrance::new(&inboxes, handles, parts))),
            by_name: KindRef::new::<M::Entity>(here, serializer, encode_state),
        }
    });
    Wired { inboxes: refusing, host, connect }
}
