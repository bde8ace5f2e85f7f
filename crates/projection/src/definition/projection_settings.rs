use super::{StartAt, Switch};
use actum_persistence::{progress::ProjectionId, settings_check::SettingsCheck, store::PageLimit};
use actum_reader::segment::{Backoff, OnFailure, SegmentRules};
use std::{
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};

/// How a projection runs. All settings are checked together when the engine starts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProjectionSettings {
    /// Its version; 1 by default. Each has an offset of its own, and one is active. A new one catches up beside the active one, in
    /// tables of its own, see [`ProjectCtx::version`](crate::ProjectCtx::version); what it handles until it takes over is a
    /// replay. Versions that keep their progress in different databases know nothing of each other.
    pub version: NonZeroU32,
    /// When it takes over from the active version, if it is a newer one; when it has caught up with it by default.
    pub switch: Switch,
    /// The name from which the ids of its commands are derived; its own by default. One that is renamed keeps them by its
    /// former name.
    pub command_ids_of: Option<String>,
    /// Where it begins when it runs for the first time; at the beginning by default.
    pub start_at: StartAt,
    /// Into how many ranges of partitions it is divided when it runs for the first time; 1 by default, at most as many as the
    /// journal has partitions. They are handled in parallel, and shared out among the processes that run the projection. They
    /// stay so, also where programs with other numbers run it: [`divide`](crate::ProjectionRef::divide) changes them.
    pub segments: NonZeroU16,
    /// How many events are handled and saved together at most; 500 by default, 1 to 100,000.
    pub batch_events: usize,
    /// How many bytes the events of a batch have at most, one event at least; 1 MiB by default, 1 byte to 64 MiB.
    pub batch_bytes: usize,
    /// How long the handlers of a batch may take together before it is saved; 1 second by default, 1 millisecond to 10 minutes.
    pub batch_time: Duration,
    /// How long after a batch was saved the next one begins at the earliest, as long as there are fewer events than make a
    /// batch; none by default, up to 1 minute. A transaction for each event that comes is quick to show it, and takes its share
    /// of the database from those who write there: most of all from the journal of a SQLite file, where one transaction waits
    /// for the other. A few milliseconds put many events into one.
    pub batch_interval: Duration,
    /// How long one handler may take; 30 seconds by default, 1 millisecond to 1 hour. Then it has failed, whatever it waits for:
    /// also for a lock that others hold, or for a connection. A database that gives such a wait up before says so, and that is no
    /// failure of the event, so keep this above the timeouts of what handlers write to; a `PostgresTarget` with connections of
    /// its own waits 3 seconds for a lock. It may be longer than `lease`. In an exact projection over a SQLite file nothing else is
    /// written there until the handler returns, and the commands of a journal in that file wait: a few seconds are enough there.
    pub handler_timeout: Duration,
    /// How often an event is tried again; 5 times by default, up to 1,000.
    pub retries: u32,
    /// How long to wait before the first retry; 100 milliseconds by default, 1 millisecond to 1 hour. It doubles each time.
    pub retry_first: Duration,
    /// How long to wait before a retry at most; 30 seconds by default, `retry_first` to 1 day. Also while something cannot be
    /// reached, or a table that the handler writes to is not there, which is no failure of an event and ends by itself.
    pub retry_max: Duration,
    /// What is done about an event that fails every time; the segment stops by default. What the database of an exact projection
    /// cannot do for any event is waited for instead, see [`HandlerError`](crate::HandlerError).
    pub on_failure: OnFailure,
    /// What is done about an event of a type, or in a schema version, that this program does not know; the segment stops by
    /// default. It is not tried again.
    pub on_unknown: OnFailure,
    /// How many entities of a segment may be parked; 1,000 by default, 1 to 100,000. Beyond that it stops.
    pub parked_max: u32,
    /// How many entities may be parked one after the other, without an event that was handled in between; 10 by default, 1
    /// to 10,000. Beyond that the segment stops: then it is not the events.
    pub parked_in_row_max: u32,
    /// How long a runner that shows no sign of life keeps its segments; 10 seconds by default, 300 milliseconds to 1 hour. All
    /// versions of a projection should have the same: one that takes over takes runners for dead by its own. It is renewed three
    /// times as often: all projections and durable subscriptions of a process whose progress is kept at the same place do so in
    /// one call of the database, as often as the shortest of their leases wants it.
    pub lease: Duration,
    /// How long progress over events that the projection does not handle may stay unsaved; 1 second by default, 10
    /// milliseconds to 10 minutes.
    pub save_interval: Duration,
    /// How long a shutdown waits for the event that is being handled; 5 seconds by default, up to 10 minutes. Then its batch is
    /// undone, or comes again.
    pub shutdown_timeout: Duration,
}

