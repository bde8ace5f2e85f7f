use super::{
    Inbound, Peers, PlacementTable, held_calls::HeldCalls, routed_call::RoutedCall,
    sent_calls::SentCalls,
};
use crate::{link::LinkRefusal, wire::answer_of_wire};
use actum_persistence::members::TableVersion;
use actum_persistence::store::Incarnation;
use actum_proto::wire::v1::{
    ErrorCode, PeerMessage, ReplyEnvelope, peer_message::Content, reply_envelope::Outcome,
};
use actum_runtime::{AskError, Bound, Elsewhere, RoutedCommand};
use parking_lot::RwLock;
use prost::Message;
use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::{sync::Notify, time::Instant};

/// Brings commands to the node that owns their entity.
pub(crate) struct Router {
    table: Arc<PlacementTable>,
    /// This node: its incarnation changes when it joins again.
    me: AtomicU64,
    next_nr: AtomicU64,
    /// Those that were sent, by their numbers.
    sent: SentCalls,
    held: HeldCalls,
    /// What the router works with once the node has started.
    started: RwLock<Option<Arc<Started>>>,
    /// Whether it takes nothing any more.
    closed: AtomicBool,
    /// A newer version of the table than this node has read exists.
    newest: AtomicU64,
    /// Something was held, or a newer table is known.
    wakes: Notify,
}

struct Started {
    peers: Arc<dyn Peers>,
    inbound: Arc<Inbound>,
    own: Weak<Router>,
}

const CLOSED: &str = "this node has left the cluster";

impl Router {
    pub(crate) fn new(table: Arc<PlacementTable>) -> Self {
        Self {
            table,
            me: AtomicU64::new(0),
            next_nr: AtomicU64::new(1),
            sent: SentCalls::default(),
            held: HeldCalls::default(),
            started: RwLock::default(),
            closed: AtomicBool::new(false),
            newest: AtomicU64::new(0),
            wakes: Notify::new(),
        }
    }

    /// Gives it what it works with. Commands that came before are held.
    pub(crate) fn start(
        self: &Arc<Self>,
        me: Incarnation,
        peers: Arc<dyn Peers>,
        inbound: Arc<Inbound>,
    ) {
        self.set_me(me);
        let own = Arc::downgrade(self);
        *self.started.write() = Some(Arc::new(Started { peers, inbound, own }));
    }

    /// This node is another member from now on, which has read no table yet.
    pub(crate) fn set_me(&self, me: Incarnation) {
        self.newest.store(0, Ordering::Release);
        self.me.store(me.get(), Ordering::Release);
    }

