use super::{CallerContext, ElsewhereRef, JournalWait, ObserverRef, OpenAtStart};
use crate::{elsewhere::Elsewhere, journal_readers::JournalReaders};
use actum_host::Observer;
use actum_model::Metadata;
use actum_persistence::{
    group_commit::GroupCommitSettings,
    serializer::SizeLimits,
    settings_check::SettingsCheck,
    store::{
        PageLimit,
        bounds::{PAGE_BYTES_MAX, PAGE_EVENTS_MAX},
    },
};
use std::{sync::Arc, time::Duration};

/// How an engine behaves as a whole. Checked when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuntimeSettings {
    /// How long an ask, or an append to a stream, waits unless it says otherwise; 5 seconds by default, at least 1 millisecond.
    pub ask_timeout: Duration,
    /// How long a shutdown waits for what is under way; 10 seconds by default, at most 1 day.
    pub shutdown_timeout: Duration,
    /// From when on a handler is named in a warning; 100 milliseconds by default, at least 1 millisecond. It runs on the
    /// turn of its partition, and its neighbours wait.
    pub slow_handler_after: Duration,
    /// How many entities stay in memory; 100,000 by default, at least 1. Beyond it the least recently used idle ones
    /// leave; each partition may hold one more while it takes its turn.
    pub entities_max: usize,
    /// How many commands, and appends to streams, may wait for an answer in the engine; 100,000 by default, at least 1.
    pub commands_max: usize,
    /// How many commands of one kind may wait to be looked at in one partition; 10,000 by default, at least 1.
    pub partition_commands_max: usize,
    /// How many bytes of changes may wait to be written; 64 MiB by default, at least 1 MiB; payload, metadata and 128
    /// bytes for each. Beyond it commands, and appends to streams, are refused as overloaded.
    pub journal_bytes_max: usize,
    /// How many bytes that remembered command ids may take in memory; 64 MiB by default, at least 64 KiB; about 33 for
    /// each id. From seven eighths of it on, entities forget ids before their age, down to the `commands_min` of their
    /// [`CommandWindow`](super::CommandWindow); beyond it the least recently used idle entities leave memory.
    pub command_ids_bytes_max: usize,
    /// How many bytes of snapshots may wait to be saved; 64 MiB by default, and no less than `payload_bytes_max` of the
    /// size limits. Beyond it snapshots are skipped, except for one alone.
    pub snapshot_bytes_max: usize,
    /// How many reads for recovering entities run at once; 4 by default, 1 to 64.
    pub readers: u32,
    /// How many entities one such read is for; 64 by default, 1 to 1,000.
    pub read_batch_max: u32,
    /// How many bytes such reads may hold in memory, together, until the entities have taken them in; 64 MiB by default,
    /// at least 1 MiB. Pages get smaller for it, and reads are for fewer entities; only an event or a snapshot that is
    /// larger than its part goes over.
    pub read_bytes_max: usize,
    /// How much is read of one entity at once; 1,000 events or 1 MiB by default, 1 to 100,000 events and 1 byte to 512
    /// MiB.
    pub page: PageLimit,
    /// How long this engine relies on being the only writer after it has renewed its lease, which it does three times as
    /// often; 10 seconds by default, 100 milliseconds to 1 day. When it dies, the next engine waits as long where the
    /// store does not see that by itself; when it cannot reach the store for as long, it shows nothing until it can.
    pub writer_lease: Duration,
    /// How long this engine waits as it starts while another one holds the journal; by default until it is known whether
    /// the other is alive.
    pub journal_wait: JournalWait,
    /// Which partitions are open once the engine has started; all by default. For what builds a cluster.
    #[doc(hidden)]
    pub open_at_start: OpenAtStart,
    /// Where commands go whose partition is not open here; none by default, and they are unavailable. For what builds a
    /// cluster.
    #[doc(hidden)]
    pub elsewhere: Option<ElsewhereRef>,
    /// What adds to the metadata of each command, and append to a stream, on the side of its caller; none by default.
    pub caller_context: Option<CallerContext>,
    /// The engine runs no entities, and serves streams and readers alone; no by default, and one without any entity is
    /// a mistake.
    pub streams_only: bool,
    /// How large payloads, metadata and appends may be.
    pub size_limits: SizeLimits,
    /// How writes gather into transactions.
    pub group_commit: GroupCommitSettings,
    /// Who reads the journal beside the engine and has entered before it starts; by default no one. Only one engine may
    /// have them.
    pub journal_readers: Option<JournalReaders>,
    /// Who sees what the engine does; by default no one.
    pub observer: Option<ObserverRef>,
}

macro_rules! setters {
    ($($with:ident $field:ident: $type:ty;)+) => {
        impl RuntimeSettings { $(
            #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
            #[must_use]
            pub fn $with(mut self, $field: $type) -> Self {
                self.$field = $field;
                self
            }
        )+ }
    };
}

