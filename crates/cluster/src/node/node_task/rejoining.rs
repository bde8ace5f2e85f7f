use super::{NodeStage, NodeTask, RETRY};
use crate::{
    member::MemberNote,
    node::{
        joining::{JoinedNode, NameHeld, NotJoined},
        task_result::TaskResult,
    },
};
use actum_persistence::{error_chain::full_text, panics::log_safely, store::Incarnation};
use actum_placement::moves::MovesUnderWay;
use actum_runtime::BegunMembership;
use std::sync::Arc;
use tokio::{task::JoinError, time::sleep};

/// How a node joins again.
impl NodeTask {
    /// The membership has ended: everything is closed, and the node joins again.
    pub(super) fn end(&mut self, why: &'static str) {
        if self.stage != NodeStage::Member {
            return;
        }
        let incarnation = self.me;
        log_safely(|| {
            tracing::warn!(%incarnation, why, "this node is no member any more, it joins again");
        });
        self.stage = NodeStage::Rejoining;
        self.parts.links.replace(None);
        self.parts.table.set(self.seen.version, &vec![None; self.seen.owners.len()]);
        // what the former life has begun ends before the next one begins
        let (before, parts) = (std::mem::take(&mut self.tasks), Arc::clone(&self.parts));
        self.tasks.spawn(async move {
            parts.membership.end().await;
            let mut before = before;
            while before.join_next().await.is_some() {} // also one that has panicked
            parts.membership.end().await; // what was opened meanwhile
            TaskResult::Rejoined(parts.joining.join(NameHeld::Leave).await)
        });
    }

    fn join_later(&mut self) {
        let parts = Arc::clone(&self.parts);
        self.tasks.spawn(async move {
            sleep(RETRY).await;
            parts.membership.end().await; // also where that was not finished before
            TaskResult::Rejoined(parts.joining.join(NameHeld::Leave).await)
        });
    }

    pub(super) fn rejoined(&mut self, joined: Result<JoinedNode, NotJoined>) {
        match joined {
            Ok(joined) if self.leave.is_some() => self.leave_at_once(joined.incarnation),
            Ok(joined) => {
                self.under_way = MovesUnderWay::default();
                self.closed.clear();
                self.revoking.clear();
                (self.is_renewing, self.is_releasing) = (false, false);
                (self.is_suspended, self.noted) = (false, MemberNote::default());
                let JoinedNode { incarnation, valid_until, .. } = joined;
                self.parts.membership.begin(BegunMembership { incarnation, valid_until });
                self.begin(joined);
            }
            Err(_) if self.leave.is_some() => self.stage = NodeStage::Left,
            Err(error) if error.is_transient() => {
                let error = full_text(&error);
                log_safely(|| tracing::warn!(error, "not joined again yet"));
                self.join_later();
            }
            Err(error) => {
                let error = full_text(&error);
                log_safely(|| {
                    tracing::error!(
                        error,
                        "this node does not join again, it must be started again"
                    );
                });
                self.stage = NodeStage::Replaced;
                self.parts.membership.replaced();
                self.parts.router.close();
            }
        }
    }

    /// The engine ends: the membership that was begun meanwhile is given back.
    fn leave_at_once(&mut self, member: Incarnation) {
        self.stage = NodeStage::Left;
        let members = Arc::clone(&self.parts.members);
        self.tasks.spawn(async move {
            let _ = members.leave(member).await; // one that stays is removed when its lease ends
            TaskResult::Compared
        });
    }

    /// The engine has failed, and serves nothing any more: its partitions go to others.
    pub(super) fn give_up(&mut self) {
        let node = &self.parts.joining.node;
        log_safely(|| tracing::error!(node, "the engine has failed, this node leaves the cluster"));
        self.leave_at_once(self.me);
        self.stage = NodeStage::Replaced;
        self.parts.links.replace(None);
        self.parts.router.close();
    }

    /// A task of the node has panicked: what it was to do is not known to be done, so the node begins again.
    pub(super) fn panicked(&mut self, error: &JoinError) {
        log_safely(|| tracing::error!(%error, "a task of a node failed"));
        match self.stage {
            NodeStage::Member => self.end("a task of the node has panicked"),
            NodeStage::Rejoining => self.join_later(),
            NodeStage::Left | NodeStage::Replaced => {}
        }
    }
}
