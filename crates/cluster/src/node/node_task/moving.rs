use super::{NodeStage, NodeTask, RETRY};
use crate::node::{node_parts::NodeParts, seen_cluster::of_role, task_result::TaskResult};
use actum_model::Partition;
use actum_persistence::{members::OwnerRow, panics::log_safely, store::StoreError};
use actum_placement::{
    assignment::Assignment,
    failure::OwnMembership,
    moves::{HandOff, MovesUnderWay, NextMoves, SeenPlacement},
};
use actum_runtime::{PartitionNotOpened, PartitionState};
use std::sync::Arc;
use tokio::time::{Instant, sleep};

/// How a node takes and gives partitions.
impl NodeTask {
    pub(super) fn move_partitions(&mut self, now: Instant) {
        let members = self.seen.candidates();
        let assignment = Assignment::new(self.parts.layout, &members, &self.seen.owners);
        let seen = SeenPlacement {
            layout: self.parts.layout,
            members: &members,
            owners: &self.seen.owners,
            assignment: &assignment,
        };
        let holds = self.decision.as_ref().is_some_and(|own| own.own == OwnMembership::Holds);
        if holds {
            let settings = &self.parts.settings.moves;
            let next = NextMoves::decide(self.me, settings, seen, &self.under_way);
            if now >= self.claim_after {
                self.claim(next.claims);
            }
            self.hand_off(next.hand_offs);
            if now >= self.open_after {
                self.match_owners();
            }
        }
    }

    pub(super) fn claim(&mut self, mut claims: Vec<Partition>) {
        // one whose last handler has not returned is not opened again before it does
        claims
            .retain(|partition| self.parts.partitions.state(*partition) == PartitionState::Closed);
        if claims.is_empty() {
            return;
        }
        self.under_way.claiming.extend(&claims);
        let asked: Vec<_> = claims.iter().map(|partition| self.seen.claim(*partition)).collect();
        let (parts, me) = (Arc::clone(&self.parts), self.me);
        self.tasks.spawn(async move {
            let rows = parts.members.claim_partitions(me, &asked).await;
            for row in rows.iter().flatten().filter(|row| row.owner == Some(me)) {
                let _ = open(&parts, row.of.partition).await; // it is tried again
            }
            TaskResult::Claimed { partitions: claims, rows }
        });
    }

    /// Opens what this node owns and has not opened, since the outcome of its claim was unknown or it did not open then, and
    /// closes what is open and is not its own.
    fn match_owners(&mut self) {
        let MovesUnderWay { handing_off, claiming } = &self.under_way;
        let is_moving = |one: &Partition| handing_off.contains(one) || claiming.contains(one);
        let partitions = self.parts.layout.partitions.iter().filter(|one| !is_moving(one));
        let wrong = partitions.filter_map(|partition| {
            let is_own = self.seen.owner(partition) == Some(self.me);
            match (is_own, self.parts.partitions.state(partition)) {
                (true, PartitionState::Closed) => Some((partition, true)),
                (false, PartitionState::Open | PartitionState::Restarting) => {
                    Some((partition, false))
                }
                _ => None,
            }
        });
        let wrong: Vec<_> = wrong.collect();
        for (partition, opens) in wrong {
            self.under_way.claiming.insert(partition);
            let parts = Arc::clone(&self.parts);
            self.tasks.spawn(async move {
                let is_done = if opens {
                    open(&parts, partition).await
                } else {
                    let _closed = parts.partitions.close(partition, Instant::now()).await;
                    true
                };
                TaskResult::Matched { partition, is_done }
            });
        }
    }

    pub(super) fn hand_off(&mut self, hand_offs: Vec<HandOff>) {
        for HandOff { partition, .. } in hand_offs {
            self.under_way.handing_off.insert(partition);
            let parts = Arc::clone(&self.parts);
            self.tasks.spawn(async move {
                let deadline = Instant::now() + parts.settings.hand_off_timeout;
                let _closed = parts.partitions.close(partition, deadline).await;
                // code that still runs has ended, and everything it has sent is settled
                while parts.partitions.state(partition) != PartitionState::Closed
                    && !parts.membership.has_ended()
                {
                    sleep(RETRY / 10).await;
                }
                parts.partitions.settled(partition).await;
                TaskResult::Closed { partition }
            });
        }
    }

    pub(super) fn release(&mut self, now: Instant) {
        if self.closed.is_empty() || self.is_releasing || now < self.release_after {
            return;
        }
        self.is_releasing = true;
        let partitions: Vec<_> = self.closed.iter().copied().collect();
        let (members, me) = (Arc::clone(&self.parts.members), self.me);
        self.tasks.spawn(async move {
            let released: Vec<_> = partitions.iter().map(|one| of_role(*one)).collect();
            let rows = members.release_partitions(me, &released).await;
            TaskResult::Released { partitions, rows }
        });
    }

    /// Owners were changed by this node.
    pub(super) fn changed(&mut self, what: &'static str, rows: Result<Vec<OwnerRow>, StoreError>) {
        if self.stage != NodeStage::Member {
            return;
        }
        match rows {
            Ok(rows) => {
                for row in &rows {
                    self.seen.set(row);
                    let partition = row.of.partition;
                    self.parts.table.set_owner(partition, self.seen.owner(partition));
                }
                // the version that they have now is what the peers get
                (self.renew_now, self.announce) = (true, true);
                self.parts.router.try_held();
            }
            Err(error) => {
                self.renew_now = true;
                self.claim_after = Instant::now() + RETRY;
                self.failed(what, &error);
            }
        }
    }
}

/// Opens a partition that this node owns; says whether it is open. One that is not is tried again.
async fn open(parts: &NodeParts, partition: Partition) -> bool {
    let opened = parts.partitions.open(partition, None).await;
    // an engine that ends opens nothing more, and says so itself
    if let Err(error) = &opened
        && *error != PartitionNotOpened::Ended
    {
        log_safely(|| tracing::error!(%partition, %error, "a partition does not open"));
    }
    opened.is_ok()
}
