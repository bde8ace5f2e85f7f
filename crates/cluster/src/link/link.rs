use super::{
    LinkRefusal, LinkReport, LinkSettings, LinkSink, LinkStatus, LinkViolation,
    incoming::Incoming,
    link_frame,
    link_state::{LinkEnd, LinkSight, LinkState},
};
use crate::transport::{PeerConnection, PeerNode};
use actum_host::{Burst, Moment, log_burst};
use actum_persistence::{panics::guard, store::Incarnation};
use actum_proto::link::v1::{Batch, Hello, link_frame::Content};
use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// The link to one peer: its state, and what carries out what that decides.
pub(super) struct Link {
    peer: Incarnation,
    sink: Arc<dyn LinkSink>,
    start: Instant,
    message_bytes_max: usize,
    state: Mutex<LinkState>,
    /// Only what has arrived touches it, one frame after another.
    incoming: Mutex<Incoming>,
    violations: Burst,
}

impl Link {
    pub(super) fn new(
        own: Arc<Hello>,
        settings: LinkSettings,
        peer: PeerNode,
        sink: Arc<dyn LinkSink>,
        start: Instant,
    ) -> Self {
        Self {
            peer: peer.incarnation,
            sink,
            start,
            message_bytes_max: settings.message_bytes_max,
            state: Mutex::new(LinkState::new(own, settings, peer)),
            incoming: Mutex::new(Incoming::new(settings.message_bytes_max)),
            violations: Burst::default(),
        }
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn peer(&self) -> PeerNode {
        self.state.lock().peer().clone()
    }

    pub(super) fn set_address(&self, peer: PeerNode) {
        self.state.lock().set_address(peer);
    }

    pub(super) fn send(&self, ticket: u64, message: Bytes) -> Result<(), LinkRefusal> {
        let mut state = self.state.lock();
        state.push(ticket, message)?;
        self.pump(state);
        Ok(())
    }

    pub(super) fn send_latest(&self, message: Bytes) {
        let mut state = self.state.lock();
        state.set_latest(message);
        self.pump(state);
    }

    pub(super) fn connected(&self, connection: Arc<dyn PeerConnection>) {
        *self.incoming.lock() = Incoming::new(self.message_bytes_max);
        let mut state = self.state.lock();
        state.connected(connection, self.now());
        self.pump(state);
    }

    pub(super) fn disconnected(&self) {
        let end = self.state.lock().disconnected(self.now());
        self.ended(end);
    }

    /// Takes a frame of the peer. What it must not send ends the connection.
    pub(super) fn received(&self, frame: Bytes) {
        let taken = guard(|| self.take(frame));
        let why = match taken {
            Ok(Ok(())) => return,
            Ok(Err(violation)) => violation.to_string(),
            Err(panic) => format!("what it has sent made the node panic: {panic}"),
        };
        let (peer, connection) = {
            let state = self.state.lock();
            (state.peer().to_string(), state.connection())
        };
        // it is dialled again, and may say the same again
        let report = self.violations.failed(&why, Moment::default().after(self.now()));
        let error = why;
        log_burst!(
            report, of: [%peer,], at: [%peer,], error,
            "the connection with a node of the cluster is ended",
            keeps: "connections with a node of the cluster are still being ended"
        );
        if let Some(connection) = connection {
            connection.close();
        }
    }

    pub(super) fn take(&self, frame: Bytes) -> Result<(), LinkViolation> {
        let (bytes, now) = (frame.len(), self.now());
        let frame = link_frame::decode(frame)?;
        let mut state = self.state.lock();
        let report = state.heard(bytes, now);
        state.peer_has_taken(frame.taken_through)?;
        match frame.content {
            Some(Content::Hello(hello)) => state.hello(&hello, now)?,
            Some(Content::Heartbeat(heartbeat)) => state.heartbeat(&heartbeat, now),
            Some(Content::Goodbye(_)) => state.goodbye(now),
            Some(Content::Batch(batch)) => state = self.take_batch(state, batch)?,
            None => {}
        }
        self.pump(state);
        if report {
            self.sink.reported(self.peer, LinkReport::Heard);
        }
        Ok(())
    }

    fn take_batch<'a>(
        &'a self,
        mut state: MutexGuard<'a, LinkState>,
        batch: Batch,
    ) -> Result<MutexGuard<'a, LinkState>, LinkViolation> {
        state.expects_messages()?;
        // what was taken makes room for more of ours
        self.pump(state);
        let (number, wants_answer) = (batch.number, batch.wants_answer);
        let messages = self.incoming.lock().take(batch)?;
        let count = messages.len();
        for message in messages {
            self.sink.received(self.peer, message);
        }
        state = self.state.lock();
        state.has_taken(number, wants_answer, count);
        Ok(state)
    }

    pub(super) fn outdated(&self) {
        let mut state = self.state.lock();
        state.outdated(self.now());
        self.pump(state);
    }

    /// Sends what is due and looks how long nothing has arrived.
    pub(super) fn tick(&self) {
        let mut state = self.state.lock();
        let sight = state.look(self.now());
        let connection = state.connection();
        self.pump(state);
        match sight {
            LinkSight::Fine => {}
            LinkSight::Silent => self.tell(|sink| sink.reported(self.peer, LinkReport::Silent)),
            LinkSight::Lost => {
                let peer = self.peer();
                tracing::warn!(%peer, "nothing comes from a node of the cluster: it is dialled again");
                if let Some(connection) = connection {
                    connection.close();
                }
            }
            LinkSight::NotRenewed(end) => self.ended(end),
        }
    }

    /// Gives up what is queued: the peer is no member any more.
    pub(super) fn give_up(&self) {
        let end = self.state.lock().give_up();
        self.ended(end);
    }

    fn ended(&self, end: LinkEnd) {
        let LinkEnd { not_sent, was_up } = end;
        self.tell_not_sent(not_sent);
        if was_up {
            self.tell(|sink| sink.lost(self.peer));
        }
    }

    fn tell_not_sent(&self, tickets: Vec<u64>) {
        if !tickets.is_empty() {
            self.tell(|sink| sink.not_sent(self.peer, tickets));
        }
    }

    /// Reports something. If the node panics there the link goes on.
    fn tell(&self, report: impl FnOnce(&dyn LinkSink)) {
        if let Err(panic) = guard(|| report(&*self.sink)) {
            let peer = self.peer;
            tracing::error!(%peer, panic, "the node panicked over a report of a link");
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.state.lock().is_idle()
    }

    pub(super) fn status(&self) -> LinkStatus {
        let partial_bytes = self.incoming.lock().partial_bytes();
        self.state.lock().status(partial_bytes, self.now())
    }

    /// Sends the frames that may go. One thread does at a time, without the lock while it sends; those who come meanwhile
    /// leave what they have, since that one looks again.
    fn pump(&self, mut state: MutexGuard<'_, LinkState>) {
        if state.pumping {
            return;
        }
        state.pumping = true;
        while let Some(frame) = state.next_frame(self.now()) {
            let (connection, tickets) = (frame.connection, frame.tickets);
            let is_batch = matches!(frame.content, Some(Content::Batch(_)));
            let (sent, bytes) = MutexGuard::unlocked(&mut state, || {
                let frame = link_frame::encode(frame.taken_through, frame.content);
                let bytes = frame.len();
                (connection.send(frame), bytes)
            });
            if sent {
                state.sent(bytes, is_batch, tickets.len());
                continue;
            }
            let not_sent = state.not_sent(&connection, tickets);
            MutexGuard::unlocked(&mut state, || self.tell_not_sent(not_sent));
        }
        state.pumping = false;
    }
}
