use std::{path::PathBuf, time::Duration};

/// Where a node finds its certificate and those it trusts, all as PEM. They are read again when they change.
///
/// Both sides of a connection show a certificate that an authority of the other one has signed, so certificates are for both
/// client and server use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsFiles {
    /// The certificate of the node, followed by those between it and an authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities that may have signed the certificates of peers: one or several, such as an old and a new one.
    pub authorities: PathBuf,
    /// The name that certificates of peers are for. By default it is the host of their address.
    pub peer_name: Option<String>,
    /// How often the files are looked at; 10 seconds by default, 100 milliseconds to 1 hour. What has changed is taken when it
    /// was the same twice, so that no file is taken that is half written.
    pub reload_interval: Duration,
}

impl TlsFiles {
    /// These files.
    #[must_use]
    pub fn new(
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
        authorities: impl Into<PathBuf>,
    ) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            authorities: authorities.into(),
            peer_name: None,
            reload_interval: Duration::from_secs(10),
        }
    }

    /// Sets [`peer_name`](Self::peer_name).
    #[must_use]
    pub fn with_peer_name(self, peer_name: impl Into<String>) -> Self {
        Self { peer_name: Some(peer_name.into()), ..self }
    }

    /// Sets [`reload_interval`](Self::reload_interval).
    #[must_use]
    pub fn with_reload_interval(self, reload_interval: Duration) -> Self {
        Self { reload_interval, ..self }
    }
}
