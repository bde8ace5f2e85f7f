//! What a link to a peer knows and decides, without a clock and without I/O.

use super::{
    LinkCounts, LinkRefusal, LinkSettings, LinkStatus, LinkViolation,
    link_frame::PROTOCOL_VERSION,
    link_phase::{ANSWERS_MAX, LinkPhase, OpenLink},
    outgoing::Outgoing,
    round_trip::RoundTrip,
};
use crate::transport::{PeerConnection, PeerNode};
use actum_proto::link::v1::{Goodbye, Heartbeat, Hello, link_frame::Content};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

/// A frame that goes now.
#[derive(Debug)]
pub(super) struct OutFrame {
    pub(super) connection: Arc<dyn PeerConnection>,
    pub(super) taken_through: u64,
    pub(super) content: Option<Content>,
    /// The messages that are complete with it.
    pub(super) tickets: Vec<u64>,
}

/// What the end of a connection leaves to report.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LinkEnd {
    /// What has surely not arrived.
    pub(super) not_sent: Vec<u64>,
    /// Whether messages could be sent on it, so that some may be lost.
    pub(super) was_up: bool,
}

/// What a look at the clock has shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LinkSight {
    Fine,
    /// Nothing has arrived for too long.
    Silent,
    /// Nothing has arrived for so long that the connection is given up.
    Lost,
    /// The next connection has not come in time.
    NotRenewed(LinkEnd),
}

/// A link to a peer. Times are since some start.
#[derive(Debug)]
pub(super) struct LinkState {
    own: Arc<Hello>,
    settings: LinkSettings,
    peer: PeerNode,
    phase: LinkPhase,
    outgoing: Outgoing,
    round_trip: RoundTrip,
    /// What was not taken by a connection that has broken.
    undelivered: Vec<u64>,
    pub(super) counts: LinkCounts,
    /// Someone takes out frames and sends them.
    pub(super) pumping: bool,
}

impl LinkState {
    pub(super) fn new(own: Arc<Hello>, settings: LinkSettings, peer: PeerNode) -> Self {
        let round_trip = RoundTrip::default();
        let outgoing = Outgoing::new(
            settings.buffer_bytes_max,
            settings.message_bytes_max,
            round_trip.window(),
        );
        Self {
            own,
            settings,
            peer,
            phase: LinkPhase::Down,
            outgoing,
            round_trip,
            undelivered: Vec::new(),
            counts: LinkCounts::default(),
            pumping: false,
        }
    }

    pub(super) fn peer(&self) -> &PeerNode {
        &self.peer
    }

    /// The peer is dialled elsewhere from now on.
    pub(super) fn set_address(&mut self, peer: PeerNode) {
        self.peer = peer;
    }

    pub(super) fn connected(&mut self, connection: Arc<dyn PeerConnection>, now: Duration) {
        self.round_trip = RoundTrip::default();
        self.outgoing.begin_again();
        self.outgoing.set_window(self.round_trip.window());
        let renews = self.phase.up_since().filter(|_| self.phase.link().is_none());
        self.phase = LinkPhase::Greeting { link: OpenLink::new(connection, now), renews };
    }

    /// The connection has ended.
    pub(super) fn disconnected(&mut self, now: Duration) -> LinkEnd {
        let phase = std::mem::replace(&mut self.phase, LinkPhase::Down);
        let was_up = match phase {
            LinkPhase::Down => false,
            LinkPhase::Greeting { renews, .. } => renews.is_some(),
            LinkPhase::Up { .. } => true,
            LinkPhase::Leaving { since, said: true, heard: true, .. } => {
                self.counts.connections_ended += 1;
                let deadline = now + self.settings.lost_after;
                self.phase = LinkPhase::Renewing { since, deadline };
                return LinkEnd::default();
            }
            LinkPhase::Leaving { .. } => true,
            LinkPhase::Renewing { since, deadline } => {
                self.phase = LinkPhase::Renewing { since, deadline };
                return LinkEnd::default();
            }
        };
        self.counts.connections_ended += 1;
        self.end(was_up)
    }

    /// The peer is dropped: gives up what is queued.
    pub(super) fn give_up(&mut self) -> LinkEnd {
        let was_up = self.phase.up_since().is_some();
        self.phase = LinkPhase::Down;
        self.end(was_up)
    }

    fn end(&mut self, was_up: bool) -> LinkEnd {
        let mut not_sent = std::mem::take(&mut self.undelivered);
        not_sent.extend(self.outgoing.give_up());
        LinkEnd { not_sent, was_up }
    }

