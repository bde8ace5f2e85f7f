mod being_member;
mod moving;
mod rejoining;
mod showing;

use super::{
    joining::{JoinRequest, JoinedNode},
    node_parts::NodeParts,
    peer_sink::PeerSink,
    seen_cluster::SeenCluster,
    task_result::TaskResult,
};
use crate::{link::LinkReport, member::MemberNote, transport::PeerNode};
use actum_model::Partition;
use actum_persistence::{panics::log_safely, store::Incarnation};
use actum_placement::{
    assignment::Candidate,
    failure::{FailureDecision, FailureDetector},
    moves::MovesUnderWay,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

/// How often the journal is compared with what this node has committed, at most.
const JOURNAL_CHECK_INTERVAL: Duration = Duration::from_secs(3);

/// How soon what the store has not done is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// How long a node that has handed off everything stays a member: peers that do not know it yet send it commands, which it
/// sends back. A peer that sees it leave does not wait for them.
const LEAVE_AFTER: Duration = Duration::from_millis(200);

/// How often what is held is tried again, and late commands are answered, while there are any.
const HELD_INTERVAL: Duration = Duration::from_millis(20);
/// How soon it is tried again to start links.
const LINKS_RETRY: Duration = Duration::from_secs(1);
const SWEEP_INTERVAL: Duration = Duration::from_millis(100);

/// A node that is asked to leave answers when it owns nothing any more, or the time is over.
pub(super) struct Leave {
    pub(super) deadline: Instant,
    pub(super) left: Option<oneshot::Sender<()>>,
}

/// Keeps one node a member, and carries out what is decided for it.
pub(super) struct NodeTask {
    parts: Arc<NodeParts>,
    /// Times are counted from here.
    begun: Instant,
    me: Incarnation,
    seen: SeenCluster,
    detector: FailureDetector,
    decision: Option<FailureDecision>,
    under_way: MovesUnderWay,
    /// Closed here and not given back yet.
    closed: BTreeSet<Partition>,
    revoking: BTreeSet<Incarnation>,
    is_renewing: bool,
    is_releasing: bool,
    /// Not before then: the store has failed.
    renew_after: Instant,
    release_after: Instant,
    claim_after: Instant,
    open_after: Instant,
    revoke_after: Instant,
    /// When the journal is compared next with what this node has committed.
    check_after: Instant,
    /// When what is held is tried again.
    held_after: Instant,
    /// What was noted with the last renewal.
    noted: MemberNote,
    renew_now: bool,
    /// The peers do not know of the newest version yet.
    announce: bool,
    stage: NodeStage,
    is_suspended: bool,
    /// Whether the store fails, which was logged.
    is_failing: bool,
    /// When it is tried again to start the links, where that has failed.
    links_after: Option<Instant>,
    leave: Option<Leave>,
    /// When the peers know that everything is handed off.
    leave_after: Option<Instant>,
    tasks: JoinSet<TaskResult>,
    reports: mpsc::Receiver<(Incarnation, LinkReport)>,
    report_to: mpsc::Sender<(Incarnation, LinkReport)>,
    asked_to_leave: mpsc::Receiver<Leave>,
}

/// The life of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NodeStage {
    /// It is a member, as far as it knows.
    Member,
    /// Its membership has ended, and it joins again.
    Rejoining,
    /// It owns nothing any more, or its time to leave is over: it stays a member until its engine has ended.
    Left,
    /// Another process runs under its name: it does nothing any more.
    Replaced,
}