setters! {
    with_ask_timeout ask_timeout: Duration;
    with_shutdown_timeout shutdown_timeout: Duration;
    with_slow_handler_after slow_handler_after: Duration;
    with_entities_max entities_max: usize;
    with_commands_max commands_max: usize;
    with_partition_commands_max partition_commands_max: usize;
    with_journal_bytes_max journal_bytes_max: usize;
    with_command_ids_bytes_max command_ids_bytes_max: usize;
    with_snapshot_bytes_max snapshot_bytes_max: usize;
    with_readers readers: u32;
    with_read_batch_max read_batch_max: u32;
    with_read_bytes_max read_bytes_max: usize;
    with_page page: PageLimit;
    with_writer_lease writer_lease: Duration;
    with_journal_wait journal_wait: JournalWait;
    with_streams_only streams_only: bool;
    with_size_limits size_limits: SizeLimits;
    with_group_commit group_commit: GroupCommitSettings;
    with_journal_readers journal_readers: Option<JournalReaders>;
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl RuntimeSettings {
    /// Opens these partitions as the engine starts.
    #[doc(hidden)]
    #[must_use]
    pub fn with_open_at_start(mut self, open_at_start: OpenAtStart) -> Self {
        self.open_at_start = open_at_start;
        self
    }

    /// Sends commands whose partition is not open here to where it is, see [`Elsewhere`].
    #[doc(hidden)]
    #[must_use]
    pub fn with_elsewhere(mut self, elsewhere: impl Elsewhere) -> Self {
        self.elsewhere = Some(ElsewhereRef(Arc::new(elsewhere)));
        self
    }

    /// Shows `observer` what the engine does, for counts, times and traces.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(ObserverRef::new(observer));
        self
    }

    /// Calls `add` with the metadata of each command that is sent through an [`EntityRef`](crate::EntityRef), and sends what
    /// it returns: to add the caller's trace context, for example. It runs where the ask is made, before it is sent, also for
    /// `tell`, and for appends to streams; a command id and a cause that were given by `command_id` and `caused_by` count more. Commands that came as
    /// bytes bring their metadata, and are left as they are.
    ///
    /// What it adds is stored with every event of the command, and counts against the size limit of metadata. It is to be
    /// fast; a panic in it reaches the caller.
    ///
    /// # Examples
    /// ```
    /// use actum_model::{Metadata, TraceContext};
    /// use actum_runtime::settings::RuntimeSettings;
    ///
    /// /// What a tracing library knows of the caller, as the header `traceparent`.
    /// fn traceparent() -> Option<String> {
    /// #     Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned())
    /// }
    ///
    /// let settings = RuntimeSettings::default().with_caller_context(|metadata: Metadata| {
    ///     let trace = traceparent().and_then(|header| TraceContext::new(&header).ok());
    ///     match trace {
    ///         Some(trace) if metadata.trace().is_none() => metadata.with_trace(trace),
    ///         _ => metadata,
    ///     }
    /// });
    /// # assert!(settings.problems().is_empty());
    /// ```
    #[must_use]
    pub fn with_caller_context(
        mut self,
        add: impl Fn(Metadata) -> Metadata + Send + Sync + 'static,
    ) -> Self {
        self.caller_context = Some(CallerContext::new(add));
        self
    }

    /// All that is wrong with these settings, a sentence each; empty if they can be used.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let least = Duration::from_millis(1);
        let mut check = SettingsCheck::new();
        check.duration("ask_timeout", self.ask_timeout, least..);
        check.duration("shutdown_timeout", self.shutdown_timeout, ..=DAY);
        check.duration("slow_handler_after", self.slow_handler_after, least..);
        check.number("entities_max", self.entities_max, 1..);
        check.number("commands_max", self.commands_max, 1..);
        check.number("partition_commands_max", self.partition_commands_max, 1..);
        check.bytes("journal_bytes_max", self.journal_bytes_max, 1 << 20..);
        check.bytes("command_ids_bytes_max", self.command_ids_bytes_max, 64 << 10..);
        let payload_bytes_max = self.size_limits.payload_bytes_max;
        check.bytes("snapshot_bytes_max", self.snapshot_bytes_max, payload_bytes_max..);
        check.number("readers", self.readers, 1..=64);
        check.number("read_batch_max", self.read_batch_max, 1..=1_000);
        check.bytes("read_bytes_max", self.read_bytes_max, 1 << 20..);
        check.number("page.events", self.page.events.get(), 1..=PAGE_EVENTS_MAX);
        check.bytes("page.bytes", self.page.bytes, 1..=PAGE_BYTES_MAX);
        check.duration("writer_lease", self.writer_lease, 100 * least..=DAY);
        check.extend(self.size_limits.problems());
        check.extend(self.group_commit.problems());
        if self.journal_readers.as_ref().is_some_and(JournalReaders::have_ended) {
            check
                .extend(vec!["`journal_readers` are those of an engine that has ended".to_owned()]);
        }
        check.into_problems()
    }
}

impl Default for RuntimeSettings {
    fn default() -> Self {
        Self {
            ask_timeout: Duration::from_secs(5),
            shutdown_timeout: Duration::from_secs(10),
            slow_handler_after: Duration::from_millis(100),
            entities_max: 100_000,
            commands_max: 100_000,
            partition_commands_max: 10_000,
            journal_bytes_max: 64 << 20,
            snapshot_bytes_max: 64 << 20,
            command_ids_bytes_max: 64 << 20,
            readers: 4,
            read_batch_max: 64,
            read_bytes_max: 64 << 20,
            page: PageLimit::default().with_bytes(1 << 20),
            writer_lease: Duration::from_secs(10),
            journal_wait: JournalWait::default(),
            open_at_start: OpenAtStart::default(),
            elsewhere: None,
            caller_context: None,
            streams_only: false,
            size_limits: SizeLimits::default(),
            group_commit: GroupCommitSettings::default(),
            journal_readers: None,
            observer: None,
        }
    }
}
