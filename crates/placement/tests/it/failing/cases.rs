use actum_persistence::store::{Incarnation, Renewal, SeenHolder};
use actum_placement::failure::{
    FailureDecision, FailureDetector, FailureEvidence, FailureSettings, LinkReport, ObservedMember,
    OwnMembership,
};
use std::time::Duration;

const LEASE: u64 = 3_000;
/// How long after it was seen a renewal is silent.
const SILENT: u64 = 3_023;
/// How long one that has just joined revokes no one.
const FIRST: u64 = SILENT;
const REFUSED_FOR: u64 = 200;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Member 1, and the table it reads.
struct Observer {
    detector: FailureDetector,
    rows: Vec<ObservedMember>,
    now: u64,
}

impl Observer {
    /// One of so many members, which has joined so long ago that it may revoke others. All have renewed now.
    fn new(members: u64) -> Self {
        let rows = (1..=members).map(|nr| {
            let (incarnation, renewal) = (Incarnation::new(nr), Renewal::new(0));
            ObservedMember::new(SeenHolder { incarnation, renewal })
        });
        let settings = FailureSettings::default().with_refused_for(millis(REFUSED_FOR));
        let detector = FailureDetector::new(Incarnation::new(1), settings, Duration::ZERO);
        let mut observer = Self { detector, rows: rows.collect(), now: 0 };
        observer.read();
        observer.live(FIRST);
        observer
    }

    fn row(&mut self, nr: u64) -> &mut ObservedMember {
        self.rows.iter_mut().find(|row| row.holder.incarnation.get() == nr).unwrap()
    }

    fn renew(&mut self, nr: u64) {
        let holder = &mut self.row(nr).holder;
        holder.renewal = Renewal::new(holder.renewal.get() + 1);
        if nr == 1 {
            self.detector.renewed(millis(self.now));
        }
    }

    fn read(&mut self) {
        self.read_since(self.now);
    }

    /// An answer to what was asked then.
    fn read_since(&mut self, asked: u64) {
        self.detector.saw_members(&self.rows, millis(asked), millis(self.now));
    }

    /// All renew, and the table is read, three times a lease.
    fn live(&mut self, time: u64) {
        let all: Vec<_> = self.rows.iter().map(|row| row.holder.incarnation.get()).collect();
        self.live_without(time, &all);
    }

    /// These renew, the others do not.
    fn live_without(&mut self, time: u64, renewing: &[u64]) {
        let until = self.now + time;
        while self.now < until {
            self.now = until.min(self.now + LEASE / 3);
            renewing.iter().for_each(|nr| self.renew(*nr));
            self.read();
        }
    }

    fn report(&mut self, peer: u64, report: LinkReport) {
        self.detector.reported(Incarnation::new(peer), report, millis(self.now));
    }

    /// These are refused every 100 ms, for as long as it takes to suspect them; then the table is read.
    fn refused(&mut self, peers: &[u64]) {
        for nr in 0..=REFUSED_FOR / 100 {
            self.now += if nr == 0 { 0 } else { 100 };
            peers.iter().for_each(|peer| self.report(*peer, LinkReport::Refused));
        }
        self.read();
    }

    fn decide(&self) -> FailureDecision {
        self.detector.decide(millis(self.now))
    }

    fn suspected(&self) -> Vec<u64> {
        self.decide().suspects.iter().map(|holder| holder.incarnation.get()).collect()
    }

    fn failed(&self) -> Vec<(u64, FailureEvidence)> {
        let decision = self.decide();
        for failure in &decision.failures {
            let row = self.rows.iter().find(|row| row.holder == failure.member);
            assert!(row.is_some(), "it is judged by the renewal it has");
        }
        let failures = decision.failures.iter();
        failures.map(|failure| (failure.member.incarnation.get(), failure.evidence)).collect()
    }

    /// Another one publishes that it suspects this one, in its present life.
    fn publish(&mut self, observer: u64, suspected: u64) {
        let holder = self.row(suspected).holder;
        self.row(observer).suspects.push(holder);
    }
}

const NO_ONE: [(u64, FailureEvidence); 0] = [];

fn agreed(nr: u64, with: u64) -> [(u64, FailureEvidence); 1] {
    [(nr, FailureEvidence::RefusedByTwo { with: Incarnation::new(with) })]
}

