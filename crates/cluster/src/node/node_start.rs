use super::{
    current_links::CurrentLinks,
    head_announcer::HeadAnnouncer,
    heard_heads::HeardHeads,
    joining::{JoinRequest, JoinedNode, NameHeld, NotJoined},
    node::Node,
    node_parts::NodeParts,
    node_task::NodeTask,
    view::ClusterView,
};
use crate::{
    member::MemberDescription,
    routing::{Inbound, PlacementTable, Router, RouterEntrance},
    settings::{Cluster, LinkStart, Listening},
};
use actum_persistence::{
    members::{ClusterTerms, JoinError},
    settings_check::SettingsCheck,
    store::{ClaimError, JournalLayout, Stores},
};
use actum_runtime::{BegunMembership, Elsewhere, Join, Runtime, StartError};
use parking_lot::Mutex;
use std::{fmt, sync::Arc};
use tokio::sync::{mpsc, watch};

/// A node that is about to join: made before its engine, which it joins for.
pub struct NodeStart {
    cluster: Cluster,
    engine: String,
    terms: ClusterTerms,
    kinds: Vec<String>,
    router: Arc<Router>,
    table: Arc<PlacementTable>,
    joined: Arc<Mutex<Option<HasJoined>>>,
}

/// What is left of joining for when the engine has started.
struct HasJoined {
    joining: JoinRequest,
    joined: JoinedNode,
    links: LinkStart,
}

impl NodeStart {
    /// That of an engine of this name, which runs these kinds over a journal of this layout.
    #[must_use]
    pub fn new(
        cluster: Cluster,
        engine: &str,
        mut kinds: Vec<String>,
        layout: JournalLayout,
    ) -> Self {
        kinds.sort_unstable();
        kinds.dedup();
        let table = Arc::new(PlacementTable::new(layout.partitions));
        let router = Arc::new(Router::new(Arc::clone(&table)));
        let terms = cluster.terms(engine);
        let engine = engine.to_owned();
        Self { cluster, engine, terms, kinds, router, table, joined: Arc::default() }
    }

    /// All that is wrong with the settings of the cluster, and with the stores for a cluster.
    pub fn check(&self, stores: Option<&Stores>, check: &mut SettingsCheck) {
        self.cluster.check(check);
        if let Err(error) = self.terms.check() {
            check.problem(format!("cluster: {error}"));
        }
        if stores.is_some_and(|stores| stores.members.is_none()) {
            check.problem("the store cannot be shared by the nodes of a cluster".to_owned());
        }
    }

    /// Takes the commands for partitions that are not open in this engine.
    #[must_use]
    pub fn elsewhere(&self) -> impl Elsewhere + use<> {
        RouterEntrance(Arc::clone(&self.router))
    }

    /// Joins the cluster, when the engine starts.
    #[must_use]
    pub fn join(&self) -> Join {
        let (cluster, terms) = (self.cluster.clone(), self.terms.clone());
        let (kinds, kept) = (self.kinds.clone(), Arc::clone(&self.joined));
        let engine = self.engine.clone();
        Box::new(move |stores| {
            Box::pin(async move {
                let Listening { address, links } = cluster.begin_to_listen(&engine).await?;
                let description = MemberDescription {
                    kinds,
                    version: cluster.application_version,
                    weight: cluster.weight,
                    routes_only: cluster.routes_only,
                    ..MemberDescription::new(address.clone())
                };
                let node = cluster.node.clone().unwrap_or(address);
                let Some(members) = stores.members.clone() else {
                    let problem = "the store cannot be shared by the nodes of a cluster";
                    return Err(StartError::Invalid { problems: vec![problem.to_owned()] });
                };
                let writers = Arc::clone(&stores.writers);
                let process = format!("{} {:08x}", std::process::id(), fastrand::u32(..));
                let joining = JoinRequest { node, terms, description, writers, members, process };
                let joined = joining.join(NameHeld::Take).await.map_err(start_error)?;
                let (incarnation, valid_until) = (joined.incarnation, joined.valid_until);
                *kept.lock() = Some(HasJoined { joining, joined, links });
                Ok(BegunMembership { incarnation, valid_until })
            })
        })
    }

    /// The name under which it has joined; none before.
    #[must_use]
    pub fn joined_as(&self) -> Option<String> {
        self.joined.lock().as_ref().map(|joined| joined.joining.node.clone())
    }

    /// Starts the node for its engine, which has joined.
    ///
    /// # Panics
    /// When the engine was started without [`join`](Self::join), or outside of a tokio runtime.
    #[must_use]
    pub fn start(self, runtime: &Runtime) -> Node {
        let HasJoined { joining, joined, links: link_start } =
            self.joined.lock().take().expect("the engine has joined");
        let links = Arc::new(CurrentLinks::default());
        let (router, table) = (self.router, self.table);
        let inbound = Inbound::new(runtime.clone(), Arc::clone(&table), Arc::clone(&links) as _);
        let inbound = Arc::new(inbound);
        router.start(joined.incarnation, Arc::clone(&links) as _, Arc::clone(&inbound));
        let begin = ClusterView::begin(joined.incarnation, &self.terms.cluster);
        let (view, watched) = watch::channel(Arc::new(begin));
        let (asks_to_leave, asked_to_leave) = mpsc::channel(1);
        let stores = runtime.stores();
        let parts = NodeParts {
            settings: self.cluster.node_settings,
            members: Arc::clone(&joining.members),
            joining,
            layout: stores.events.layout(),
            membership: runtime.membership(),
            partitions: runtime.partitions(),
            router: Arc::clone(&router),
            inbound,
            heads: Arc::new(HeardHeads::new(runtime.commits().clone())),
            table,
            links: Arc::clone(&links),
            link_start,
            view,
        };
        let task = NodeTask::new(Arc::new(parts), joined, asked_to_leave);
        let announcer = HeadAnnouncer::new(runtime.commits().clone(), Arc::clone(&links));
        let tasks = [tokio::spawn(task.run()), tokio::spawn(announcer.run())];
        Node::new(watched, asks_to_leave, router, links, tasks)
    }
}

impl fmt::Debug for NodeStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeStart").field("terms", &self.terms).finish_non_exhaustive()
    }
}

fn start_error(error: NotJoined) -> StartError {
    match error {
        NotJoined::Held(ClaimError::Store(error)) | NotJoined::Join(JoinError::Store(error)) => {
            StartError::Store(error)
        }
        NotJoined::Held(held) => StartError::Held(held),
        NotJoined::Join(error) => StartError::NotJoined(error),
    }
}
