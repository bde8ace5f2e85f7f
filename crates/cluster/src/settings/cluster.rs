use super::{Listening, NodeSettings, Transport};
use crate::{
    link::LinkSettings,
    transport::{LinkSecurity, MemoryNetwork},
};
use actum_persistence::{
    members::{ClusterTerms, NODE_BYTES_MAX},
    settings_check::SettingsCheck,
};
use actum_placement::assignment::AppVersion;
use actum_runtime::StartError;
use std::{num::NonZeroU32, time::Duration};

/// The cluster that an engine belongs to, as one of its nodes.
///
/// All nodes run the same kinds of entities over the same journal. Each entity is served by the node that owns its partition,
/// and commands find it from every node. Nodes find each other by the journal: none needs the address of another one.
#[derive(Clone, Debug)]
#[must_use = "an engine joins it by `.cluster(..)`"]
pub struct Cluster {
    transport: Transport,
    advertised: Option<String>,
    pub(crate) node: Option<String>,
    name: Option<String>,
    pub(crate) application_version: AppVersion,
    pub(crate) weight: NonZeroU32,
    pub(crate) routes_only: bool,
    pub(crate) node_settings: NodeSettings,
    link: LinkSettings,
}

impl Cluster {
    fn over(transport: Transport) -> Self {
        Self {
            transport,
            advertised: None,
            node: None,
            name: None,
            application_version: AppVersion::default(),
            weight: NonZeroU32::MIN,
            routes_only: false,
            node_settings: NodeSettings::default(),
            link: LinkSettings::default(),
        }
    }

    /// Nodes reach each other over the network, by TCP: this one listens on `host:port`, port 0 is one that is free. Without a
    /// [`security`](Self::security) nodes are on one machine, and reach each other over loopback only.
    pub fn listen(address: impl Into<String>) -> Self {
        let (listen, settings) = (address.into(), Box::default());
        Self::over(Transport::Tcp { listen, settings })
    }

    /// Within this process, for tests.
    pub fn in_memory(network: &MemoryNetwork) -> Self {
        Self::over(Transport::Memory(network.clone()))
    }

    /// How the connections between nodes are protected: by certificates and a secret.
    ///
    /// # Examples
    /// ```
    /// use actum_cluster::{Cluster, transport::{ClusterSecret, LinkSecurity, TlsFiles}};
    ///
    /// let files = TlsFiles::new("node.pem", "node.key", "authorities.pem");
    /// let secret = ClusterSecret::new("32 random bytes that all nodes know");
    /// let cluster = Cluster::listen("10.0.0.7:7400").security(LinkSecurity::tls(files, secret));
    /// ```
    pub fn security(mut self, security: LinkSecurity) -> Self {
        if let Transport::Tcp { settings, .. } = &mut self.transport {
            settings.security = security;
        }
        self
    }

    /// The name of this node, 1 to 64 bytes; by default its address. A process that is started under the name of another one
    /// takes its place, and the older one serves nothing any more.
    pub fn node(mut self, name: impl Into<String>) -> Self {
        self.node = Some(name.into());
        self
    }

    /// The name of the cluster, 1 to 64 bytes; by default that of the engine. Nodes of two clusters cannot share a journal.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Where other nodes reach this one, `host:port`, where that is another address than the one it listens on.
    pub fn advertised(mut self, address: impl Into<String>) -> Self {
        self.advertised = Some(address.into());
        self
    }

    /// The version of the application, 0.0.0 by default. While nodes are of several versions, as in a rolling update, partitions
    /// move only if they have to, and to nodes of the newest version.
    pub fn application_version(mut self, major: u64, minor: u64, patch: u64) -> Self {
        self.application_version = AppVersion::new(major, minor, patch);
        self
    }

    /// How much this node takes beside others; 1 by default. One of weight 2 owns twice as many partitions.
    pub fn weight(mut self, weight: NonZeroU32) -> Self {
        self.weight = weight;
        self
    }

    /// Lets this node own nothing: it only sends commands to those that do.
    pub fn routes_only(mut self) -> Self {
        self.routes_only = true;
        self
    }

    /// For how long a node relies on a renewal of its membership; 3 seconds by default, 300 milliseconds to 1 day, the same for
    /// all nodes. A node that is silent for that long is removed.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.node_settings.failure.lease = lease;
        self
    }

    /// For how long the connections to a node are refused before it is suspected to be dead; 200 milliseconds by default, 20
    /// milliseconds up to the lease.
    pub fn refused_for(mut self, refused_for: Duration) -> Self {
        self.node_settings.failure.refused_for = refused_for;
        self
    }

    /// How many partitions this node hands off at a time; 8 by default, at least 1.
    pub fn hand_offs_max(mut self, hand_offs_max: usize) -> Self {
        self.node_settings.moves.hand_offs_max = hand_offs_max;
        self
    }

    /// How long a partition may take to answer the commands it has taken before it is handed off; 5 seconds by default. Those
    /// that are not answered by then fail.
    pub fn hand_off_timeout(mut self, hand_off_timeout: Duration) -> Self {
        self.node_settings.hand_off_timeout = hand_off_timeout;
        self
    }

    /// How the links to other nodes behave.
    pub fn link(mut self, link: LinkSettings) -> Self {
        self.link = link;
        self
    }

    /// What all nodes of the cluster of this engine must agree on.
    pub(crate) fn terms(&self, engine: &str) -> ClusterTerms {
        ClusterTerms {
            cluster: self.name.clone().unwrap_or_else(|| engine.to_owned()),
            lease: self.node_settings.failure.lease,
        }
    }

    pub(crate) fn check(&self, check: &mut SettingsCheck) {
        self.node_settings.check(check);
        self.link.check(check);
        self.transport.check(self.advertised.is_some(), check);
        if let Some(node) = &self.node {
            check.bytes("cluster.node", node.len(), 1..=NODE_BYTES_MAX);
        }
    }

    /// Begins to take connections, so that the node can say where it is reached; it answers none before it has joined.
    pub(crate) async fn begin_to_listen(&self, engine: &str) -> Result<Listening, StartError> {
        let cluster = self.terms(engine).cluster;
        let mut listening = self.transport.begin_to_listen(cluster, self.link).await?;
        if let Some(advertised) = &self.advertised {
            listening.address.clone_from(advertised);
        }
        Ok(listening)
    }
}