    /// Answers everything that is left, and takes nothing any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.held.take_all().into_iter().for_each(|call| call.give_up(CLOSED));
        for mut call in self.sent.take(|_| true) {
            call.lose_track();
            call.give_up(CLOSED);
        }
        // it has the engine, whose commands come here
        *self.started.write() = None;
    }

    /// Answers what has come while it was closed.
    fn close_again(&self) {
        if self.closed.load(Ordering::Acquire) {
            self.close();
        }
    }

    fn deliver(&self, command: RoutedCommand) {
        let call = RoutedCall::new(self.next_nr.fetch_add(1, Ordering::Relaxed), command);
        let Some(call) = self.held.hold_behind(call) else { return };
        if let Some(call) = self.send(call) {
            self.held.hold(call);
            self.wakes.notify_one();
        }
        self.close_again();
    }

    /// How many commands are held, and how many were sent and are not answered.
    pub(crate) fn outstanding(&self) -> (usize, usize) {
        (self.held.len(), self.sent.len())
    }

    /// The newest version of the table that any peer has named.
    pub(crate) fn newest_version(&self) -> TableVersion {
        TableVersion::new(self.newest.load(Ordering::Acquire))
    }

    /// Waits until something was held, or a newer table is known, since the last call returned.
    pub(crate) async fn wakes(&self) {
        self.wakes.notified().await;
    }

    /// Sends again what is held, as far as it can be sent now.
    pub(crate) fn try_held(&self) {
        for partition in self.held.partitions() {
            let mut waiting = self.held.take(partition);
            while let Some(call) = waiting.pop_front() {
                if let Some(call) = self.send(call) {
                    self.held.hold_again(call);
                    waiting.drain(..).for_each(|call| self.held.hold_again(call));
                }
            }
        }
    }

    /// Answers the commands whose time is over.
    pub(crate) fn sweep(&self) {
        self.held.take_late().into_iter().for_each(RoutedCall::time_out);
        for mut call in self.sent.take_late() {
            call.lose_track();
            call.time_out();
        }
    }

    /// Takes in that a peer knows this version of the table.
    pub(crate) fn saw_version(&self, version: TableVersion) {
        if self.newest.fetch_max(version.get(), Ordering::AcqRel) < version.get() {
            self.wakes.notify_one();
        }
    }

    /// Takes a reply from a peer.
    pub(crate) fn replied(&self, from: Incarnation, reply: ReplyEnvelope) {
        let Some(mut call) = self.sent.take_one(reply.call_nr, from) else {
            return; // its caller has stopped waiting
        };
        if let Some(Outcome::Error(error)) = &reply.outcome
            && error.code() == ErrorCode::NotOwner
        {
            let version = TableVersion::new(error.table_version.unwrap_or_default());
            call.refused = Some((from, Instant::now()));
            self.held.hold_again(call);
            self.saw_version(version);
            self.wakes.notify_one();
            return;
        }
        let (command, id) =
            (call.command.manifest(), call.command.metadata().command_id().cloned());
        let answer = answer_of_wire(reply, command, id.as_ref());
        let answer = if call.maybe_applied { answer.map_err(of_earlier_sending) } else { answer };
        call.answer(answer);
    }

    /// Takes in that these messages surely never left this node.
    pub(crate) fn not_sent(&self, to: Incarnation, nrs: &[u64]) {
        for call in nrs.iter().filter_map(|nr| self.sent.take_one(*nr, to)) {
            self.held.hold_again(call);
        }
        self.wakes.notify_one();
    }

    /// Takes in that the link to a peer has ended: what was sent may have arrived.
    pub(crate) fn lost(&self, peer: Incarnation) {
        for mut call in self.sent.take(|to| to == peer) {
            call.lose_track();
            if call.may_be_repeated() {
                self.held.hold_again(call);
            } else {
                call.give_up("the link to the node that owns the entity has ended");
            }
        }
        self.wakes.notify_one();
    }

    /// Sends a command to where its entity is; gives it back where that is not possible now.
    fn send(&self, mut call: RoutedCall) -> Option<RoutedCall> {
        if self.closed.load(Ordering::Acquire) {
            call.give_up(CLOSED);
            return None;
        }
        if call.is_late() {
            call.time_out();
            return None;
        }
        let Some(started) = self.started.read().clone() else { return Some(call) };
        let partition = call.command.partition();
        let Some(owner) = self.table.owner(partition) else { return Some(call) };
        let is_here = owner.get() == self.me.load(Ordering::Acquire);
        if is_here && !started.inbound.serves(partition) {
            return Some(call); // it is being opened
        }
        if call.was_refused_by(owner) {
            return Some(call); // it is on the way to another owner
        }
        let envelope = match call.envelope() {
            Ok(envelope) => envelope,
            Err(failure) => {
                call.fail(failure);
                return None;
            }
        };
        let nr = call.nr;
        self.sent.insert(owner, call);
        if is_here {
            let own = started.own.clone();
            started.inbound.answer(envelope, move |reply| {
                if let Some(router) = own.upgrade() {
                    router.replied(owner, reply);
                }
            });
            return None;
        }
        let message = PeerMessage { content: Some(Content::Command(envelope)) };
        let sent = started.peers.send(owner, nr, message.encode_to_vec().into());
        let Err(why) = sent else { return None };
        let call = self.sent.take_one(nr, owner)?; // unless it was taken meanwhile
        match why {
            LinkRefusal::TooLong { .. } if !call.maybe_applied => {
                call.fail(AskError::invalid(format!("the command: {why}")));
            }
            LinkRefusal::Full if !call.maybe_applied => {
                call.fail(AskError::Overloaded { bound: Bound::PeerBytes });
            }
            _ => return Some(call),
        }
        None
    }
}

/// Where an engine's commands enter the router.
pub(crate) struct RouterEntrance(pub(crate) Arc<Router>);

impl Elsewhere for RouterEntrance {
    fn deliver(&self, command: RoutedCommand) {
        self.0.deliver(command);
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (held, sent) = self.outstanding();
        f.debug_struct("Router").field("held", &held).field("sent", &sent).finish_non_exhaustive()
    }
}

/// What a failure means to the caller of a command that was sent before and may have been applied then: where the failure was
/// found before the command id was looked up, nothing is known of the earlier sending.
fn of_earlier_sending<X>(error: AskError<X>) -> AskError<X> {
    match error {
        AskError::Timeout { .. } => AskError::Timeout { maybe_applied: true },
        AskError::Overloaded { .. }
        | AskError::Conflict { .. }
        | AskError::Unavailable { .. }
        | AskError::Invalid { .. }
        | AskError::Corrupt { .. } => AskError::outcome_unknown(
            "the command was sent before, and the outcome of that is not known",
        ),
        other => other,
    }
}
