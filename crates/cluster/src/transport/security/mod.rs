//! How connections between nodes are protected: mutual TLS, whose files are read again when they change, and the cluster's secret.

mod certificate_expiry;
mod cluster_secret;
mod link_security;
mod protection;
#[cfg(test)]
mod tests;
mod tls_error;
mod tls_files;
mod tls_identity;
mod tls_watch;

pub use cluster_secret::ClusterSecret;
pub use link_security::LinkSecurity;
pub(super) use protection::{ByteStream, ProtectedStream, Protection};
pub use tls_error::TlsError;
pub use tls_files::TlsFiles;
