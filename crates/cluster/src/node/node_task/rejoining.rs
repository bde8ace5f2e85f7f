use super::{NodeStage, NodeTask, RETRY};
use crate::{
    member::MemberNote,
    node::{
        joining::{JoinedNode, NameHeld, NotJoined},
        task_result::TaskResult,
    },
};
use actum_persistence::{error_chain::full_text, panics::log_safely};
use actum_placement::moves::MovesUnderWay;
use actum_runtime::BegunMembership;
use std::sync::Arc;
use tokio::time::sleep;

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
            before.join_all().await;
            parts.membership.end().await; // what was opened meanwhile
            TaskResult::Rejoined(parts.joining.join(NameHeld::Leave).await)
        });
    }

    fn join_later(&mut self) {
        let parts = Arc::clone(&self.parts);
        self.tasks.spawn(async move {
            sleep(RETRY).await;
            TaskResult::Rejoined(parts.joining.join(NameHeld::Leave).await)
        });
    }

    pub(super) fn rejoined(&mut self, joined: Result<JoinedNode, NotJoined>) {
        match joined {
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
}
