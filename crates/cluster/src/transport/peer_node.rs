use actum_persistence::store::Incarnation;
use std::fmt;

/// A life of a node, and where its peers find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerNode {
    /// Which life it is: unique among all nodes that ever wrote to the journal.
    pub incarnation: Incarnation,
    /// The name of the node, 1 to 64 bytes.
    pub name: String,
    /// Where it is dialled, `host:port`; the host is a name or an address, an IPv6 address in brackets.
    pub address: String,
}

impl PeerNode {
    /// The life `incarnation` of the node `name`, dialled at `address`.
    #[must_use]
    pub fn new(
        incarnation: Incarnation,
        name: impl Into<String>,
        address: impl Into<String>,
    ) -> Self {
        Self { incarnation, name: name.into(), address: address.into() }
    }
}

impl fmt::Display for PeerNode {
    /// `name@incarnation`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.incarnation)
    }
}
