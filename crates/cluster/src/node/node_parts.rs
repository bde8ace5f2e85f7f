use super::{
    current_links::CurrentLinks, heard_heads::HeardHeads, joining::JoinRequest, view::SharedView,
};
use crate::{
    routing::{Inbound, PlacementTable, Router},
    settings::{LinkStart, NodeSettings},
};
use actum_persistence::{members::MemberStore, store::JournalLayout};
use actum_runtime::{Membership, Partitions};
use std::sync::Arc;
use tokio::sync::watch;

/// What a node's task works with.
pub(super) struct NodeParts {
    pub(super) settings: NodeSettings,
    pub(super) joining: JoinRequest,
    pub(super) members: Arc<dyn MemberStore>,
    pub(super) layout: JournalLayout,
    pub(super) membership: Membership,
    pub(super) partitions: Partitions,
    pub(super) router: Arc<Router>,
    pub(super) inbound: Arc<Inbound>,
    pub(super) heads: Arc<HeardHeads>,
    pub(super) table: Arc<PlacementTable>,
    pub(super) links: Arc<CurrentLinks>,
    pub(super) link_start: LinkStart,
    pub(super) view: watch::Sender<SharedView>,
}
