use crate::Origins;
use actum_persistence::settings_check::SettingsCheck;
use std::{error::Error, fmt, ops::RangeInclusive, time::Duration};

/// How clients are served. All settings are checked together when the [route](crate::LiveEvents::route) is made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveSettings {
    /// How many clients there are at most; 1,000 by default, 1 to 1,000,000. More are asked to come back later.
    pub clients_max: usize,
    /// How many bytes of events are read for a client at once, one event at least; 64 KiB by default, 1 byte to 64 MiB. Twice as
    /// many may be in memory.
    pub buffer_bytes: usize,
    /// How long a client may take for one frame; 10 seconds by default, 1 millisecond to 10 minutes. Then it is cut.
    pub send_timeout: Duration,
    /// How often a client gets a heartbeat and a ping; 15 seconds by default, 1 millisecond to 10 minutes.
    pub heartbeat: Duration,
    /// How long nothing may be heard, on either side; 45 seconds by default, twice `heartbeat` to 1 hour.
    pub silence_max: Duration,
    /// How long clients are to wait before they come back: 500 milliseconds to 10 seconds by default, each of them some time in
    /// between; up to 1 hour.
    pub retry: RangeInclusive<Duration>,
    /// How long a client may take to take in why it is closed; 5 seconds by default, 1 millisecond to 1 minute.
    pub close_timeout: Duration,
    /// Pages of which origins may connect; those of the same host by default.
    pub origins: Origins,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            clients_max: 1_000,
            buffer_bytes: 64 << 10,
            send_timeout: Duration::from_secs(10),
            heartbeat: Duration::from_secs(15),
            silence_max: Duration::from_secs(45),
            retry: Duration::from_millis(500)..=Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            origins: Origins::Same,
        }
    }
}

impl LiveSettings {
    /// Sets [`clients_max`](Self::clients_max).
    #[must_use]
    pub fn with_clients_max(self, clients_max: usize) -> Self {
        Self { clients_max, ..self }
    }

    /// Sets [`buffer_bytes`](Self::buffer_bytes).
    #[must_use]
    pub fn with_buffer_bytes(self, buffer_bytes: usize) -> Self {
        Self { buffer_bytes, ..self }
    }

    /// Sets [`send_timeout`](Self::send_timeout).
    #[must_use]
    pub fn with_send_timeout(self, send_timeout: Duration) -> Self {
        Self { send_timeout, ..self }
    }

    /// Sets [`heartbeat`](Self::heartbeat).
    #[must_use]
    pub fn with_heartbeat(self, heartbeat: Duration) -> Self {
        Self { heartbeat, ..self }
    }

    /// Sets [`silence_max`](Self::silence_max).
    #[must_use]
    pub fn with_silence_max(self, silence_max: Duration) -> Self {
        Self { silence_max, ..self }
    }

    /// Sets [`retry`](Self::retry).
    #[must_use]
    pub fn with_retry(self, retry: RangeInclusive<Duration>) -> Self {
        Self { retry, ..self }
    }

    /// Sets [`close_timeout`](Self::close_timeout).
    #[must_use]
    pub fn with_close_timeout(self, close_timeout: Duration) -> Self {
        Self { close_timeout, ..self }
    }

    /// Sets [`origins`](Self::origins).
    #[must_use]
    pub fn with_origins(self, origins: Origins) -> Self {
        Self { origins, ..self }
    }

    pub(crate) fn check(&self, check: &mut SettingsCheck) {
        let (milli, minute) = (Duration::from_millis(1), Duration::from_secs(60));
        let (first, last) = (*self.retry.start(), *self.retry.end());
        let silence_min = 2 * self.heartbeat.min(10 * minute);
        check.number("clients_max", self.clients_max, 1..=1_000_000);
        check.bytes("buffer_bytes", self.buffer_bytes, 1..=64 << 20);
        check.duration("send_timeout", self.send_timeout, milli..=10 * minute);
        check.duration("heartbeat", self.heartbeat, milli..=10 * minute);
        check.duration("silence_max", self.silence_max, silence_min..=60 * minute);
        check.duration("retry.end()", last, first..=60 * minute);
        check.duration("close_timeout", self.close_timeout, milli..=minute);
    }
}

/// Live events that cannot be served as they are set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidLiveEvents {
    /// Everything that is wrong with them, a sentence each.
    pub problems: Vec<String>,
}

impl fmt::Display for InvalidLiveEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "live events are not valid: {}", self.problems.join("; "))
    }
}

impl Error for InvalidLiveEvents {}
