use std::fmt;

/// The fewest and the most bytes of a secret.
pub(super) const SECRET_BYTES_MIN: usize = 16;
pub(super) const SECRET_BYTES_MAX: usize = 1_024;

/// What all nodes of a cluster know and no one else does. Best 32 random bytes: it is never sent, and who can guess it can check
/// that by what travels on a connection that is not encrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct ClusterSecret(Vec<u8>);

impl ClusterSecret {
    /// A secret of 16 to 1,024 bytes, which is checked when the cluster starts.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    pub(in crate::transport) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ClusterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterSecret(..)")
    }
}
