use super::{TlsError, TlsFiles, certificate_expiry};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::Resumption,
    crypto::CryptoProvider,
    pki_types::{
        CertificateDer, PrivateKeyDer, ServerName,
        pem::{self, PemObject},
    },
    server::WebPkiClientVerifier,
};
use std::{fs, path::Path, sync::Arc, time::SystemTime};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The bytes of the three files.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct TlsFileBytes {
    certificate: Vec<u8>,
    key: Vec<u8>,
    authorities: Vec<u8>,
}

impl TlsFileBytes {
    pub(super) fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let read = |path: &Path| {
            fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
        };
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
            authorities: read(&files.authorities)?,
        })
    }
}

/// A certificate with its key and the authorities that peers are checked by, ready to be used.
pub(in crate::transport) struct TlsIdentity {
    /// Counts those that were loaded.
    pub(in crate::transport) generation: u64,
    pub(super) acceptor: TlsAcceptor,
    pub(super) connector: TlsConnector,
    /// The name that certificates of peers are for, if it is not their host.
    pub(super) peer_name: Option<ServerName<'static>>,
    /// When the certificate of the node expires.
    pub(super) expires: Option<SystemTime>,
}

impl TlsIdentity {
    pub(super) fn new(
        files: &TlsFiles,
        bytes: &TlsFileBytes,
        generation: u64,
    ) -> Result<Self, TlsError> {
        let chain = certificates(&files.certificate, &bytes.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&bytes.key)
            .map_err(|error| not_pem(&files.key, "private key", Some(error)))?;
        let mut roots = RootCertStore::empty();
        for authority in certificates(&files.authorities, &bytes.authorities)? {
            roots.add(authority).map_err(TlsError::Mismatch)?;
        }
        let roots = Arc::new(roots);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let peer_name = files.peer_name.as_deref().map(server_name).transpose()?;
        Ok(Self {
            generation,
            expires: chain.iter().filter_map(|der| certificate_expiry::expires(der)).min(),
            acceptor: acceptor(&provider, &roots, chain.clone(), key.clone_key())?,
            connector: connector(&provider, &roots, chain, key)?,
            peer_name,
        })
    }
}

/// The name of a host, or its address.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Name(host.to_owned()))
}

fn acceptor(
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<TlsAcceptor, TlsError> {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
        .build()
        .map_err(TlsError::Authorities)?;
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(TlsError::Mismatch)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(TlsError::Mismatch)?;
    // a resumed connection would rely on a certificate that was checked by authorities of before
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn connector(
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<TlsConnector, TlsError> {
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(TlsError::Mismatch)?
        .with_root_certificates(roots.clone())
        .with_client_auth_cert(chain, key)
        .map_err(TlsError::Mismatch)?;
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wanted = "certificate";
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.map_err(|error| not_pem(path, wanted, Some(error)))?;
    if read.is_empty() {
        return Err(not_pem(path, wanted, None));
    }
    Ok(read)
}

fn not_pem(path: &Path, wanted: &'static str, source: Option<pem::Error>) -> TlsError {
    TlsError::NotPem { path: path.to_owned(), wanted, source }
}
