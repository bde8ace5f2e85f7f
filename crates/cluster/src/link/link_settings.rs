use actum_persistence::settings_check::SettingsCheck;
use std::time::Duration;

/// How links to peers behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkSettings {
    /// How much may be queued and on its way to a peer, in bytes, with 64 bytes for each message; 16 MiB by default, 1 MiB to
    /// 1 GiB. Beyond it callers are refused.
    pub buffer_bytes_max: usize,
    /// The longest message, in bytes; 8 MiB by default, 32 KiB up to 1 KiB less than the buffer. A peer that takes less is not sent more.
    pub message_bytes_max: usize,
    /// How often a sign of life is sent; 200 milliseconds by default, 10 milliseconds to 10 seconds.
    pub heartbeat_interval: Duration,
    /// After how long without one a peer counts as silent; 1 second by default, two intervals at least.
    pub silent_after: Duration,
    /// After how long without one a connection is ended, to be dialled again; 3 seconds by default, at least as long as the
    /// time after which a peer is silent, up to 1 hour.
    pub lost_after: Duration,
}

impl Default for LinkSettings {
    fn default() -> Self {
        Self {
            buffer_bytes_max: 16 << 20,
            message_bytes_max: 8 << 20,
            heartbeat_interval: Duration::from_millis(200),
            silent_after: Duration::from_secs(1),
            lost_after: Duration::from_secs(3),
        }
    }
}

impl LinkSettings {
    /// Sets [`buffer_bytes_max`](Self::buffer_bytes_max).
    #[must_use]
    pub fn with_buffer_bytes_max(self, buffer_bytes_max: usize) -> Self {
        Self { buffer_bytes_max, ..self }
    }

    /// Sets [`message_bytes_max`](Self::message_bytes_max).
    #[must_use]
    pub fn with_message_bytes_max(self, message_bytes_max: usize) -> Self {
        Self { message_bytes_max, ..self }
    }

    /// Sets [`heartbeat_interval`](Self::heartbeat_interval).
    #[must_use]
    pub fn with_heartbeat_interval(self, heartbeat_interval: Duration) -> Self {
        Self { heartbeat_interval, ..self }
    }

    /// Sets [`silent_after`](Self::silent_after).
    #[must_use]
    pub fn with_silent_after(self, silent_after: Duration) -> Self {
        Self { silent_after, ..self }
    }

    /// Sets [`lost_after`](Self::lost_after).
    #[must_use]
    pub fn with_lost_after(self, lost_after: Duration) -> Self {
        Self { lost_after, ..self }
    }

    /// Checks that they are within their bounds.
    pub fn check(&self, check: &mut SettingsCheck) {
        let (milli, hour) = (Duration::from_millis(1), Duration::from_secs(3_600));
        check.bytes("link.buffer_bytes_max", self.buffer_bytes_max, 1 << 20..=1 << 30);
        let longest = self.buffer_bytes_max.clamp(64 << 10, 1 << 30) - MESSAGE_ROOM;
        check.bytes("link.message_bytes_max", self.message_bytes_max, 32 << 10..=longest);
        check.duration("link.heartbeat_interval", self.heartbeat_interval, 10 * milli..=hour / 360);
        let silent = 2 * self.heartbeat_interval.min(hour / 360);
        check.duration("link.silent_after", self.silent_after, silent..=hour);
        let lost = self.silent_after.min(hour);
        check.duration("link.lost_after", self.lost_after, lost..=hour);
    }
}

/// What must be left in the buffer beside the longest message.
const MESSAGE_ROOM: usize = 1 << 10;

#[cfg(test)]
mod tests {
    use super::LinkSettings;
    use actum_persistence::settings_check::SettingsCheck;
    use std::time::Duration;

    #[test]
    fn settings_have_bounds() {
        let problems = |settings: LinkSettings| {
            let mut check = SettingsCheck::new();
            settings.check(&mut check);
            check.into_problems()
        };
        let settings = LinkSettings::default();
        assert_eq!(problems(settings), [""; 0]);
        let (zero, day) = (Duration::ZERO, Duration::from_secs(86_400));
        let small = settings.with_buffer_bytes_max(0).with_message_bytes_max(0);
        assert_eq!(
            problems(
                small.with_heartbeat_interval(zero).with_silent_after(day).with_lost_after(zero)
            ),
            [
                "`link.buffer_bytes_max` is 0 bytes, it must be 1 MiB to 1 GiB",
                "`link.message_bytes_max` is 0 bytes, it must be 32 KiB to 63 KiB",
                "`link.heartbeat_interval` is 0 ms, it must be 10 ms to 10 s",
                "`link.silent_after` is 1 day, it must be 0 ms to 1 hour",
                "`link.lost_after` is 0 ms, it must be 1 hour to 1 hour",
            ]
        );
        assert_eq!(
            problems(settings.with_message_bytes_max(16 << 20)),
            ["`link.message_bytes_max` is 16 MiB, it must be 32 KiB to 16,383 KiB"]
        );
    }
}