#[test]
fn a_member_is_silent_a_lease_and_a_grace_after_its_last_renewal_was_seen() {
    let mut observer = Observer::new(3);
    let seen = observer.now;
    observer.live_without(SILENT - 1, &[1, 2]);
    assert_eq!(observer.failed(), NO_ONE);
    observer.now = seen + SILENT;
    observer.read();
    assert_eq!(observer.failed(), [(3, FailureEvidence::Silent)]);
}

#[test]
fn a_renewal_that_has_changed_proves_life_whatever_its_number() {
    let mut observer = Observer::new(2);
    observer.live_without(SILENT - 1, &[1]);
    observer.row(2).holder.renewal = Renewal::new(-7);
    observer.read();
    observer.live_without(SILENT - 1, &[1]);
    assert_eq!(observer.failed(), NO_ONE);
    observer.live_without(1, &[1]);
    assert_eq!(observer.failed(), [(2, FailureEvidence::Silent)]);
}

#[test]
fn an_answer_proves_nothing_about_the_time_since_it_was_asked_for() {
    let mut observer = Observer::new(2);
    let seen = observer.now;
    observer.live_without(SILENT - 500, &[1]);
    observer.now = seen + SILENT + 400;
    observer.read_since(seen + SILENT - 1);
    assert_eq!(observer.failed(), NO_ONE);
    observer.read_since(seen + SILENT);
    assert_eq!(observer.failed(), [(2, FailureEvidence::Silent)]);
}

#[test]
fn an_answer_to_an_older_question_is_ignored() {
    let mut observer = Observer::new(2);
    observer.live_without(1_000, &[1]);
    let rows = observer.rows.clone();
    observer.renew(2);
    observer.read();
    observer.now += 1;
    observer.detector.saw_members(&rows, millis(observer.now - 10), millis(observer.now));
    observer.report(2, LinkReport::Refused);
    observer.refused(&[2]);
    assert_eq!(observer.decide().suspects, [observer.rows[1].holder]);
}

#[test]
fn a_member_that_is_not_heard_of_and_renews_is_neither_suspected_nor_revoked() {
    let mut observer = Observer::new(3);
    for _ in 0..30 {
        observer.report(2, LinkReport::Silent);
        observer.publish(3, 2);
        observer.live(LEASE / 3);
        assert_eq!((observer.suspected(), observer.failed()), (vec![], vec![]));
    }
}

#[test]
fn a_member_that_is_slow_stays() {
    let mut observer = Observer::new(3);
    for _ in 0..10 {
        observer.live_without(LEASE - 10, &[1, 3]);
        observer.report(2, LinkReport::Silent);
        assert_eq!((observer.suspected(), observer.failed()), (vec![], vec![]));
        observer.renew(2);
        observer.report(2, LinkReport::Heard);
        observer.read();
    }
}

#[test]
fn a_member_that_is_heard_of_and_does_not_renew_for_a_lease_is_revoked() {
    let mut observer = Observer::new(2);
    observer.live_without(SILENT, &[1]);
    observer.report(2, LinkReport::Heard);
    assert_eq!(observer.failed(), [(2, FailureEvidence::Silent)]);
}

#[test]
fn a_member_is_suspected_that_was_refused_for_a_while_without_a_break() {
    let mut observer = Observer::new(3);
    for (report, suspected) in [
        (LinkReport::Refused, [].as_slice()),
        (LinkReport::Heard, &[]),
        (LinkReport::Refused, &[]),
        (LinkReport::Silent, &[]),
        (LinkReport::Refused, &[]),
        (LinkReport::Refused, &[2]),
        (LinkReport::Silent, &[]),
    ] {
        observer.now += REFUSED_FOR;
        observer.report(2, report);
        observer.read();
        assert_eq!(observer.suspected(), suspected, "{report:?}");
    }
}

#[test]
fn a_refusal_that_is_not_seen_again_is_over_after_a_third_of_a_lease() {
    let mut observer = Observer::new(3);
    observer.refused(&[2]);
    observer.now += LEASE / 3;
    assert_eq!(observer.suspected(), [2]);
    observer.now += 1;
    assert_eq!(observer.suspected(), [0; 0]);
}