impl NodeTask {
    pub(super) fn new(
        parts: Arc<NodeParts>,
        joined: JoinedNode,
        asked_to_leave: mpsc::Receiver<Leave>,
    ) -> Self {
        let (report_to, reports) = mpsc::channel(1_024);
        let begun = joined.asked;
        let settings = parts.settings.failure;
        let mut task = Self {
            begun,
            me: joined.incarnation,
            seen: SeenCluster::new(parts.layout.partitions),
            detector: FailureDetector::new(joined.incarnation, settings, Duration::ZERO),
            decision: None,
            under_way: MovesUnderWay::default(),
            closed: BTreeSet::new(),
            revoking: BTreeSet::new(),
            is_renewing: false,
            is_releasing: false,
            renew_after: begun,
            release_after: begun,
            claim_after: begun,
            open_after: begun,
            revoke_after: begun,
            check_after: begun + JOURNAL_CHECK_INTERVAL,
            held_after: begun,
            noted: MemberNote::default(),
            renew_now: false,
            announce: false,
            stage: NodeStage::Member,
            is_suspended: false,
            is_failing: false,
            links_after: None,
            leave: None,
            leave_after: None,
            tasks: JoinSet::new(),
            reports,
            report_to,
            asked_to_leave,
            parts,
        };
        task.begin(joined);
        task
    }

    /// A membership has begun.
    fn begin(&mut self, joined: JoinedNode) {
        let JoinedNode { incarnation, asked, sight, .. } = joined;
        self.me = incarnation;
        self.seen = SeenCluster::new(self.parts.layout.partitions);
        let begun = self.since(asked);
        self.detector = FailureDetector::new(incarnation, self.parts.settings.failure, begun);
        self.parts.router.set_me(incarnation);
        self.start_links();
        self.stage = NodeStage::Member;
        self.announce = true;
        self.saw(sight, asked);
        let (node, cluster) = (&self.parts.joining.node, &self.parts.joining.terms.cluster);
        log_safely(|| tracing::info!(node, cluster, %incarnation, "joined the cluster"));
    }

    /// Starts the links of this life; tried again later where that fails: its certificates may be about to change.
    fn start_links(&mut self) {
        let parts = &self.parts;
        let (router, inbound) = (Arc::clone(&parts.router), Arc::clone(&parts.inbound));
        let heads = Arc::clone(&parts.heads);
        let sink = PeerSink::new(router, inbound, heads, self.report_to.clone());
        let JoinRequest { node, description, .. } = &parts.joining;
        let own = PeerNode::new(self.me, node, &description.address);
        let links = match (parts.link_start)(own, Arc::new(sink)) {
            Ok(links) => Some(links),
            Err(error) => {
                log_safely(|| tracing::error!(node, error, "this node cannot take connections"));
                None
            }
        };
        self.links_after = links.is_none().then(|| Instant::now() + LINKS_RETRY);
        parts.links.replace(links);
        parts.links.set_peers(self.seen.peers(self.me));
    }

