use crate::definition::{ProjectionSettings, StartAt};
use actum_persistence::{settings_check::SettingsCheck, store::PageLimit};
use actum_reader::segment::Backoff;
use actum_reader::subscription::{LastResort, SubscriptionRules};
use std::{num::NonZeroU32, time::Duration};

/// How a subscription runs. All settings are checked together when it begins. A transient one has the first three only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriptionSettings {
    /// Where it begins in the journal; a durable one the first time, later it goes on where it was.
    pub start_at: StartAt,
    /// How many events are read at once, and wait for consumers, also for another try; 500 by default, 1 to 10,000. Up to three
    /// times as many are in memory: what waits, the page behind it and the one that is read. What is in flight comes on top.
    ///
    /// All of that takes room in the bytes that the readers of the engine may have in memory; what all subscriptions hold takes
    /// half of them at most, so consumers that are slow keep no projection waiting. Where that half is full nothing is read ahead:
    /// a subscription reads the next event when a consumer asks and none waits for it. So it always goes on, within its own
    /// bounds, and waits for no other.
    pub buffer_events: usize,
    /// How many bytes those events have, one event at least; 1 MiB by default, 1 byte to 64 MiB.
    pub buffer_bytes: usize,
    /// How many events a consumer has in flight: delivered, and neither acknowledged nor given back; 100 by default, 1 to 10,000.
    pub in_flight_max: usize,
    /// How many bytes the events have as they are stored that a consumer has in flight, one event at least; 4 MiB by default, 1
    /// byte to 1 GiB. A consumer that acknowledges several events at once is to have room for them here: no more come before
    /// it has acknowledged some.
    pub in_flight_bytes_max: usize,
    /// How many consumers an engine may have; 1 by default, up to 1,000.
    pub consumers_max: usize,
    /// How long a consumer may have an event in flight, if not for ever; 30 seconds by default, as of NATS JetStream and KurrentDB,
    /// 10 milliseconds to 1 day. Then it goes to other consumers first, with the later ones of its entity, and counts as tried
    /// again: an event that hangs one consumer after the other is given up after its `retries`. An acknowledgement that comes later
    /// is [an error](crate::AckError::TimedOut), so let it be longer than handling `in_flight_max` events takes, if they are
    /// handled one after the other. Without it a consumer that hangs keeps its events, and everything behind them from being saved.
    pub ack_timeout: Option<Duration>,
    /// How many events are read behind the oldest one that is not acknowledged; 10,000 by default, `in_flight_max` to
    /// 1,000,000. So many may
    /// come twice after a crash. While what was settled cannot be saved, no more are read once so many are not saved, or
    /// `checkpoint_events` if that is more, or 1,000 dead letters.
    pub ahead_max: usize,
    /// How often an event is tried again; 5 times by default, up to 1,000.
    pub retries: u32,
    /// How long to wait before the first retry, where [`Nack::Retry`](crate::Nack) says nothing else; 100 milliseconds by default, 1
    /// millisecond to 1 hour. It doubles each time.
    pub retry_first: Duration,
    /// How long to wait before a retry at most; 30 seconds by default, `retry_first` to 1 day.
    pub retry_max: Duration,
    /// What is done about an event that was tried again so often; it is parked by default.
    pub on_exhausted: LastResort,
    /// What is done about an event that cannot be decoded; the subscription stops by default.
    pub on_undecodable: LastResort,
    /// How many events are settled before that is saved; 100 by default, 1 to 100,000.
    pub checkpoint_events: u64,
    /// How long what is settled may stay unsaved; 1 second by default, 10 milliseconds to 10 minutes.
    pub checkpoint_interval: Duration,
    /// How long a process that shows no sign of life keeps the subscription; 10 seconds by default, 300 milliseconds to 1 hour.
    pub lease: Duration,
    /// How long a shutdown waits for acknowledgements of what is in flight; 5 seconds by default, up to 10 minutes.
    pub shutdown_timeout: Duration,
}