#[test]
fn one_observer_alone_revokes_no_one_that_another_one_could_see() {
    let mut observer = Observer::new(3);
    observer.refused(&[2]);
    observer.renew(1);
    observer.read();
    assert_eq!((observer.suspected(), observer.failed()), (vec![2], vec![]));
}

#[test]
fn two_observers_that_agree_revoke_a_member_at_once() {
    let mut observer = Observer::new(3);
    observer.publish(3, 2);
    observer.refused(&[2]);
    assert_eq!(observer.failed(), agreed(2, 3));
}

#[test]
fn what_two_others_suspect_is_not_revoked_by_one_that_does_not() {
    let mut observer = Observer::new(4);
    observer.publish(3, 2);
    observer.publish(4, 2);
    observer.live(1);
    observer.publish(3, 2);
    observer.publish(4, 2);
    observer.read();
    assert_eq!(observer.failed(), NO_ONE);
}

#[test]
fn the_only_other_member_revokes_one_when_it_has_renewed_since_it_suspects_it() {
    let mut observer = Observer::new(2);
    observer.refused(&[2]);
    assert_eq!((observer.suspected(), observer.failed()), (vec![2], vec![]));
    observer.now += 1;
    observer.renew(1);
    assert_eq!(observer.failed(), [(2, FailureEvidence::RefusedByTheOnlyOther)]);
}

#[test]
fn members_that_are_leaving_or_silent_are_no_observers() {
    for is_silent in [false, true] {
        let mut observer = Observer::new(3);
        if is_silent {
            observer.live_without(SILENT, &[1, 2]);
        } else {
            observer.row(3).is_leaving = true;
            observer.publish(3, 2);
        }
        observer.refused(&[2]);
        observer.renew(1);
        let of_two = observer.failed().into_iter().find(|(nr, _)| *nr == 2);
        assert_eq!(of_two, Some((2, FailureEvidence::RefusedByTheOnlyOther)), "{is_silent}");
    }
}

#[test]
fn a_member_that_is_leaving_is_not_suspected_and_not_revoked_before_it_is_silent() {
    let mut observer = Observer::new(3);
    observer.row(2).is_leaving = true;
    observer.publish(3, 2);
    observer.refused(&[2]);
    assert_eq!((observer.suspected(), observer.failed()), (vec![], vec![]));
    observer.live_without(SILENT, &[1, 3]);
    assert_eq!(observer.failed(), [(2, FailureEvidence::Silent)]);
}

#[test]
fn a_member_that_is_leaving_suspects_no_one() {
    let mut observer = Observer::new(3);
    observer.row(1).is_leaving = true;
    observer.publish(3, 2);
    observer.refused(&[2]);
    assert_eq!((observer.suspected(), observer.failed()), (vec![], vec![]));
}

#[test]
fn a_member_that_has_renewed_is_suspected_only_when_it_is_refused_again() {
    let mut observer = Observer::new(3);
    observer.publish(3, 2);
    observer.refused(&[2]);
    observer.renew(2);
    observer.read();
    assert_eq!((observer.suspected(), observer.failed()), (vec![], vec![]));
    observer.now += REFUSED_FOR - 1;
    observer.report(2, LinkReport::Refused);
    observer.read();
    assert_eq!(observer.suspected(), [0; 0]);
    observer.now += 1;
    observer.report(2, LinkReport::Refused);
    assert_eq!(observer.suspected(), [2]);
}

#[test]
fn a_suspicion_of_an_earlier_renewal_does_not_count() {
    let mut observer = Observer::new(3);
    observer.publish(3, 2);
    observer.renew(2);
    observer.read();
    observer.refused(&[2]);
    assert_eq!((observer.suspected(), observer.failed()), (vec![2], vec![]));
}

#[test]
fn it_is_revoked_only_by_a_read_that_was_begun_after_it_was_suspected() {
    let mut observer = Observer::new(3);
    observer.publish(3, 2);
    observer.read();
    observer.report(2, LinkReport::Refused);
    observer.now += REFUSED_FOR;
    observer.report(2, LinkReport::Refused);
    assert_eq!((observer.suspected(), observer.failed()), (vec![2], vec![]));
    observer.now += 5;
    observer.read_since(observer.now - 6);
    assert_eq!(observer.failed(), NO_ONE);
    observer.read_since(observer.now - 5);
    assert_eq!(observer.failed(), agreed(2, 3));
}

