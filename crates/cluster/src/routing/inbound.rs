use super::{Peers, PlacementTable};
use crate::{
    link::LinkRefusal,
    wire::{ReceivedCommand, ReceivedRequest, answer_to_wire, not_owner},
};
use actum_model::{EntityKey, Partition};
use actum_persistence::{panics::log_safely, store::Incarnation};
use actum_proto::wire::v1::{
    CommandEnvelope, PeerMessage, ReplyEnvelope, peer_message::Content, reply_envelope::Outcome,
};
use actum_runtime::{AskError, Bound, EncodedAnswer, PartitionState, Partitions, Runtime};
use bytes::Bytes;
use prost::Message;
use std::sync::Arc;

/// Serves commands that come as bytes: from other nodes, and those of this one that were on their way when their partition
/// was opened here.
pub(crate) struct Inbound {
    runtime: Runtime,
    partitions: Partitions,
    table: Arc<PlacementTable>,
    peers: Arc<dyn Peers>,
}

/// The number of messages whose loss need not be reported.
pub(crate) const NO_TICKET: u64 = 0;

impl Inbound {
    pub(crate) fn new(runtime: Runtime, table: Arc<PlacementTable>, peers: Arc<dyn Peers>) -> Self {
        let partitions = runtime.partitions();
        Self { runtime, partitions, table, peers }
    }

    /// Whether commands of a partition are served here.
    pub(crate) fn serves(&self, partition: Partition) -> bool {
        is_served(&self.partitions, partition)
    }

    /// Serves a command of a peer, and sends it the reply.
    pub(crate) fn serve(&self, from: Incarnation, envelope: CommandEnvelope) {
        let (peers, call_nr) = (Arc::clone(&self.peers), envelope.call_nr);
        let reads_state = envelope.reads_state;
        self.answer(envelope, move |reply| {
            let message = PeerMessage { content: Some(Content::Reply(reply)) };
            let sent = peers.send(from, NO_TICKET, message.encode_to_vec().into());
            // without a link the peer knows that the outcome is open; else a shorter one says why
            if let Err(why @ (LinkRefusal::TooLong { .. } | LinkRefusal::Full)) = sent {
                let _ = peers.send(from, NO_TICKET, not_sent(call_nr, why, reads_state));
            }
        });
    }

    /// Serves a command, and hands its reply over.
    pub(super) fn answer(
        &self,
        envelope: CommandEnvelope,
        reply: impl FnOnce(ReplyEnvelope) + Send + 'static,
    ) {
        let received = match ReceivedCommand::of_envelope(envelope) {
            Ok(received) => received,
            Err((call_nr, failure)) => {
                let failure = failure.map_rejection(|never| match never {});
                return reply(answer_to_wire(call_nr, Err(failure)));
            }
        };
        let ReceivedCommand { call_nr, key, request } = received;
        let partition = key.partition(self.partitions.count());
        if !self.serves(partition) {
            return reply(refused(call_nr, &self.table));
        }
        let Some(kind) = self.runtime.kind(key.kind()) else {
            return reply(answer_to_wire(call_nr, Err(AskError::invalid(self.no_kind(&key)))));
        };
        let asking = match request {
            ReceivedRequest::Command(command) => kind.ask(key.id(), command),
            ReceivedRequest::State(timeout) => kind.state(key.id(), timeout),
        };
        let (partitions, table) = (self.partitions.clone(), Arc::clone(&self.table));
        tokio::spawn(async move {
            let answer = asking.await;
            // nothing was done of it; where the partition has moved meanwhile another node serves it
            let has_moved = is_unavailable(&answer) && !is_served(&partitions, partition);
            reply(if has_moved {
                refused(call_nr, &table)
            } else {
                answer_to_wire(call_nr, answer)
            });
        });
    }

    fn no_kind(&self, key: &EntityKey) -> String {
        format!(
            "the node that owns the partition of {key} runs no kind `{}`: the nodes of a cluster run the same kinds",
            key.kind()
        )
    }
}

/// The message in place of a reply that is not sent. A state that was only read can be asked for again.
fn not_sent(call_nr: u64, why: LinkRefusal, reads_state: bool) -> Bytes {
    log_safely(|| tracing::warn!(%why, "a reply cannot be sent to another node"));
    let what = format!("the reply cannot be sent: {why}");
    let error = match why {
        LinkRefusal::Full if reads_state => AskError::Overloaded { bound: Bound::PeerBytes },
        _ if reads_state => AskError::invalid(what),
        _ => AskError::outcome_unknown(what),
    };
    let reply = answer_to_wire(call_nr, Err(error));
    PeerMessage { content: Some(Content::Reply(reply)) }.encode_to_vec().into()
}

fn is_served(partitions: &Partitions, partition: Partition) -> bool {
    matches!(partitions.state(partition), PartitionState::Open | PartitionState::Restarting)
}

fn is_unavailable(answer: &EncodedAnswer) -> bool {
    matches!(answer, Err(AskError::Unavailable { .. }))
}

fn refused(call_nr: u64, table: &PlacementTable) -> ReplyEnvelope {
    let outcome = Some(Outcome::Error(not_owner(table.version())));
    ReplyEnvelope { call_nr, receipt: None, outcome }
}
