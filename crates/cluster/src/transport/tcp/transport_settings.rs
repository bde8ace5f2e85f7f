use crate::transport::LinkSecurity;
use actum_persistence::settings_check::SettingsCheck;
use std::{net::IpAddr, time::Duration};

/// How a node connects with its peers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportSettings {
    /// How connections are protected; not at all by default, and over loopback only.
    pub security: LinkSecurity,
    /// How long a peer may take to accept a connection; 2 seconds by default, 10 milliseconds to 1 minute.
    pub connect_timeout: Duration,
    /// How long a connection may take to be encrypted and introduced, and then to begin its session; 5 seconds by default, 10
    /// milliseconds to 1 minute.
    pub handshake_timeout: Duration,
    /// How many connections that were accepted may not be introduced yet; 64 by default, 1 to 10,000. Beyond it the one that
    /// takes longest is ended.
    pub handshakes_max: usize,
    /// How soon a peer is dialled again at first; 50 milliseconds by default, 1 millisecond to 1 minute. It doubles each time,
    /// and differs by a quarter at random.
    pub redial_first: Duration,
    /// How late a peer is dialled again at most; 500 milliseconds by default, up to 1 minute.
    pub redial_max: Duration,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            security: LinkSecurity::loopback_only(),
            connect_timeout: Duration::from_secs(2),
            handshake_timeout: Duration::from_secs(5),
            handshakes_max: 64,
            redial_first: Duration::from_millis(50),
            redial_max: Duration::from_millis(500),
        }
    }
}

impl TransportSettings {
    /// Sets [`security`](Self::security).
    #[must_use]
    pub fn with_security(self, security: LinkSecurity) -> Self {
        Self { security, ..self }
    }

    /// Sets [`connect_timeout`](Self::connect_timeout).
    #[must_use]
    pub fn with_connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// Sets [`handshake_timeout`](Self::handshake_timeout).
    #[must_use]
    pub fn with_handshake_timeout(self, handshake_timeout: Duration) -> Self {
        Self { handshake_timeout, ..self }
    }

    /// Sets [`handshakes_max`](Self::handshakes_max).
    #[must_use]
    pub fn with_handshakes_max(self, handshakes_max: usize) -> Self {
        Self { handshakes_max, ..self }
    }

    /// Sets [`redial_first`](Self::redial_first) and [`redial_max`](Self::redial_max).
    #[must_use]
    pub fn with_redial(self, redial_first: Duration, redial_max: Duration) -> Self {
        Self { redial_first, redial_max, ..self }
    }

    /// Checks that they are within their bounds, and protect enough for a node that listens at this address.
    pub fn check(&self, check: &mut SettingsCheck, listens_at: IpAddr) {
        let (milli, minute) = (Duration::from_millis(1), Duration::from_secs(60));
        self.security.check(check, listens_at);
        check.duration("connect_timeout", self.connect_timeout, 10 * milli..=minute);
        check.duration("handshake_timeout", self.handshake_timeout, 10 * milli..=minute);
        check.number("handshakes_max", self.handshakes_max, 1..=10_000);
        check.duration("redial_first", self.redial_first, milli..=minute);
        check.duration("redial_max", self.redial_max, self.redial_first.min(minute)..=minute);
    }
}

#[cfg(test)]
mod tests {
    use super::TransportSettings;
    use actum_persistence::settings_check::SettingsCheck;
    use std::{net::Ipv4Addr, time::Duration};

    #[test]
    fn settings_have_bounds() {
        let problems = |settings: TransportSettings| {
            let mut check = SettingsCheck::new();
            settings.check(&mut check, Ipv4Addr::LOCALHOST.into());
            check.into_problems()
        };
        let (settings, zero) = (TransportSettings::default(), Duration::ZERO);
        assert_eq!(problems(settings.clone()), [""; 0]);
        let settings = settings.with_connect_timeout(zero).with_handshake_timeout(zero);
        let settings = settings.with_handshakes_max(0);
        assert_eq!(
            problems(settings.with_redial(Duration::from_secs(2), Duration::from_secs(1))),
            [
                "`connect_timeout` is 0 ms, it must be 10 ms to 1 minute",
                "`handshake_timeout` is 0 ms, it must be 10 ms to 1 minute",
                "`handshakes_max` is 0, it must be 1 to 10,000",
                "`redial_max` is 1 s, it must be 2 s to 1 minute",
            ]
        );
    }
}