impl SubscriptionSettings {
    /// Those of a subscription that begins there, with all others as they are by default.
    ///
    /// # Examples
    /// ```
    /// use actum::{StartAt, settings::SubscriptionSettings};
    /// use std::time::Duration;
    ///
    /// let mut settings = SubscriptionSettings::new(StartAt::Now);
    /// settings.retry_max = Duration::from_secs(300);
    /// ```
    #[must_use]
    pub fn new(start_at: StartAt) -> Self {
        Self {
            start_at,
            buffer_events: 500,
            buffer_bytes: 1 << 20,
            in_flight_max: 100,
            in_flight_bytes_max: 4 << 20,
            ack_timeout: Some(Duration::from_secs(30)),
            consumers_max: 1,
            ahead_max: 10_000,
            retries: 5,
            retry_first: Duration::from_millis(100),
            retry_max: Duration::from_secs(30),
            on_exhausted: LastResort::Park,
            on_undecodable: LastResort::Stop,
            checkpoint_events: 100,
            checkpoint_interval: Duration::from_secs(1),
            lease: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(5),
        }
    }

    pub(super) fn check(&self, check: &mut SettingsCheck) {
        check.number("buffer_events", self.buffer_events, 1..=10_000);
        check.bytes("buffer_bytes", self.buffer_bytes, 1..=64 << 20);
        let (milli, hour) = (Duration::from_millis(1), Duration::from_secs(3_600));
        check.number("in_flight_max", self.in_flight_max, 1..=10_000);
        check.bytes("in_flight_bytes_max", self.in_flight_bytes_max, 1..=1 << 30);
        if let Some(ack_timeout) = self.ack_timeout {
            check.duration("ack_timeout", ack_timeout, 10 * milli..=24 * hour);
        }
        check.number("consumers_max", self.consumers_max, 1..=1_000);
        check.number("ahead_max", self.ahead_max, self.in_flight_max.clamp(1, 10_000)..=1_000_000);
        check.number("retries", self.retries, ..=1_000);
        check.duration("retry_first", self.retry_first, milli..=hour);
        check.duration("retry_max", self.retry_max, self.retry_first.min(hour)..=24 * hour);
        check.number("checkpoint_events", self.checkpoint_events, 1..=100_000);
        check.duration("checkpoint_interval", self.checkpoint_interval, 10 * milli..=hour / 6);
        check.duration("lease", self.lease, 300 * milli..=hour);
        check.duration("shutdown_timeout", self.shutdown_timeout, ..=hour / 6);
    }

    pub(super) fn rules(&self) -> SubscriptionRules {
        SubscriptionRules {
            in_flight_max: self.in_flight_max,
            in_flight_bytes_max: self.in_flight_bytes_max,
            ack_timeout: self.ack_timeout,
            consumers_max: self.consumers_max,
            buffer_events: self.buffer_events,
            buffer_bytes: self.buffer_bytes,
            ahead_max: self.ahead_max,
            retries: self.retries,
            backoff: Backoff { first: self.retry_first, max: self.retry_max },
            on_exhausted: self.on_exhausted,
            on_undecodable: self.on_undecodable,
            checkpoint_events: self.checkpoint_events,
            checkpoint_interval: self.checkpoint_interval,
        }
    }

    /// How what is kept is claimed: as of a projection with one segment.
    pub(super) fn claiming(&self) -> ProjectionSettings {
        ProjectionSettings {
            start_at: self.start_at.clone(),
            lease: self.lease,
            shutdown_timeout: self.shutdown_timeout,
            ..ProjectionSettings::default()
        }
    }

    /// How much is read at once.
    pub(super) fn page_limit(&self) -> PageLimit {
        let events = u32::try_from(self.buffer_events).unwrap_or(u32::MAX);
        let events = NonZeroU32::new(events).unwrap_or(NonZeroU32::MIN);
        PageLimit::default().with_events(events).with_bytes(self.buffer_bytes)
    }
}
