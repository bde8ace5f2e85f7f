use super::{BegunMembership, kinds::Kinds};
use crate::{
    alarm::{Alarm, Scheduled},
    clock::Clock,
    elsewhere::{Route, WaitsElsewhere},
    gate::Gate,
    journal::{Reader, Retention, Saver},
    journal_readers::JournalReaders,
    partition::{HostPlan, PartitionHandle, PartitionHandles, PartitionTable},
    registration::{Connect, Registration, Wired, Wiring},
    settings::RuntimeSettings,
    streams::{StreamAppends, StreamEntrance, StreamTurns},
    term::Term,
};
use actum_host::{Load, partition::Refuses};
use actum_model::{Lane, PartitionCount};
use actum_persistence::{
    serializer::Serializer,
    store::{CurrentIncarnation, Stores},
};
use std::{any::TypeId, collections::HashMap, num::NonZeroU32, sync::Arc};

/// What an engine consists of besides what runs for it; made once, shared by all.
pub(super) struct EngineParts {
    pub(super) stores: Stores,
    pub(super) settings: RuntimeSettings,
    pub(super) incarnation: CurrentIncarnation,
    /// Whether it is that of a cluster's node, which others let know of its membership.
    pub(super) is_member: bool,
    pub(super) clock: Clock,
    pub(super) alarm: Arc<Alarm>,
    pub(super) partitions: Arc<PartitionHandles>,
    pub(super) gate: Arc<Gate>,
    pub(super) load: Arc<Load>,
    /// Until when the engine is the only writer; of all partitions that have no term of their own.
    pub(super) term: Arc<Term>,
    pub(super) reader: Arc<Reader>,
    pub(super) saver: Arc<Saver>,
    pub(super) waits_elsewhere: Arc<WaitsElsewhere>,
    pub(super) readers: JournalReaders,
    pub(super) streams: Arc<StreamEntrance>,
    pub(super) stream_turns: Arc<StreamTurns>,
}

/// Which incarnation an engine writes as when it starts.
#[derive(Clone, Copy)]
pub(super) struct WritesAs {
    pub(super) joined: BegunMembership,
    /// Whether that is a member of a cluster.
    pub(super) is_member: bool,
}

/// How partitions host the kinds, in their order.
pub(super) type Hosts = Vec<HostPlan>;

impl EngineParts {
    pub(super) fn new(
        registrations: Vec<Registration>,
        stores: Stores,
        settings: RuntimeSettings,
        writes_as: WritesAs,
    ) -> (Self, Kinds, Hosts) {
        let WritesAs { joined: BegunMembership { incarnation, valid_until }, is_member } =
            writes_as;
        let (clock, incarnation) = (Clock::start(), CurrentIncarnation::from(incarnation));
        let (load, alarm) = (Arc::new(load(&settings)), Arc::new(Alarm::new()));
        let waits_elsewhere = Arc::new(WaitsElsewhere::new(Arc::clone(&alarm), clock));
        let route = settings.elsewhere.as_ref().map(|elsewhere| Route {
            elsewhere: Arc::clone(&elsewhere.0),
            waits: Arc::clone(&waits_elsewhere),
            clock,
            load: Arc::clone(&load),
        });
        let partitions = stores.events.layout().partitions;
        let mut wired = WiredKinds::default();
        // the role of all kinds, in which the node of a cluster claims their partitions
        let owned_as: Option<Arc<str>> = is_member.then(|| "".into());
        for (nr, registration) in (0..).zip(registrations) {
            let serializer = Serializer::new(settings.size_limits);
            let (load, settings, route) = (&load, &settings, route.clone());
            let writer = (&incarnation, owned_as.as_ref());
            let wiring =
                Wiring { nr, partitions, load, clock, settings, serializer, writer, route };
            wired.add(registration, &wiring);
        }
        let term = Arc::new(Term::new(clock));
        term.set_end(valid_until);
        let partitions = wired.partitions(partitions, &stores, &term, &alarm);
        let saver = Saver::new(
            settings.snapshot_bytes_max,
            Serializer::new(settings.size_limits),
            wired.retention,
            clock,
            settings.observer.clone(),
        );
        let batch_max = NonZeroU32::new(settings.read_batch_max).unwrap_or(NonZeroU32::MIN);
        let reader = Reader::new(batch_max, settings.readers, settings.read_bytes_max);
        let kinds = Kinds::connect(wired.connects, &partitions);
        let appends = Arc::new(StreamAppends::new(Arc::clone(&load)));
        let streams = StreamEntrance {
            appends: Arc::clone(&appends),
            events: Arc::clone(&stores.events),
            serializer: Serializer::new(settings.size_limits),
            clock,
            term: Arc::clone(&term),
            ask_timeout: settings.ask_timeout,
            caller_context: settings.caller_context.clone(),
        };
        let gate = Gate::new(Arc::clone(&partitions), appends, settings.observer.clone());
        let gate = if is_member { gate.of_member() } else { gate };
        let readers = settings.journal_readers.clone().unwrap_or_default();
        let parts = Self {
            stores,
            settings,
            incarnation,
            is_member,
            clock,
            alarm,
            gate: Arc::new(gate),
            partitions,
            load,
            term,
            reader: Arc::new(reader),
            saver: Arc::new(saver),
            waits_elsewhere,
            readers,
            streams: Arc::new(streams),
            stream_turns: Arc::default(),
        };
        (parts, kinds, wired.hosts)
    }

    /// Everything that wants to be woken at some moment.
    pub(super) fn scheduled(&self) -> Vec<Arc<dyn Scheduled>> {
        let partitions = self.partitions.iter();
        let partitions = partitions.map(|partition| Arc::clone(partition) as Arc<dyn Scheduled>);
        let waits = Arc::clone(&self.waits_elsewhere) as Arc<dyn Scheduled>;
        partitions.chain([waits]).collect()
    }
}

fn load(settings: &RuntimeSettings) -> Load {
    let RuntimeSettings { commands_max, entities_max, journal_bytes_max, .. } = *settings;
    Load::new(commands_max, entities_max, journal_bytes_max)
        .with_command_ids_bytes_max(settings.command_ids_bytes_max)
}

/// What was made of the registrations, in their order.
#[derive(Default)]
struct WiredKinds {
    inboxes: Vec<PartitionTable<Arc<dyn Refuses>>>,
    hosts: Hosts,
    connects: Vec<(TypeId, Connect)>,
    retention: HashMap<&'static str, Retention>,
}

impl WiredKinds {
    fn add(&mut self, mut registration: Registration, wiring: &Wiring<'_>) {
        let (kind, type_id) = (registration.kind, registration.type_id);
        self.retention.extend(registration.retention.take().map(|kept| (kind, kept)));
        let Wired { inboxes, host, connect } = registration.build(wiring);
        self.inboxes.push(inboxes);
        self.hosts.push(host);
        self.connects.push((type_id, connect));
    }

    /// The partitions with the inboxes of all kinds, closed.
    fn partitions(
        &self,
        count: PartitionCount,
        stores: &Stores,
        term: &Arc<Term>,
        alarm: &Arc<Alarm>,
    ) -> Arc<PartitionHandles> {
        let lanes = stores.events.layout().lanes;
        Arc::new(PartitionTable::new(count, |partition| {
            let lane = Lane::of_partition(partition, lanes);
            let inboxes = self.inboxes.iter().map(|of_kind| Arc::clone(&of_kind[partition]));
            let (term, alarm) = (Arc::clone(term), Arc::clone(alarm));
            Arc::new(PartitionHandle::new(partition, lane, inboxes.collect(), term, alarm))
        }))
    }
}
