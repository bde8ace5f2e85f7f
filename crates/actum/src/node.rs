//! What of an engine belongs to a cluster: nothing without the feature `cluster`.

#[cfg(feature = "cluster")]
use actum_cluster::{Cluster, Node, NodeStart};
#[cfg(not(feature = "cluster"))]
use actum_persistence::{settings_check::SettingsCheck, store::Stores};
#[cfg(not(feature = "cluster"))]
use actum_runtime::{Join, Runtime, ShutdownReport, settings::RuntimeSettings};

/// The cluster that was given, if one was.
#[derive(Debug, Default)]
pub(crate) struct NodeToStart {
    #[cfg(feature = "cluster")]
    cluster: Option<Cluster>,
}

/// A node whose engine is about to start.
pub(crate) struct PreparedNode {
    #[cfg(feature = "cluster")]
    start: Option<NodeStart>,
}

/// The node of an engine, if it belongs to a cluster.
#[derive(Clone, Debug)]
pub(crate) struct EngineNode {
    #[cfg(feature = "cluster")]
    node: Option<Node>,
}

#[cfg(feature = "cluster")]
mod clustered {
    use super::{EngineNode, NodeToStart, PreparedNode};
    use actum_cluster::{Cluster, Node, NodeStart};
    use actum_persistence::{settings_check::SettingsCheck, store::Stores};
    use actum_runtime::{
        Join, Runtime, ShutdownReport,
        settings::{OpenAtStart, RuntimeSettings},
    };
    use tokio::time::Instant;

    impl NodeToStart {
        pub(crate) fn belongs_to(&mut self, cluster: Cluster) {
            self.cluster = Some(cluster);
        }

        /// Checks the cluster, and lets the engine open no partition by itself.
        pub(crate) fn prepare(
            self,
            engine: &str,
            stores: Option<&Stores>,
            kinds: impl Iterator<Item = &'static str>,
            settings: RuntimeSettings,
            check: &mut SettingsCheck,
        ) -> (RuntimeSettings, PreparedNode) {
            let Some(cluster) = self.cluster else {
                return (settings, PreparedNode { start: None });
            };
            let layout = stores.map(|stores| stores.events.layout()).unwrap_or_default();
            let kinds = kinds.map(str::to_owned).collect();
            let node = NodeStart::new(cluster, engine, kinds, layout);
            node.check(stores, check);
            let settings = settings
                .with_open_at_start(OpenAtStart::Only(Vec::new()))
                .with_elsewhere(node.elsewhere());
            (settings, PreparedNode { start: Some(node) })
        }
    }

    impl PreparedNode {
        pub(crate) fn join(&self) -> Option<Join> {
            self.start.as_ref().map(NodeStart::join)
        }

        /// The name under which it has joined.
        pub(crate) fn name(&self) -> Option<String> {
            self.start.as_ref().and_then(NodeStart::joined_as)
        }

        pub(crate) fn start(self, runtime: &Runtime) -> EngineNode {
            EngineNode { node: self.start.map(|node| node.start(runtime)) }
        }
    }

    impl EngineNode {
        pub(crate) fn node(&self) -> Option<&Node> {
            self.node.as_ref()
        }

        /// Hands off what the node owns and shuts the engine down, within the shutdown timeout, and ends the links behind its
        /// last answers, in two seconds more at most; in a task that goes on when the caller goes away.
        pub(crate) async fn shutdown(&self, runtime: &Runtime) -> ShutdownReport {
            let Some(node) = self.node.clone() else { return runtime.shutdown().await };
            let of_task = runtime.clone();
            let ending = tokio::spawn(async move {
                let deadline = Instant::now() + of_task.shutdown_timeout();
                node.leave(deadline).await;
                let report = of_task.shutdown_by(deadline).await;
                node.end().await;
                report
            });
            match ending.await {
                Ok(report) => report,
                // the task has panicked: what is left is ended without the node
                Err(_) => runtime.shutdown().await,
            }
        }
    }
}

#[cfg(not(feature = "cluster"))]
impl NodeToStart {
    pub(crate) fn prepare(
        self,
        _engine: &str,
        _stores: Option<&Stores>,
        _kinds: impl Iterator<Item = &'static str>,
        settings: RuntimeSettings,
        _check: &mut SettingsCheck,
    ) -> (RuntimeSettings, PreparedNode) {
        (settings, PreparedNode {})
    }
}

#[cfg(not(feature = "cluster"))]
impl PreparedNode {
    pub(crate) fn join(&self) -> Option<Join> {
        None
    }

    pub(crate) fn name(&self) -> Option<String> {
        None
    }

    pub(crate) fn start(self, _runtime: &Runtime) -> EngineNode {
        EngineNode {}
    }
}

#[cfg(not(feature = "cluster"))]
impl EngineNode {
    pub(crate) async fn shutdown(&self, runtime: &Runtime) -> ShutdownReport {
        runtime.shutdown().await
    }
}