impl Default for ProjectionSettings {
    fn default() -> Self {
        Self {
            version: NonZeroU32::MIN,
            switch: Switch::default(),
            command_ids_of: None,
            start_at: StartAt::default(),
            segments: NonZeroU16::MIN,
            batch_events: 500,
            batch_bytes: 1 << 20,
            batch_time: Duration::from_secs(1),
            batch_interval: Duration::ZERO,
            handler_timeout: Duration::from_secs(30),
            retries: 5,
            retry_first: Duration::from_millis(100),
            retry_max: Duration::from_secs(30),
            on_failure: OnFailure::default(),
            on_unknown: OnFailure::default(),
            parked_max: 1_000,
            parked_in_row_max: 10,
            lease: Duration::from_secs(10),
            save_interval: Duration::from_secs(1),
            shutdown_timeout: Duration::from_secs(5),
        }
    }
}

impl ProjectionSettings {
    pub(crate) fn check(&self, check: &mut SettingsCheck) {
        let (milli, hour) = (Duration::from_millis(1), Duration::from_secs(3_600));
        check.number("batch_events", self.batch_events, 1..=100_000);
        check.bytes("batch_bytes", self.batch_bytes, 1..=64 << 20);
        check.duration("batch_time", self.batch_time, milli..=hour / 6);
        check.duration("batch_interval", self.batch_interval, ..=hour / 60);
        check.duration("handler_timeout", self.handler_timeout, milli..=hour);
        check.number("retries", self.retries, ..=1_000);
        check.duration("retry_first", self.retry_first, milli..=hour);
        check.duration("retry_max", self.retry_max, self.retry_first.min(hour)..=24 * hour);
        check.number("parked_max", self.parked_max, 1..=100_000);
        check.number("parked_in_row_max", self.parked_in_row_max, 1..=10_000);
        check.duration("lease", self.lease, 300 * milli..=hour);
        check.duration("save_interval", self.save_interval, 10 * milli..=hour / 6);
        if let Some(Err(error)) =
            self.command_ids_of.as_ref().map(|name| ProjectionId::new(name, self.version))
        {
            check.problem(format!("`command_ids_of` is no name of a projection: {error}"));
        }
        check.duration("shutdown_timeout", self.shutdown_timeout, ..=hour / 6);
    }

    /// How much is read and handled at once.
    pub(crate) fn page_limit(&self) -> PageLimit {
        let events = u32::try_from(self.batch_events).unwrap_or(u32::MAX);
        let events = NonZeroU32::new(events).unwrap_or(NonZeroU32::MIN);
        PageLimit::default().with_events(events).with_bytes(self.batch_bytes)
    }

    pub(crate) fn rules(&self, is_exact: bool) -> SegmentRules {
        SegmentRules {
            batch: self.page_limit(),
            batch_interval: self.batch_interval,
            retries: self.retries,
            backoff: Backoff { first: self.retry_first, max: self.retry_max },
            unavailable: Backoff {
                first: Duration::from_millis(100).min(self.retry_max),
                max: self.retry_max,
            },
            on_failure: self.on_failure,
            on_unknown: self.on_unknown,
            parked_max: self.parked_max as usize,
            parked_in_row_max: self.parked_in_row_max,
            latest_only: false,
            is_exact,
            save_interval: self.save_interval,
        }
    }
}
