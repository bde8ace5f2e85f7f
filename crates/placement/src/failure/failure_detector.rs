use super::{
    FailureDecision, FailureEvidence, FailureSettings, LinkReport, MemberFailure, ObservedMember,
    OwnMembership,
    peer_links::PeerLinks,
    seen_members::{SeenMember, SeenMembers, TableRead},
};
use actum_persistence::store::{Incarnation, lease_grace};
use std::time::Duration;

/// How long after it was asked for the table is read again at most: as much later a member is found that is silent.
const READ_INTERVAL_MAX: Duration = Duration::from_millis(750);

/// How often the table is read and the own lease renewed while a member is refused, at least.
const ALERT_INTERVAL: Duration = Duration::from_millis(100);

/// Finds failed members, as one member sees them. See the [module](super) for its rules.
#[derive(Clone, Debug)]
pub struct FailureDetector {
    me: Incarnation,
    settings: FailureSettings,
    /// When the last renewal that succeeded was begun.
    renewed: Duration,
    members: SeenMembers,
    links: PeerLinks,
    /// Until when no one is revoked, since the database was away, or it is not known whether it was.
    holds_until: Duration,
}

impl FailureDetector {
    /// That of the member `me`, which has begun to join at `begun`.
    #[must_use]
    pub fn new(me: Incarnation, settings: FailureSettings, begun: Duration) -> Self {
        Self {
            me,
            settings,
            renewed: begun,
            members: SeenMembers::default(),
            links: PeerLinks::default(),
            holds_until: Duration::ZERO,
        }
    }

    /// A renewal of the own lease that was begun then has succeeded.
    pub fn renewed(&mut self, begun: Duration) {
        self.renewed = self.renewed.max(begun);
    }

    /// When the own lease lapses, if no renewal succeeds.
    #[must_use]
    pub fn lapses_at(&self) -> Duration {
        self.renewed + self.settings.lease
    }

    /// Takes in the whole table: a read that was begun at `asked`, and whose answer is there `now`. One that was begun
    /// before one that is known is ignored.
    pub fn saw_members(&mut self, rows: &[ObservedMember], asked: Duration, now: Duration) {
        let last = self.members.last();
        if last.is_some_and(|last| asked < last.asked) {
            return;
        }
        let was_away =
            |last: TableRead| now.saturating_sub(last.answered) > self.settings.lease / 2;
        if last.is_none_or(was_away) {
            self.holds_until = now + self.silent_after();
        }
        self.members.read(rows, TableRead { asked, answered: now });
        self.links.keep(|peer| self.members.get(peer).is_some());
    }

    /// Takes in what the link to a peer has shown `now`.
    pub fn reported(&mut self, peer: Incarnation, report: LinkReport, now: Duration) {
        self.links.report(peer, report, now);
    }

    /// What follows from all that. To be asked whenever something was taken in, and when the own lease
    /// [lapses](Self::lapses_at).
    #[must_use]
    pub fn decide(&self, now: Duration) -> FailureDecision {
        let own = self.own(now);
        let is_cut_off = self.is_cut_off(now);
        let mut decision = FailureDecision { own, suspects: vec![], failures: vec![], is_cut_off };
        if own != OwnMembership::Holds {
            return decision;
        }
        let revokes = now >= self.holds_until && !self.may_be_away(now);
        for member in self.others() {
            let suspected = self.suspected_since(member, now).filter(|_| !is_cut_off);
            if suspected.is_some() {
                decision.suspects.push(member.row.holder);
            }
            let evidence = if self.is_silent(member) {
                Some(FailureEvidence::Silent)
            } else {
                suspected.and_then(|since| self.agreement(member, since, now))
            };
            if let Some(evidence) = evidence.filter(|_| revokes) {
                decision.failures.push(MemberFailure { member: member.row.holder, evidence });
            }
        }
        decision
    }

    /// When the table is to be read next: four times a lease and at least every 750 ms, when a renewal that was seen may be
    /// silent, and often while someone is refused. A renewal that returns the table is a read, too.
    #[must_use]
    pub fn read_at(&self, now: Duration) -> Duration {
        let Some(last) = self.members.last() else { return now };
        let silent = self.others().map(|member| member.since + self.silent_after());
        let regular = last.asked + READ_INTERVAL_MAX.min(self.settings.lease / 4);
        let soon = self.alert_interval(now).map(|interval| last.answered + interval);
        silent.filter(|at| *at > last.asked).chain(soon).fold(regular, Duration::min)
    }