#[test]
fn an_observer_that_is_refused_by_several_is_cut_off_and_suspects_no_one() {
    let mut observer = Observer::new(4);
    observer.report(4, LinkReport::Heard);
    observer.publish(4, 2);
    observer.publish(4, 3);
    observer.refused(&[2, 3]);
    let decision = observer.decide();
    assert!(decision.is_cut_off);
    assert_eq!((observer.suspected(), observer.failed()), (vec![], vec![]));
    observer.live_without(SILENT, &[1, 4]);
    let silent = [2, 3].map(|nr| (nr, FailureEvidence::Silent));
    assert_eq!(observer.failed(), silent, "a lease is another matter");
}

#[test]
fn two_of_five_that_die_at_once_are_both_revoked() {
    let mut observer = Observer::new(5);
    observer.report(4, LinkReport::Heard);
    observer.report(5, LinkReport::Heard);
    observer.publish(4, 2);
    observer.publish(5, 3);
    observer.refused(&[2, 3]);
    assert!(!observer.decide().is_cut_off);
    assert_eq!(observer.failed(), [agreed(2, 4), agreed(3, 5)].concat());
}

#[test]
fn the_word_of_an_observer_that_is_refused_itself_does_not_count() {
    let mut observer = Observer::new(5);
    [4, 5].iter().for_each(|nr| observer.report(*nr, LinkReport::Heard));
    observer.publish(3, 2);
    observer.refused(&[2, 3]);
    assert_eq!((observer.suspected(), observer.failed()), (vec![2, 3], vec![]));
}

#[test]
fn after_the_database_was_away_no_one_is_revoked_for_one_lease() {
    for away in [LEASE / 2 + 1, 2 * LEASE, 20 * LEASE] {
        let mut observer = Observer::new(3);
        observer.now += away;
        observer.renew(1);
        observer.publish(3, 2);
        observer.refused(&[2]);
        // the answer before it has begun that time
        let until = observer.now + SILENT - 1;
        while observer.now < until {
            assert_eq!(observer.failed(), NO_ONE, "{away}");
            observer.now = until.min(observer.now + 500);
            observer.renew(1);
            observer.report(2, LinkReport::Refused);
            observer.read();
        }
        assert_eq!(observer.failed(), NO_ONE, "{away}");
        observer.now += 1;
        observer.read();
        assert_eq!(observer.failed().len(), 2, "{away}");
    }
}

#[test]
fn what_was_read_half_a_lease_ago_is_no_reason_to_revoke_anyone() {
    let mut observer = Observer::new(2);
    observer.live_without(SILENT, &[1]);
    observer.now += LEASE / 2;
    assert_eq!(observer.failed(), [(2, FailureEvidence::Silent)]);
    observer.now += 1;
    assert_eq!(observer.failed(), NO_ONE);
}

#[test]
fn a_database_that_was_away_for_half_a_lease_delays_nothing() {
    let mut observer = Observer::new(3);
    let seen = observer.now;
    observer.now += LEASE / 2;
    observer.renew(1);
    observer.renew(3);
    observer.read();
    observer.now = seen + SILENT - 500;
    observer.read();
    observer.now = seen + SILENT;
    observer.read();
    assert_eq!(observer.failed(), [(2, FailureEvidence::Silent)]);
}

#[test]
fn one_that_has_just_joined_revokes_no_one_for_one_lease() {
    let mut observer = Observer::new(3);
    let settings = FailureSettings::default();
    observer.detector = FailureDetector::new(Incarnation::new(1), settings, millis(observer.now));
    observer.publish(3, 2);
    observer.read();
    observer.refused(&[2]);
    assert_eq!((observer.suspected(), observer.failed()), (vec![2], vec![]));
}

#[test]
fn one_whose_lease_has_lapsed_is_suspended_and_decides_about_no_one_until_it_has_renewed() {
    let mut observer = Observer::new(3);
    observer.publish(3, 2);
    let renewed = observer.now;
    observer.live_without(LEASE - REFUSED_FOR - 1, &[3]);
    observer.row(3).suspects.clear();
    observer.publish(3, 2);
    observer.refused(&[2]);
    assert_eq!(observer.decide().own, OwnMembership::Holds);
    assert_eq!(observer.failed(), agreed(2, 3));
    assert_eq!(observer.detector.lapses_at(), millis(renewed + LEASE));
    observer.now = renewed + LEASE;
    assert_eq!(observer.decide().own, OwnMembership::Lapsed);
    assert_eq!((observer.suspected(), observer.failed()), (vec![], vec![]));
    observer.renew(1);
    assert_eq!(observer.decide().own, OwnMembership::Holds);
    assert_eq!(observer.failed(), agreed(2, 3));
}