    /// The peer greets.
    pub(super) fn hello(&mut self, hello: &Hello, now: Duration) -> Result<(), LinkViolation> {
        if hello.protocol_version != PROTOCOL_VERSION {
            let (ours, theirs) = (PROTOCOL_VERSION, hello.protocol_version);
            return Err(LinkViolation::AnotherVersion { ours, theirs });
        }
        if hello.cluster != self.own.cluster {
            let (ours, theirs) = (self.own.cluster.clone(), hello.cluster.clone());
            return Err(LinkViolation::AnotherCluster { ours, theirs });
        }
        if hello.incarnation != self.peer.incarnation.get() || hello.node != self.peer.name {
            let said = format!("{}@{}", hello.node, hello.incarnation);
            return Err(LinkViolation::AnotherNode { expected: self.peer.to_string(), said });
        }
        let theirs = usize::try_from(hello.message_bytes_max).unwrap_or(usize::MAX);
        match std::mem::replace(&mut self.phase, LinkPhase::Down) {
            LinkPhase::Greeting { link, .. } => {
                self.outgoing.set_message_bytes_max(self.settings.message_bytes_max.min(theirs));
                self.phase = LinkPhase::Up { link, since: now };
                Ok(())
            }
            other => {
                self.phase = other;
                Err(LinkViolation::SecondHello)
            }
        }
    }

    /// Something of the peer has arrived. Returns whether that is to be reported.
    pub(super) fn heard(&mut self, bytes: usize, now: Duration) -> bool {
        self.counts.bytes_received += bytes as u64;
        let interval = self.settings.heartbeat_interval;
        self.phase.link_mut().is_some_and(|link| link.heard(interval, now))
    }

    /// The peer has taken batches.
    pub(super) fn peer_has_taken(&mut self, through: u64) -> Result<(), LinkViolation> {
        self.outgoing.taken(through)
    }

    /// Whether messages of the peer may come.
    pub(super) fn expects_messages(&self) -> Result<(), LinkViolation> {
        match &self.phase {
            LinkPhase::Up { .. } | LinkPhase::Leaving { heard: false, .. } => Ok(()),
            LinkPhase::Leaving { .. } => Err(LinkViolation::AfterGoodbye),
            LinkPhase::Down | LinkPhase::Greeting { .. } | LinkPhase::Renewing { .. } => {
                Err(LinkViolation::NoHello)
            }
        }
    }

    /// A batch of the peer was taken.
    pub(super) fn has_taken(&mut self, number: u64, wants_answer: bool, messages: usize) {
        self.counts.batches_received += 1;
        self.counts.messages_received += messages as u64;
        if let Some(link) = self.phase.link_mut() {
            link.taken_through = number;
            link.owes_answer |= wants_answer;
        }
    }

    pub(super) fn heartbeat(&mut self, heartbeat: &Heartbeat, now: Duration) {
        let link = self.phase.link_mut();
        if let Some(took) = link.and_then(|link| link.heard_heartbeat(heartbeat, now)) {
            self.round_trip.measured(took);
            self.outgoing.set_window(self.round_trip.window());
        }
    }

    /// The connection shall be replaced.
    pub(super) fn outdated(&mut self, now: Duration) {
        self.leave(now, false);
    }

    /// The peer will send nothing more, and wants the connection replaced. Who hears it behind its own goodbye closes the
    /// connection; the other one waits for that, so that its last word arrives.
    pub(super) fn goodbye(&mut self, now: Duration) {
        self.leave(now, true);
        if let LinkPhase::Leaving { link, said: true, .. } = &self.phase {
            link.connection.close();
        }
    }

    fn leave(&mut self, now: Duration, has_heard: bool) {
        match std::mem::replace(&mut self.phase, LinkPhase::Down) {
            LinkPhase::Up { link, since } => {
                let deadline = now + self.settings.lost_after;
                let (said, heard) = (false, has_heard);
                self.phase = LinkPhase::Leaving { link, since, deadline, said, heard };
            }
            LinkPhase::Leaving { link, since, deadline, said, heard } => {
                let heard = heard || has_heard;
                self.phase = LinkPhase::Leaving { link, since, deadline, said, heard };
            }
            other => self.phase = other,
        }
    }

    pub(super) fn push(&mut self, ticket: u64, message: Bytes) -> Result<(), LinkRefusal> {
        if self.phase.up_since().is_none() {
            return Err(LinkRefusal::NotConnected);
        }
        let pushed = self.outgoing.push(ticket, message);
        if pushed == Err(LinkRefusal::Full) {
            self.counts.refused += 1;
        }
        pushed
    }

