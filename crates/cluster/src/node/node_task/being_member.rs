use super::{JOURNAL_CHECK_INTERVAL, NodeTask, RETRY};
use crate::{
    member::MemberNote,
    node::task_result::TaskResult,
    routing::{NO_TICKET, Peers},
};
use actum_persistence::{
    error_chain::full_text,
    members::{ClusterSight, MemberRenewal},
    panics::log_safely,
    store::{SeenHolder, StoreError},
};
use actum_placement::failure::{FailureEvidence, OwnMembership};
use actum_proto::wire::v1::{PeerMessage, TableChanged, peer_message::Content};
use bytes::Bytes;
use prost::Message;
use std::sync::Arc;
use tokio::time::{Instant, timeout};

/// How a node stays a member, and judges the others.
impl NodeTask {
    pub(super) fn judge(&mut self, now: Instant) {
        let decision = self.detector.decide(self.since(now));
        match decision.own {
            OwnMembership::Ended => return self.end("it is not in the table of members any more"),
            OwnMembership::Lapsed => {
                if !std::mem::replace(&mut self.is_suspended, true) {
                    self.parts.membership.suspend();
                    log_safely(|| {
                        tracing::warn!("the membership has lapsed, no commands are taken");
                    });
                }
            }
            OwnMembership::Holds => {}
        }
        let may_revoke = now >= self.revoke_after;
        for failure in decision.failures.iter().filter(|_| may_revoke) {
            let SeenHolder { incarnation, .. } = failure.member;
            if self.revoking.insert(incarnation) {
                self.revoke(failure.member, failure.evidence);
            }
        }
        if self.noted.suspects != decision.suspects && decision.own == OwnMembership::Holds {
            self.renew_now = true;
        }
        self.decision = Some(decision);
    }

    pub(super) fn revoke(&mut self, member: SeenHolder, evidence: FailureEvidence) {
        let (members, me) = (Arc::clone(&self.parts.members), self.me);
        log_safely(|| {
            tracing::warn!(member = %member.incarnation, ?evidence, "removing a member that has failed");
        });
        self.tasks.spawn(async move {
            let done = members.revoke_member(me, member).await;
            TaskResult::Revoked { member: member.incarnation, done }
        });
    }

    pub(super) fn renew(&mut self, now: Instant) {
        let passed = self.since(now);
        let due = self.renew_now
            || self.detector.renew_at(passed) <= passed
            || self.detector.read_at(passed) <= passed;
        if !due || self.is_renewing || now < self.renew_after {
            return;
        }
        (self.is_renewing, self.renew_now) = (true, false);
        let suspects = self.decision.as_ref().map(|decision| decision.suspects.clone());
        self.noted =
            MemberNote { is_leaving: self.leave.is_some(), suspects: suspects.unwrap_or_default() };
        let renewal = MemberRenewal {
            incarnation: self.me,
            note: self.noted.to_bytes(),
            seen: self.seen.version,
        };
        let (parts, has_lapsed) = (Arc::clone(&self.parts), self.is_suspended);
        self.tasks.spawn(async move {
            let within = parts.settings.failure.lease / 3;
            let renewing = async {
                let sight = parts.members.renew_member(&renewal).await?;
                if has_lapsed {
                    // what was away may be another database now: before commands are taken again, entities know
                    parts.membership.check_journal().await?;
                }
                Ok(sight)
            };
            let late =
                |_| Err(StoreError::unavailable("renewing a membership", "no answer in time"));
            let sight = timeout(within, renewing).await.unwrap_or_else(late);
            TaskResult::Renewed { asked: now, sight }
        });
    }

    pub(super) fn failed(&mut self, what: &'static str, error: &StoreError) {
        if matches!(error, StoreError::Fenced { .. }) {
            return self.end("it was removed from the table of members");
        }
        if !std::mem::replace(&mut self.is_failing, true) {
            let error = full_text(error);
            log_safely(|| tracing::warn!(what, error, "the store fails, this node tries again"));
        }
    }

    pub(super) fn renewed(&mut self, asked: Instant, sight: Result<ClusterSight, StoreError>) {
        self.is_renewing = false;
        if !self.is_member() {
            return;
        }
        match sight {
            Ok(sight) if sight.version < self.seen.version => {
                self.end("the table of members has regressed");
            }
            Ok(sight) => {
                self.detector.renewed(self.since(asked));
                self.parts.membership.prolong(asked + self.parts.settings.failure.lease);
                if std::mem::take(&mut self.is_suspended) {
                    log_safely(|| {
                        tracing::info!("the membership is renewed, commands are taken again");
                    });
                }
                self.is_failing = false;
                self.saw(sight, asked);
                self.compare_journal();
            }
            Err(error) => {
                let pause = RETRY.min(self.parts.settings.failure.lease / 10);
                self.renew_after = Instant::now() + pause;
                self.renew_now = true;
                self.failed("renewing the membership", &error);
            }
        }
    }

    pub(super) fn saw(&mut self, sight: ClusterSight, asked: Instant) {
        let changed = self.seen.read(sight);
        let (asked, now) = (self.since(asked), self.since(Instant::now()));
        self.detector.saw_members(&self.seen.observed(), asked, now);
        self.parts.table.set(self.seen.version, &self.seen.owners);
        if changed {
            self.parts.links.set_peers(self.seen.peers(self.me));
            self.parts.router.try_held();
        }
        if std::mem::take(&mut self.announce) {
            self.announce_version();
        }
    }

    /// Lets the peers know which version of the table there is.
    pub(super) fn announce_version(&self) {
        let changed = TableChanged { version: self.seen.version.get() };
        let message = PeerMessage { content: Some(Content::TableChanged(changed)) };
        let message = Bytes::from(message.encode_to_vec());
        for peer in self.seen.peers(self.me) {
            // one that misses it reads the table by itself soon
            let _ = self.parts.links.send(peer.incarnation, NO_TICKET, message.clone());
        }
    }

    /// Compares the journal with what this node has committed, now and again: nothing else would tell entities that are only
    /// read that it has lost something.
    fn compare_journal(&mut self) {
        let now = Instant::now();
        if now < self.check_after {
            return;
        }
        self.check_after = now + JOURNAL_CHECK_INTERVAL;
        let parts = Arc::clone(&self.parts);
        self.tasks.spawn(async move {
            let within = parts.settings.failure.lease / 3;
            if let Ok(Err(error)) = timeout(within, parts.membership.check_journal()).await {
                let error = full_text(&error);
                // the next renewal tells whether the store is away
                log_safely(|| tracing::debug!(error, "heads of the journal not read"));
            }
            TaskResult::Compared
        });
    }
}
