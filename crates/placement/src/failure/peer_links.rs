use super::LinkReport;
use actum_persistence::store::Incarnation;
use std::{collections::BTreeMap, time::Duration};

/// What the links to all peers have shown last.
#[derive(Clone, Debug, Default)]
pub(super) struct PeerLinks(BTreeMap<Incarnation, PeerLink>);

#[derive(Clone, Copy, Debug)]
enum PeerLink {
    Heard { last: Duration },
    Refused(Refusal),
    Silent,
}

/// A peer that is refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    /// Since when, without anything else in between.
    pub(super) since: Duration,
    /// When that was seen last.
    pub(super) last: Duration,
}

impl PeerLinks {
    pub(super) fn report(&mut self, peer: Incarnation, report: LinkReport, now: Duration) {
        let link = match (report, self.0.get(&peer)) {
            (LinkReport::Heard, _) => PeerLink::Heard { last: now },
            (LinkReport::Silent, _) => PeerLink::Silent,
            (LinkReport::Refused, Some(PeerLink::Refused(refusal))) => {
                PeerLink::Refused(Refusal { last: now, ..*refusal })
            }
            (LinkReport::Refused, _) => PeerLink::Refused(Refusal { since: now, last: now }),
        };
        self.0.insert(peer, link);
    }

    /// Forgets peers that are no members any more.
    pub(super) fn keep(&mut self, is_member: impl Fn(Incarnation) -> bool) {
        self.0.retain(|peer, _| is_member(*peer));
    }

    /// Since when a peer is refused, if that was seen within this time.
    pub(super) fn refusal(
        &self,
        peer: Incarnation,
        within: Duration,
        now: Duration,
    ) -> Option<Refusal> {
        match self.0.get(&peer) {
            Some(PeerLink::Refused(refusal)) if now.saturating_sub(refusal.last) <= within => {
                Some(*refusal)
            }
            _ => None,
        }
    }

    /// Whether something of a peer has arrived within this time, and nothing else was seen since.
    pub(super) fn is_heard(&self, peer: Incarnation, within: Duration, now: Duration) -> bool {
        matches!(self.0.get(&peer), Some(PeerLink::Heard { last }) if now.saturating_sub(*last) <= within)
    }
}
