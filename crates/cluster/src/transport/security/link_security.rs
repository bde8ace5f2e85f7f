use super::{
    ClusterSecret, TlsFiles,
    cluster_secret::{SECRET_BYTES_MAX, SECRET_BYTES_MIN},
};
use actum_persistence::settings_check::SettingsCheck;
use std::{net::IpAddr, time::Duration};

/// How the connections between nodes are protected.
///
/// Beyond loopback nodes need both, certificates and a secret: a peer without one of them is refused. That connections there
/// are not encrypted must be said in words: [`plaintext_in_a_network_that_is_trusted`](Self::plaintext_in_a_network_that_is_trusted).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkSecurity {
    secret: Option<ClusterSecret>,
    tls: Option<TlsFiles>,
    trusts_network: bool,
}

impl LinkSecurity {
    /// No protection, for nodes of one machine: connections go over loopback only.
    #[must_use]
    pub fn loopback_only() -> Self {
        Self::default()
    }

    /// Mutual TLS by these files, and the cluster's secret.
    #[must_use]
    pub fn tls(files: TlsFiles, secret: ClusterSecret) -> Self {
        Self { secret: Some(secret), tls: Some(files), trusts_network: false }
    }

    /// The secret alone: who can listen in the network reads everything, and who can change packets there can change
    /// everything.
    #[must_use]
    pub fn plaintext_in_a_network_that_is_trusted(secret: ClusterSecret) -> Self {
        Self { secret: Some(secret), tls: None, trusts_network: true }
    }

    /// Adds the cluster's secret.
    #[must_use]
    pub fn with_secret(self, secret: ClusterSecret) -> Self {
        Self { secret: Some(secret), ..self }
    }

    /// The cluster's secret.
    #[must_use]
    pub fn secret(&self) -> Option<&ClusterSecret> {
        self.secret.as_ref()
    }

    /// The files of certificates.
    #[must_use]
    pub fn tls_files(&self) -> Option<&TlsFiles> {
        self.tls.as_ref()
    }

    /// Whether a connection with this address may be made.
    pub(in crate::transport) fn allows(&self, address: IpAddr) -> bool {
        self.tls.is_some() || self.trusts_network || address.to_canonical().is_loopback()
    }

    /// Checks that it is enough for a node that listens at this address. The files are read when the cluster starts.
    pub fn check(&self, check: &mut SettingsCheck, listens_at: IpAddr) {
        if let Some(secret) = &self.secret {
            let bounds = SECRET_BYTES_MIN..=SECRET_BYTES_MAX;
            check.bytes("security.secret", secret.bytes().len(), bounds);
        }
        if let Some(files) = &self.tls {
            let (least, most) = (Duration::from_millis(100), Duration::from_secs(3_600));
            check.duration("security.reload_interval", files.reload_interval, least..=most);
        }
        if !self.allows(listens_at) {
            check.problem(format!(
                "`security` is for loopback only, and the node listens at {listens_at}: it needs certificates and a secret"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ClusterSecret, LinkSecurity, TlsFiles};
    use actum_persistence::settings_check::SettingsCheck;
    use std::{net::IpAddr, time::Duration};

    fn problems(security: &LinkSecurity, listens_at: &str) -> Vec<String> {
        let mut check = SettingsCheck::new();
        security.check(&mut check, listens_at.parse().expect("an address"));
        check.into_problems()
    }

    #[test]
    fn nothing_goes_in_plain_text_beyond_loopback_unless_that_is_said_in_words() {
        let nothing = LinkSecurity::loopback_only();
        let secret = ClusterSecret::new([7; 32]);
        for loopback in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(problems(&nothing, loopback), [""; 0]);
        }
        for beyond in ["0.0.0.0", "10.0.0.7", "::", "fe80::1", "::ffff:10.0.0.7"] {
            let address: IpAddr = beyond.parse().expect("an address");
            for security in [nothing.clone(), nothing.clone().with_secret(secret.clone())] {
                assert_eq!(
                    problems(&security, beyond),
                    [format!(
                        "`security` is for loopback only, and the node listens at {address}: it needs certificates and a secret"
                    )]
                );
            }
            let tls = LinkSecurity::tls(TlsFiles::new("a", "b", "c"), secret.clone());
            let plain = LinkSecurity::plaintext_in_a_network_that_is_trusted(secret.clone());
            assert_eq!(problems(&tls, beyond), [""; 0]);
            assert_eq!(problems(&plain, beyond), [""; 0]);
        }
    }

    #[test]
    fn settings_have_bounds() {
        let files = TlsFiles::new("a", "b", "c").with_reload_interval(Duration::ZERO);
        assert_eq!(
            problems(&LinkSecurity::tls(files, ClusterSecret::new("too short")), "10.0.0.7"),
            [
                "`security.secret` is 9 bytes, it must be 16 bytes to 1 KiB",
                "`security.reload_interval` is 0 ms, it must be 100 ms to 1 hour",
            ]
        );
    }

    #[test]
    fn a_secret_is_never_printed() {
        let security =
            LinkSecurity::loopback_only().with_secret(ClusterSecret::new("0123456789abcdef"));
        assert!(!format!("{security:?}").contains("0123"));
    }
}