    /// When the own lease is to be renewed next: three times a lease; often while someone is refused, since that one may be
    /// refused as well; and at once when another one suspects this one. Also, and that is not said here, when [what it
    /// suspects](FailureDecision::suspects) has changed. In the past when renewals fail: how soon one is tried again is up
    /// to the caller.
    #[must_use]
    pub fn renew_at(&self, now: Duration) -> Duration {
        let seen = self.members.last().filter(|last| self.renewed < last.asked);
        let own = seen.and_then(|_| self.members.get(self.me)).map(|own| own.row.holder);
        if own.is_some_and(|own| self.others().any(|other| other.suspects(own))) {
            return now;
        }
        self.renewed + self.alert_interval(now).unwrap_or(self.settings.lease / 3)
    }

    /// How often members show that they live while someone is refused: well within the time after which they are suspected.
    fn alert_interval(&self, now: Duration) -> Option<Duration> {
        let refused = self.others().any(|member| self.is_refused(member, now));
        refused.then_some((self.settings.refused_for / 2).min(ALERT_INTERVAL))
    }

    fn own(&self, now: Duration) -> OwnMembership {
        if self.members.last().is_some() && self.members.get(self.me).is_none() {
            OwnMembership::Ended
        } else if now >= self.lapses_at() {
            OwnMembership::Lapsed
        } else {
            OwnMembership::Holds
        }
    }

    /// Whether the database may be away, since nothing was read for half a lease: then others cannot renew either.
    fn may_be_away(&self, now: Duration) -> bool {
        let half = self.settings.lease / 2;
        self.members.last().is_none_or(|last| now.saturating_sub(last.answered) > half)
    }

    fn others(&self) -> impl Iterator<Item = &SeenMember> {
        self.members.iter().filter(|member| member.incarnation() != self.me)
    }

    /// How long after a renewal was seen its member is silent.
    fn silent_after(&self) -> Duration {
        self.settings.lease + lease_grace(self.settings.lease)
    }

    fn is_silent(&self, member: &SeenMember) -> bool {
        self.members.unchanged(member) >= self.silent_after()
    }

    /// Whether a member that is not leaving is refused. A refusal that was not seen again for a third of a lease is over.
    fn is_refused(&self, member: &SeenMember, now: Duration) -> bool {
        let within = self.settings.lease / 3;
        !member.row.is_leaving && self.links.refusal(member.incarnation(), within, now).is_some()
    }

    /// Whether this one is refused by several, and by more than it hears of: then the fault is on its side.
    fn is_cut_off(&self, now: Duration) -> bool {
        let refused = self.others().filter(|member| self.is_refused(member, now)).count();
        let is_heard = |member: &&SeenMember| {
            self.links.is_heard(member.incarnation(), self.settings.lease, now)
        };
        refused >= 2 && refused > self.others().filter(is_heard).count()
    }

    /// Since when a member is suspected: it has been refused for long enough, since it was seen to have renewed.
    fn suspected_since(&self, member: &SeenMember, now: Duration) -> Option<Duration> {
        let is_leaving = |member: &SeenMember| member.row.is_leaving;
        if is_leaving(member) || self.members.get(self.me).is_none_or(is_leaving) {
            return None;
        }
        let within = self.settings.lease / 3;
        let refusal = self.links.refusal(member.incarnation(), within, now)?;
        let since = refusal.since.max(member.since) + self.settings.refused_for;
        (refusal.last >= since).then_some(since)
    }

    /// Who agrees that a member has died that is suspected since then.
    fn agreement(
        &self,
        member: &SeenMember,
        since: Duration,
        now: Duration,
    ) -> Option<FailureEvidence> {
        // it has not renewed meanwhile, by a read that was begun after that
        self.members.last().filter(|last| last.asked >= since)?;
        let observers: Vec<_> = self
            .others()
            .filter(|observer| observer.incarnation() != member.incarnation())
            .filter(|observer| !observer.row.is_leaving && !self.is_silent(observer))
            .collect();
        if observers.is_empty() {
            return (self.renewed >= since).then_some(FailureEvidence::RefusedByTheOnlyOther);
        }
        let with = observers.into_iter().find(|observer| {
            observer.suspects(member.row.holder) && !self.is_refused(observer, now)
        });
        with.map(|observer| FailureEvidence::RefusedByTwo { with: observer.incarnation() })
    }
}