    /// Has a message sent that takes the place of the one before; nothing while there is no connection.
    pub(super) fn set_latest(&mut self, message: Bytes) {
        if self.phase.up_since().is_some() {
            self.outgoing.set_latest(message);
        }
    }

    /// The next frame to send, if there is one.
    pub(super) fn next_frame(&mut self, now: Duration) -> Option<OutFrame> {
        let may_begin = matches!(&self.phase, LinkPhase::Up { link, .. } if link.greeted);
        let batch = if may_begin { self.outgoing.next_batch() } else { None };
        let content = match &mut self.phase {
            phase if !phase.link()?.greeted => Some(Content::Hello(Hello::clone(&self.own))),
            LinkPhase::Leaving { said, .. } if !*said && self.outgoing.on_their_way() == 0 => {
                *said = true;
                Some(Content::Goodbye(Goodbye {}))
            }
            _ => None,
        };
        let link = self.phase.link_mut()?;
        link.greeted = true;
        let mut tickets = Vec::new();
        let content = content.or_else(|| {
            let out = batch?;
            tickets = out.tickets;
            Some(Content::Batch(out.batch))
        });
        let interval = self.settings.heartbeat_interval;
        let content = content.or_else(|| link.heartbeat(interval, now).map(Content::Heartbeat));
        if content.is_none() {
            if !link.owes_answer || link.answers >= ANSWERS_MAX {
                return None;
            }
            link.answers += 1;
        }
        link.owes_answer = false;
        let (connection, taken_through) = (link.connection.clone(), link.taken_through);
        Some(OutFrame { connection, taken_through, content, tickets })
    }

    /// A frame was sent.
    pub(super) fn sent(&mut self, bytes: usize, is_batch: bool, messages: usize) {
        self.counts.frames_sent += 1;
        self.counts.bytes_sent += bytes as u64;
        self.counts.batches_sent += u64::from(is_batch);
        self.counts.messages_sent += messages as u64;
    }

    /// A frame was not sent, since its connection has broken. Returns the messages that are not sent with it, unless the end of
    /// the connection is still to come and reports them.
    pub(super) fn not_sent(
        &mut self,
        connection: &Arc<dyn PeerConnection>,
        tickets: Vec<u64>,
    ) -> Vec<u64> {
        let is_open =
            self.phase.link().is_some_and(|link| Arc::ptr_eq(&link.connection, connection));
        if !is_open {
            return tickets;
        }
        self.undelivered.extend(tickets);
        Vec::new()
    }

    /// What the clock shows.
    pub(super) fn look(&mut self, now: Duration) -> LinkSight {
        let (silent_after, lost_after) = (self.settings.silent_after, self.settings.lost_after);
        match self.phase {
            LinkPhase::Renewing { deadline, .. } if now >= deadline => {
                self.phase = LinkPhase::Down;
                return LinkSight::NotRenewed(self.end(true));
            }
            LinkPhase::Leaving { deadline, .. } if now >= deadline => return LinkSight::Lost,
            _ => {}
        }
        let Some(link) = self.phase.link_mut() else { return LinkSight::Fine };
        let silent_for = now.saturating_sub(link.heard);
        // one that sends and does not read would be waited for, and written to, for ever
        let unread_for = now.saturating_sub(link.read_by_peer);
        if silent_for >= lost_after || unread_for >= 2 * lost_after {
            return LinkSight::Lost;
        }
        if silent_for >= silent_after && !link.silence_reported {
            link.silence_reported = true;
            return LinkSight::Silent;
        }
        LinkSight::Fine
    }

    /// The connection, if there is one.
    pub(super) fn connection(&self) -> Option<Arc<dyn PeerConnection>> {
        self.phase.link().map(|link| link.connection.clone())
    }

    /// Whether nothing is queued or on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.outgoing.buffered_bytes() == 0
    }

    pub(super) fn status(&self, partial_bytes: usize, now: Duration) -> LinkStatus {
        let (link, since) = (self.phase.link(), self.phase.up_since());
        LinkStatus {
            peer: self.peer.clone(),
            connected_for: since.map(|since| now.saturating_sub(since)),
            heard_ago: link.map(|link| now.saturating_sub(link.heard)),
            buffered_bytes: self.outgoing.buffered_bytes(),
            batches_on_their_way: self.outgoing.on_their_way(),
            batches_on_their_way_max: self.outgoing.window(),
            partial_bytes,
            round_trip: self.round_trip.shortest(),
            counts: self.counts,
        }
    }
}
