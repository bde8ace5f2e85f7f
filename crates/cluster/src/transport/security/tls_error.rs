use std::path::PathBuf;
use thiserror::Error;

/// Why certificates cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not the PEM that it should be.
    #[error("{} holds no {wanted} as PEM", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        wanted: &'static str,
        /// Why.
        source: Option<rustls::pki_types::pem::Error>,
    },
    /// The key is that of another certificate, or of a kind that is not known; or an authority is none.
    #[error("the certificate, its key and the authorities do not fit together")]
    Mismatch(#[source] rustls::Error),
    /// The authorities cannot be used to check peers.
    #[error("the authorities cannot be used")]
    Authorities(#[source] rustls::server::VerifierBuilderError),
    /// What peers are called in their certificates is not a name.
    #[error("`{0}` is not a name of a host")]
    Name(String),
}
