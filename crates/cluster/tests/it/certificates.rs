//! Certificates in files, as a node finds them.

use actum_cluster::transport::{ClusterSecret, LinkSecurity, TlsFiles, TransportSettings};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use std::{fs, path::Path, time::Duration};

pub(crate) const SECRET: [u8; 32] = [7; 32];

/// An authority that signs certificates for nodes at 127.0.0.1.
pub(crate) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// Writes a new certificate for `host` into a directory, and which authorities are trusted.
    pub(crate) fn write(&self, dir: &Path, host: &str, trusted: &[&Self]) {
        let params = CertificateParams::new(vec![host.to_owned()]).expect("a name");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let write = |name: &str, text: String| {
            // as a whole: what is half written is tested elsewhere
            fs::write(dir.join("new"), text).expect("a file");
            fs::rename(dir.join("new"), dir.join(name)).expect("a file");
        };
        write("node.pem", certificate.pem());
        write("node.key", key.serialize_pem());
        write("trusted.pem", trusted.iter().map(|authority| authority.certificate.pem()).collect());
    }
}

/// The files in a directory.
pub(crate) fn files(dir: &Path) -> TlsFiles {
    TlsFiles::new(dir.join("node.pem"), dir.join("node.key"), dir.join("trusted.pem"))
        .with_reload_interval(Duration::from_millis(100))
}

/// Settings of a node that has its certificate there.
pub(crate) fn settings(dir: &Path) -> TransportSettings {
    let security = LinkSecurity::tls(files(dir), ClusterSecret::new(SECRET));
    TransportSettings::default().with_security(security)
}