    fn since(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.begun)
    }

    /// Runs until it is dropped.
    pub(super) async fn run(mut self) {
        let mut sweep = interval(SWEEP_INTERVAL);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.step();
            let parts = Arc::clone(&self.parts);
            let is_member = self.stage == NodeStage::Member;
            let next = self.next_step();
            tokio::select! {
                biased;
                Some(done) = self.tasks.join_next() => match done {
                    Ok(result) => {
                        self.done(result);
                        self.show();
                    }
                    Err(error) => self.panicked(&error),
                },
                () = parts.membership.fenced(), if is_member => self.end("the journal refuses its writes"),
                Some((peer, report)) = self.reports.recv() => {
                    let now = self.since(Instant::now());
                    self.detector.reported(peer, report, now);
                    if report == LinkReport::Heard {
                        parts.router.try_held();
                    }
                }
                Some(leave) = self.asked_to_leave.recv() => {
                    self.leave = Some(leave);
                    self.renew_now = true;
                }
                () = parts.router.wakes() => {
                    if parts.router.newest_version() > self.seen.version {
                        self.renew_now = true;
                    }
                }
                _ = sweep.tick() => {
                    parts.router.sweep();
                }
                () = sleep_until(next) => {}
            }
        }
    }

    /// When something is due by itself.
    fn next_step(&self) -> Instant {
        let now = Instant::now();
        let held = self.parts.router.outstanding().0 > 0;
        let idle = now + Duration::from_secs(1);
        let mut next = if held { self.held_after.min(idle) } else { idle };
        if self.is_member() {
            let passed = self.since(now);
            if !self.is_renewing {
                let due = self.detector.renew_at(passed).min(self.detector.read_at(passed));
                next = next.min((self.begun + due).max(self.renew_after));
            }
            if !self.is_suspended && self.stage == NodeStage::Member {
                next = next.min(self.begun + self.detector.lapses_at());
            }
            if !self.closed.is_empty() && !self.is_releasing {
                next = next.min(self.release_after);
            }
        }
        if let Some(leave) = self.leave.as_ref().filter(|leave| leave.left.is_some()) {
            let after = self.leave_after.filter(|after| *after > now);
            next = next.min(leave.deadline).min(after.unwrap_or(leave.deadline));
        }
        next.max(now)
    }

    /// Begins what is to be done now.
    fn step(&mut self) {
        let now = Instant::now();
        if self.stage == NodeStage::Member {
            self.judge(now);
        }
        if self.is_member() && self.parts.membership.has_failed() {
            self.give_up();
        }
        if self.stage == NodeStage::Member {
            self.move_partitions(now);
        }
        if self.is_member() {
            self.release(now);
            self.renew(now);
            if self.links_after.is_some_and(|after| now >= after) {
                self.start_links();
            }
        }
        self.leave(now);
        if now >= self.held_after {
            self.held_after = now + HELD_INTERVAL;
            self.parts.router.try_held();
        }
    }

    fn is_member(&self) -> bool {
        matches!(self.stage, NodeStage::Member | NodeStage::Left)
    }

    fn done(&mut self, result: TaskResult) {
        match result {
            TaskResult::Renewed { asked, sight } => self.renewed(asked, sight),
            TaskResult::Claimed { partitions, rows } => {
                for partition in &partitions {
                    self.under_way.claiming.remove(partition);
                }
                self.changed("claiming partitions", rows);
            }
            TaskResult::Compared => {}
            TaskResult::Matched { partition, is_done } => {
                self.under_way.claiming.remove(&partition);
                if !is_done {
                    self.open_after = Instant::now() + RETRY;
                }
                self.parts.router.try_held();
            }
            TaskResult::Closed { partition } => {
                self.closed.insert(partition);
            }
            TaskResult::Released { partitions, rows } => {
                self.is_releasing = false;
                if rows.is_ok() {
                    for partition in &partitions {
                        self.under_way.handing_off.remove(partition);
                        self.closed.remove(partition);
                    }
                } else {
                    self.release_after = Instant::now() + RETRY;
                }
                self.changed("releasing partitions", rows);
            }
            TaskResult::Revoked { member, done } => {
                self.revoking.remove(&member);
                match done {
                    Ok(true) => (self.renew_now, self.announce) = (true, true),
                    Ok(false) => self.renew_now = true,
                    Err(error) => {
                        self.revoke_after = Instant::now() + RETRY;
                        self.failed("removing a member", &error);
                    }
                }
            }
            TaskResult::Rejoined(joined) => self.rejoined(joined),
        }
    }

    /// Lets the node know that waits for it that everything is handed off, or the time for that is over.
    fn leave(&mut self, now: Instant) {
        let Some(Leave { deadline, .. }) = &self.leave else { return };
        let owns = self.seen.owners.contains(&Some(self.me));
        let others = self.seen.candidates().iter().any(Candidate::is_target);
        let has_left = match self.stage {
            NodeStage::Member => {
                let moves = !self.under_way.handing_off.is_empty();
                let is_done = self.noted.is_leaving && (!owns || !others) && !moves;
                let after = if others { LEAVE_AFTER } else { Duration::ZERO };
                is_done && now >= *self.leave_after.get_or_insert(now + after)
            }
            NodeStage::Left | NodeStage::Rejoining | NodeStage::Replaced => true,
        };
        if !has_left && now < *deadline {
            return;
        }
        if self.stage == NodeStage::Member {
            self.stage = NodeStage::Left;
        }
        if let Some(left) = self.leave.as_mut().and_then(|leave| leave.left.take()) {
            let _ = left.send(()); // it may not wait any more
        }
    }
}