#[test]
fn a_lease_counts_from_when_the_renewal_was_begun_and_is_not_shortened_by_an_earlier_one() {
    let mut observer = Observer::new(1);
    let begun = millis(observer.now);
    observer.detector.renewed(begun - millis(500));
    assert_eq!(observer.detector.lapses_at(), begun + millis(LEASE));
}

#[test]
fn one_that_is_not_in_the_table_any_more_has_ended() {
    let mut observer = Observer::new(3);
    observer.live_without(SILENT, &[1, 3]);
    assert_eq!(observer.decide().own, OwnMembership::Holds);
    observer.rows.remove(0);
    observer.read();
    let decision = observer.decide();
    assert_eq!((decision.own, decision.failures), (OwnMembership::Ended, vec![]));
}

#[test]
fn the_table_is_read_four_times_a_lease_and_when_someone_may_be_silent() {
    let mut observer = Observer::new(2);
    let seen = observer.now;
    let read_at = |observer: &Observer| observer.detector.read_at(millis(observer.now));
    assert_eq!(read_at(&observer), millis(seen + LEASE / 4));
    observer.live_without(LEASE, &[1]);
    assert_eq!(read_at(&observer), millis(seen + SILENT));
    observer.now = seen + SILENT;
    observer.read();
    assert_eq!(read_at(&observer), millis(seen + SILENT + LEASE / 4), "it is known to be");
}

#[test]
fn the_table_is_read_often_while_a_member_is_refused_that_is_not_leaving() {
    let mut observer = Observer::new(2);
    let read_at = |observer: &Observer| observer.detector.read_at(millis(observer.now));
    observer.report(2, LinkReport::Refused);
    assert_eq!(read_at(&observer), millis(observer.now + 100));
    observer.row(2).is_leaving = true;
    observer.read();
    assert_eq!(read_at(&observer), millis(observer.now + LEASE / 4));
}

#[test]
fn however_long_the_lease_the_table_is_read_every_750_milliseconds() {
    let settings = FailureSettings::default().with_lease(millis(60_000));
    let mut detector = FailureDetector::new(Incarnation::new(1), settings, millis(5));
    detector.saw_members(&[], millis(10), millis(20));
    assert_eq!(detector.read_at(millis(30)), millis(760));
}

#[test]
fn the_table_is_read_at_once_by_one_that_has_not_read_it() {
    let settings = FailureSettings::default();
    let detector = FailureDetector::new(Incarnation::new(1), settings, millis(5));
    assert_eq!(detector.read_at(millis(7)), millis(7));
    assert_eq!(detector.decide(millis(7)).own, OwnMembership::Holds);
}

#[test]
fn the_lease_is_renewed_three_times_a_lease_and_often_while_someone_is_refused() {
    let mut observer = Observer::new(2);
    let renewed = observer.now;
    let renew_at = |observer: &Observer| observer.detector.renew_at(millis(observer.now));
    assert_eq!(renew_at(&observer), millis(renewed + LEASE / 3));
    observer.report(2, LinkReport::Refused);
    assert_eq!(renew_at(&observer), millis(renewed + 100));
    observer.report(2, LinkReport::Heard);
    assert_eq!(renew_at(&observer), millis(renewed + LEASE / 3));
}

#[test]
fn one_that_is_suspected_renews_at_once_and_not_again_before_it_has_read_that() {
    let mut observer = Observer::new(3);
    observer.publish(3, 1);
    observer.now += 10;
    observer.read();
    let renew_at = |observer: &Observer| observer.detector.renew_at(millis(observer.now));
    assert_eq!(renew_at(&observer), millis(observer.now));
    observer.renew(1);
    let renewed = observer.now;
    observer.now += 10;
    assert_eq!(renew_at(&observer), millis(renewed + LEASE / 3));
    observer.read();
    assert_eq!(renew_at(&observer), millis(renewed + LEASE / 3), "of an earlier renewal");
}
