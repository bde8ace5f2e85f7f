//! Nodes in one process, over one journal and one network.

use crate::{
    account::Account,
    kinds::{Note, Tally},
};
use actum_cluster::{Cluster, ClusterView, Node, NodeStart, transport::MemoryNetwork};
use actum_model::{EntityKey, Partition, PartitionCount};
use actum_persistence::{
    members::RolePartition,
    settings_check::SettingsCheck,
    store::{Incarnation, JournalLayout, Stores},
};
use actum_runtime::{
    EntityRef, Registration, Runtime, StartError,
    settings::{EntitySettings, OpenAtStart, RuntimeSettings},
};
use actum_store_memory::MemoryStore;
use actum_testkit::{FaultStore, Faults};
use std::time::Duration;
use tokio::time::Instant;

/// A journal and a network.
pub(crate) struct Rig {
    pub(crate) memory: MemoryStore,
    pub(crate) network: MemoryNetwork,
}

/// A node with its engine.
pub(crate) struct RunningNode {
    pub(crate) runtime: Runtime,
    pub(crate) node: Node,
    /// What goes wrong between this node and the journal.
    pub(crate) faults: Faults,
}

pub(crate) const PARTITIONS: u16 = 16;

impl Rig {
    pub(crate) fn new() -> Self {
        let partitions = PartitionCount::new(PARTITIONS).expect("a count");
        let layout = JournalLayout { partitions, ..JournalLayout::default() };
        Self { memory: MemoryStore::with_layout(layout), network: MemoryNetwork::new() }
    }

    pub(crate) fn cluster(&self, node: &str) -> Cluster {
        Cluster::in_memory(&self.network).node(node)
    }

    pub(crate) async fn start(&self, node: &str) -> RunningNode {
        self.start_as(self.cluster(node)).await.expect("it joins")
    }

    pub(crate) async fn start_as(&self, cluster: Cluster) -> Result<RunningNode, StartError> {
        let faults = Faults::new();
        let stores: Stores = FaultStore::scripted(self.memory.reopen(), &faults).into();
        let kinds = vec![
            Registration::event_sourced::<Account>(
                (),
                EntitySettings::default().with_remote_state(),
            ),
            Registration::event_sourced::<Tally>((), EntitySettings::default()),
            Registration::durable_state::<Note>((), EntitySettings::default()),
        ];
        let names = kinds.iter().map(|kind| kind.kind().to_owned()).collect();
        let layout = stores.events.layout();
        let start = NodeStart::new(cluster, "bank", names, layout);
        let mut check = SettingsCheck::new();
        start.check(Some(&stores), &mut check);
        let settings = RuntimeSettings::default()
            .with_open_at_start(OpenAtStart::Only(Vec::new()))
            .with_elsewhere(start.elsewhere());
        let (problems, join) = (check.into_problems(), Some(start.join()));
        let runtime =
            Runtime::start_unless(problems, "bank", Some(stores), kinds, settings, join).await?;
        let node = start.start(&runtime);
        Ok(RunningNode { runtime, node, faults })
    }

    /// Takes the partition of an account from its owner, without its knowledge.
    pub(crate) async fn release(&self, owner: Incarnation, id: &str) {
        let stores: Stores = self.memory.reopen().into();
        let partition = partition_of(id);
        let of = RolePartition { role: "".into(), partition };
        let members = stores.members.expect("nodes can share it");
        members.release_partitions(owner, &[of]).await.expect("it is released");
    }

    /// Nodes of these names, each of which sees that every partition has an owner and that they are shared out.
    pub(crate) async fn start_all(&self, names: &[&str]) -> Vec<RunningNode> {
        let mut nodes = Vec::new();
        for name in names {
            nodes.push(self.start(name).await);
        }
        settled(&nodes).await;
        nodes
    }
}

/// Waits until all nodes see each other, and that the partitions are shared out among them.
pub(crate) async fn settled(nodes: &[RunningNode]) {
    let (least, most) = shares(nodes.len());
    for node in nodes {
        let is_settled = |view: &ClusterView| {
            let owned = view.members.iter().map(|member| member.partitions);
            view.members.len() == nodes.len()
                && view.is_complete()
                && owned.clone().all(|owned| (least..=most).contains(&owned))
                && view.partitions.iter().all(|partition| !partition.is_moving)
                && view.links.iter().filter(|link| link.connected_for.is_some()).count()
                    == nodes.len() - 1
        };
        node.node.sees(is_settled).await;
    }
}

fn shares(nodes: usize) -> (usize, usize) {
    let all = usize::from(PARTITIONS);
    (all / nodes, all.div_ceil(nodes))
}

impl RunningNode {
    pub(crate) fn account(&self, id: &str) -> EntityRef<Account> {
        self.runtime.entity(id)
    }

    pub(crate) fn incarnation(&self) -> Incarnation {
        self.node.view().me
    }

    /// An id of a kind whose entity this node owns.
    pub(crate) fn owned_id(&self, kind: &'static str) -> String {
        let view = self.node.view();
        let owns = |id: &String| {
            let key = EntityKey::new(kind, id.as_str()).expect("an id");
            let partition = key.partition(PartitionCount::new(PARTITIONS).expect("a count"));
            view.partitions[partition.index()].owner == Some(view.me)
        };
        ids().find(owns).expect("every node owns some")
    }

    pub(crate) fn owns(&self, id: &str) -> bool {
        let view = self.node.view();
        view.partitions[partition_of(id).index()].owner == Some(view.me)
    }

    pub(crate) fn owned(&self) -> usize {
        self.node.view().owned_here()
    }

    /// Leaves and ends, as an engine that is shut down.
    pub(crate) async fn shut_down(self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        self.node.leave(deadline).await;
        let report = self.runtime.shutdown_by(deadline).await;
        self.node.end().await;
        assert!(report.is_clean(), "{report:?}");
    }

    /// The journal cannot be reached from this node until the faults [stop](Faults::stop).
    pub(crate) fn lose_journal(&self) {
        self.faults.lose_journal();
    }

    /// Ends as a process that is killed: nothing is given back.
    pub(crate) fn kill(self, network: &MemoryNetwork) {
        network.kill(self.incarnation());
        self.node.close();
    }
}

fn partition_of(id: &str) -> Partition {
    let key = EntityKey::new("account", id).expect("an id");
    key.partition(PartitionCount::new(PARTITIONS).expect("a count"))
}

/// Ids of accounts, of which every partition has some.
pub(crate) fn ids() -> impl Iterator<Item = String> {
    (0..64).map(|nr| format!("acc-{nr}"))
}
