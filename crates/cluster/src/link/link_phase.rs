//! Where a link stands, and the connection it has.

use crate::transport::PeerConnection;
use actum_proto::link::v1::Heartbeat;
use std::{sync::Arc, time::Duration};

/// Where a link stands. Times are since some start.
///
/// ```text
/// Down -connected-> Greeting -hello-> Up -outdated-> Leaving -both said goodbye, closed-> Renewing -connected-> Greeting
/// ```
/// and from each of the others to `Down` when its connection ends.
#[derive(Debug)]
pub(super) enum LinkPhase {
    /// No connection.
    Down,
    /// A connection, on which the peer has not greeted yet. If it replaces one, since when that was up.
    Greeting { link: OpenLink, renews: Option<Duration> },
    /// Messages go and come.
    Up { link: OpenLink, since: Duration },
    /// The connection is to be replaced: no batch is begun any more.
    Leaving { link: OpenLink, since: Duration, deadline: Duration, said: bool, heard: bool },
    /// The old connection was left in order, and the next one is awaited with what is queued.
    Renewing { since: Duration, deadline: Duration },
}

impl LinkPhase {
    /// The connection, if there is one.
    pub(super) fn link(&self) -> Option<&OpenLink> {
        match self {
            Self::Greeting { link, .. } | Self::Up { link, .. } | Self::Leaving { link, .. } => {
                Some(link)
            }
            Self::Down | Self::Renewing { .. } => None,
        }
    }

    /// The connection, to change what is known of it.
    pub(super) fn link_mut(&mut self) -> Option<&mut OpenLink> {
        match self {
            Self::Greeting { link, .. } | Self::Up { link, .. } | Self::Leaving { link, .. } => {
                Some(link)
            }
            Self::Down | Self::Renewing { .. } => None,
        }
    }

    /// Since when messages can be sent.
    pub(super) fn up_since(&self) -> Option<Duration> {
        match self {
            Self::Up { since, .. } | Self::Leaving { since, .. } | Self::Renewing { since, .. } => {
                Some(*since)
            }
            Self::Greeting { renews, .. } => *renews,
            Self::Down => None,
        }
    }
}

/// How many frames that only say what was taken go to a peer that does not show that it reads them: many more than one that
/// does can cause between two heartbeats. Else what waits to be written to it would have no bound.
pub(super) const ANSWERS_MAX: u32 = 100_000;

/// A connection and what was said on it.
#[derive(Debug)]
pub(super) struct OpenLink {
    pub(super) connection: Arc<dyn PeerConnection>,
    /// Whether this side has greeted.
    pub(super) greeted: bool,
    /// When something has arrived last, and when that was reported last.
    pub(super) heard: Duration,
    pub(super) heard_reported: Option<Duration>,
    pub(super) silence_reported: bool,
    /// When the last heartbeat was sent.
    pub(super) beat: Option<Duration>,
    /// The newest heartbeat of the peer, and when it came.
    pub(super) echo: Option<(u64, Duration)>,
    /// When that heartbeat was sent which the peer has shown last that it has read, or when the connection began.
    pub(super) read_by_peer: Duration,
    /// How many frames that only say what was taken were sent since then.
    pub(super) answers: u32,
    /// The number of the last batch of the peer that was taken, and whether it waits to hear of that.
    pub(super) taken_through: u64,
    pub(super) owes_answer: bool,
}

impl OpenLink {
    pub(super) fn new(connection: Arc<dyn PeerConnection>, now: Duration) -> Self {
        Self {
            connection,
            greeted: false,
            heard: now,
            heard_reported: None,
            silence_reported: false,
            beat: None,
            echo: None,
            read_by_peer: now,
            answers: 0,
            taken_through: 0,
            owes_answer: false,
        }
    }

    /// The heartbeat to send now, if it is due.
    pub(super) fn heartbeat(&mut self, interval: Duration, now: Duration) -> Option<Heartbeat> {
        if self.beat.is_some_and(|last| now.saturating_sub(last) < interval) {
            return None;
        }
        self.beat = Some(now);
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Some(Heartbeat {
            sent_micros: micros(now),
            echo_micros: self.echo.map(|(sent, _)| sent),
            held_micros: self.echo.map_or(0, |(_, came)| micros(now.saturating_sub(came))),
        })
    }

    /// Notes a heartbeat of the peer, and says how long the round trip took that it ends.
    pub(super) fn heard_heartbeat(
        &mut self,
        heartbeat: &Heartbeat,
        now: Duration,
    ) -> Option<Duration> {
        self.echo = Some((heartbeat.sent_micros, now));
        let sent = Duration::from_micros(heartbeat.echo_micros?);
        let held = Duration::from_micros(heartbeat.held_micros);
        let took = now.checked_sub(sent)?.saturating_sub(held);
        if sent > self.read_by_peer {
            self.read_by_peer = sent;
            self.answers = 0;
        }
        Some(took)
    }

    /// Notes that something has arrived; returns whether that is to be reported.
    pub(super) fn heard(&mut self, interval: Duration, now: Duration) -> bool {
        self.heard = now;
        self.silence_reported = false;
        let is_due = self.heard_reported.is_none_or(|last| now.saturating_sub(last) >= interval);
        if is_due {
            self.heard_reported = Some(now);
        }
        is_due
    }
}
