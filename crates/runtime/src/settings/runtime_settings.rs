use super::JournalWait;
use actum_persistence::{
    group_commit::GroupCommitSettings, serializer::SizeLimits, store::PageLimit,
};
use std::time::Duration;

/// How an engine behaves as a whole. Checked when it starts.
#[derive(Clone, Debug)]
pub struct RuntimeSettings {
    pub(crate) ask_timeout: Duration,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) slow_handler_after: Duration,
    pub(crate) entities_max: usize,
    pub(crate) commands_max: usize,
    pub(crate) partition_commands_max: usize,
    pub(crate) journal_bytes_max: usize,
    pub(crate) snapshot_bytes_max: usize,
    pub(crate) readers: u32,
    pub(crate) read_batch_max: u32,
    pub(crate) read_bytes_max: usize,
    pub(crate) page: PageLimit,
    pub(crate) writer_lease: Duration,
    pub(crate) journal_wait: JournalWait,
    pub(crate) size_limits: SizeLimits,
    pub(crate) group_commit: GroupCommitSettings,
}

macro_rules! setters {
    ($($(#[$doc:meta])+ $with:ident $field:ident: $type:ty;)+) => {
        impl RuntimeSettings { $(
            $(#[$doc])+
            #[must_use]
            pub fn $with(mut self, $field: $type) -> Self {
                self.$field = $field;
                self
            }
        )+ }
    };
}

setters! {
    /// How long an ask waits unless it says otherwise: 5 seconds by default, at least 1 millisecond.
    with_ask_timeout ask_timeout: Duration;
    /// How long a shutdown waits for what is under way: 10 seconds by default, at most 1 day.
    with_shutdown_timeout shutdown_timeout: Duration;
    /// From when on a handler is named in a warning: 100 milliseconds by default, at least 1 millisecond. It runs on the
    /// turn of its partition, and its neighbours wait.
    with_slow_handler_after slow_handler_after: Duration;
    /// How many entities stay in memory: 100,000 by default, at least 1. Beyond it the least recently used idle ones
    /// leave; each partition may hold one more while it takes its turn.
    with_entities_max entities_max: usize;
    /// How many commands may wait for an answer in the engine: 100,000 by default, at least 1.
    with_commands_max commands_max: usize;
    /// How many commands of one kind may wait to be looked at in one partition: 10,000 by default, at least 1.
    with_partition_commands_max partition_commands_max: usize;
    /// How many bytes of changes may wait to be written: 64 MiB by default, at least 1 MiB; payload, metadata and 128
    /// bytes for each. Beyond it commands are refused as overloaded.
    with_journal_bytes_max journal_bytes_max: usize;
    /// How many bytes of snapshots may wait to be saved: 64 MiB by default. Beyond it snapshots are skipped.
    with_snapshot_bytes_max snapshot_bytes_max: usize;
    /// How many reads for recovering entities run at once: 4 by default, 1 to 64.
    with_readers readers: u32;
    /// How many entities one such read is for: 64 by default, 1 to 1,000.
    with_read_batch_max read_batch_max: u32;
    /// How many bytes such reads may hold in memory, together, until the entities have taken them in: 64 MiB by default, at
    /// least 1 MiB. Pages get smaller for it, and reads are for fewer entities; only an event or a snapshot that is larger than
    /// its part goes over.
    with_read_bytes_max read_bytes_max: usize;
    /// How much is read of one entity at once: 1,000 events or 1 MiB by default, 1 to 100,000 events and 1 byte to 512 MiB.
    with_page page: PageLimit;
    /// How long this engine relies on being the only writer after it has renewed its lease, which it does three times as
    /// often: 10 seconds by default, 100 milliseconds to 1 day. When it dies, the next engine waits as long where the store
    /// does not see that by itself; when it cannot reach the store for as long, it shows nothing until it can.
    with_writer_lease writer_lease: Duration;
    /// How long this engine waits as it starts while another one holds the journal: by default until it is known whether
    /// the other is alive.
    with_journal_wait journal_wait: JournalWait;
    /// How large payloads, metadata and appends may be.
    with_size_limits size_limits: SizeLimits;
    /// How writes gather into transactions.
    with_group_commit group_commit: GroupCommitSettings;
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl RuntimeSettings {
    /// All that is wrong, a sentence each.
    pub(crate) fn problems(&self) -> Vec<String> {
        let least = Duration::from_millis(1);
        let rules = [
            (self.ask_timeout < least, "the ask timeout must be at least 1 millisecond"),
            (
                self.slow_handler_after < least,
                "handlers cannot be called slow before 1 millisecond",
            ),
            (self.entities_max == 0, "at least 1 entity must be allowed in memory"),
            (self.commands_max == 0, "at least 1 command must be allowed to wait in the engine"),
            (
                self.partition_commands_max == 0,
                "at least 1 command must be allowed to wait in a partition",
            ),
            (self.journal_bytes_max < 1 << 20, "at least 1 MiB of changes must be allowed to wait"),
            (!(1..=64).contains(&self.readers), "there must be 1 to 64 readers"),
            (!(1..=1_000).contains(&self.read_batch_max), "a read must be for 1 to 1,000 entities"),
            (self.read_bytes_max < 1 << 20, "reads must be allowed to hold at least 1 MiB"),
            (
                self.page.events.get() > 100_000 || !(1..=512 << 20).contains(&self.page.bytes),
                "a page must be of 1 to 100,000 events and of 1 byte to 512 MiB",
            ),
            (
                !(Duration::from_millis(100)..=DAY).contains(&self.writer_lease),
                "the writer lease must be 100 milliseconds to 1 day",
            ),
            (self.shutdown_timeout > DAY, "a shutdown must not wait longer than 1 day"),
        ];
        let broken =
            rules.into_iter().filter(|(broken, _)| *broken).map(|(_, rule)| rule.to_owned());
        broken.chain(self.size_limits.validate()).chain(self.group_commit.validate()).collect()
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
            readers: 4,
            read_batch_max: 64,
            read_bytes_max: 64 << 20,
            page: PageLimit::default().with_bytes(1 << 20),
            writer_lease: Duration::from_secs(10),
            journal_wait: JournalWait::default(),
            size_limits: SizeLimits::default(),
            group_commit: GroupCommitSettings::default(),
        }
    }
}
