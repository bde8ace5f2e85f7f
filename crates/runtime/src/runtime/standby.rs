//! What an engine that starts does while another one holds the journal. Pure: [`claim`](super::claim) asks the store.
//!
//! ```text
//! renewal of the holder    |<------------- its lease, by its own clock ------------->|
//! claimant sees it             |<- until it is dead, by the clock of the claimant ->|
//! ```
//! A claimant trusts its own clock alone. It sees a renewal after the holder has begun to rely on it, so one lease after
//! that the holder does not rely on it any more, whatever the clock of the store says: when that clock steps back, a lease
//! seems to last for hours. What the store says of the end of a lease can only make the wait shorter, by half a lease at
//! most: when the clock steps forward, a living holder renews before that, which the claimant sees.

use crate::settings::JournalWait;
use actum_persistence::store::{ClaimError, HeldLease, LEASE_MAX, SeenHolder, lease_grace};
use std::time::Duration;
use tokio::time::Instant;

/// How long the pause between two claims is: between these, so that claimants do not stay in step.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_SPREAD_MILLIS: u64 = 40;

/// What is known of the holder, and how long it is waited for.
pub(super) struct Standby {
    lease: Duration,
    wait: JournalWait,
    /// Since when it counts: from the first refusal on, however long the first claim took.
    began: Instant,
    pauses: u64,
    sight: Option<Sight>,
    /// The longest lease of a holder that was seen, or the own one.
    lease_max: Duration,
}

/// One renewal of a holder.
struct Sight {
    holder: SeenHolder,
    dead_at: Instant,
}

impl Standby {
    /// One of an engine with this lease, which begins to wait at `now`. Of claimants with different seeds each takes
    /// other pauses.
    pub(super) fn begin(lease: Duration, wait: JournalWait, now: Instant, seed: u64) -> Self {
        Self { lease, wait, began: now, pauses: seed, sight: None, lease_max: lease }
    }

    /// The holder that is dead by `now` if it has not renewed since.
    pub(super) fn dead_by(&self, now: Instant) -> Option<SeenHolder> {
        self.sight.as_ref().filter(|sight| now >= sight.dead_at).map(|sight| sight.holder)
    }

    /// Takes note of the refusal of a claim, which came at `now`. Says when to claim again; never is `None`.
    pub(super) fn refused(&mut self, held: &ClaimError, now: Instant) -> Option<Instant> {
        let seen = held.seen();
        if let (Some(holder), ClaimError::Held { lease: Some(lease), .. }) = (seen, held) {
            if self.sight.is_none() && self.wait == JournalWait::UntilKnown {
                self.began = now;
            }
            if self.sight.as_ref().is_none_or(|sight| sight.holder != holder) {
                self.sight = Some(Sight { holder, dead_at: self.death(lease, now) });
            }
        } else if self.wait == JournalWait::UntilKnown {
            return None; // the store knows that it lives
        }
        self.again(now)
    }

    /// When to claim again if nothing has become known by `now`; never is `None`.
    pub(super) fn again(&mut self, now: Instant) -> Option<Instant> {
        let limit = self.limit();
        if limit.is_some_and(|limit| now >= limit) {
            return None;
        }
        let dead_at = self.sight.as_ref().map(|sight| sight.dead_at).filter(|dead| *dead > now);
        [limit, dead_at].into_iter().flatten().chain([now + self.pause()]).min()
    }

    /// When a holder is dead whose lease is seen at `now`, unless it renews.
    fn death(&mut self, lease: &HeldLease, now: Instant) -> Instant {
        // what is longer was not claimed by an engine
        let length = lease.length.unwrap_or(self.lease).min(LEASE_MAX);
        self.lease_max = self.lease_max.max(length);
        // a living holder renews after a third of its lease; the rest of the half is for slow renewals
        now + lease.expires_in.clamp(length / 2, length) + lease_grace(length)
    }

    fn limit(&self) -> Option<Instant> {
        match self.wait {
            JournalWait::UntilKnown => {
                Some(self.began + self.lease_max + 2 * lease_grace(self.lease_max))
            }
            JournalWait::AtMost(time) => self.began.checked_add(time),
            JournalWait::Forever => None,
        }
    }

    fn pause(&mut self) -> Duration {
        // a step of splitmix64
        self.pauses = self.pauses.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.pauses ^ (self.pauses >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        PAUSE_MIN + Duration::from_millis((mixed >> 32) % (PAUSE_SPREAD_MILLIS + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_persistence::store::{Incarnation, Renewal};

    const SECOND: Duration = Duration::from_secs(1);
    const LEASE: Duration = Duration::from_secs(10);
    /// Of a lease of ten seconds.
    const LATE: Duration = Duration::from_millis(30);

    fn held(renewal: i64, length: Option<Duration>, expires_in: Duration) -> ClaimError {
        let lease = HeldLease::new(Renewal::new(renewal), length, expires_in);
        refusal(Some(lease))
    }

    fn refusal(lease: Option<HeldLease>) -> ClaimError {
        let (slot, holder) = ("journal".to_owned(), "another".to_owned());
        ClaimError::Held { slot, holder, incarnation: Incarnation::new(7), lease }
    }

    fn renewed(renewal: i64) -> ClaimError {
        held(renewal, Some(LEASE), LEASE)
    }

    #[test]
    fn a_slow_first_claim_leaves_time_to_find_the_holder_dead() {
        let (mut standby, began) = standby(JournalWait::UntilKnown);
        let mut now = began + 5 * SECOND;
        // by a clock of the store that has stepped back
        let stuck = held(1, Some(LEASE), 3_600 * SECOND);
        while let Some(again) = standby.refused(&stuck, now) {
            assert!(now < began + 60 * SECOND, "it ends");
            now = again;
            if standby.dead_by(now).is_some() {
                return;
            }
        }
        panic!("given up before the holder was dead");
    }

    fn standby(wait: JournalWait) -> (Standby, Instant) {
        let now = Instant::now();
        (Standby::begin(LEASE, wait, now, 1), now)
    }

    /// When a holder is taken for dead that is seen once.
    fn death(length: Option<Duration>, expires_in: Duration) -> Duration {
        let (mut standby, now) = standby(JournalWait::Forever);
        standby.refused(&held(1, length, expires_in), now);
        let dead_at = standby.sight.as_ref().expect("it was seen").dead_at;
        assert_eq!(standby.dead_by(dead_at - Duration::from_nanos(1)), None);
        assert_eq!(standby.dead_by(dead_at), held(1, length, expires_in).seen());
        dead_at - now
    }

    #[test]
    fn a_holder_is_dead_after_one_lease_whatever_the_clock_of_the_store_says() {
        let hour = 3600 * SECOND;
        for (length, expires_in, dead_after) in [
            // the lease ends when the store says so
            (Some(LEASE), LEASE, LEASE + LATE),
            (Some(LEASE), 7 * SECOND, 7 * SECOND + LATE),
            // its clock has stepped back
            (Some(LEASE), LEASE + hour, LEASE + LATE),
            (Some(LEASE), Duration::MAX, LEASE + LATE),
            // it may have stepped forward
            (Some(LEASE), 4 * SECOND, 5 * SECOND + LATE),
            (Some(LEASE), Duration::ZERO, 5 * SECOND + LATE),
            // what counts is the lease of the holder
            (Some(6 * LEASE), 6 * LEASE, 6 * LEASE + Duration::from_millis(80)),
            (Some(LEASE / 10), LEASE, LEASE / 10 + Duration::from_millis(21)),
            (None, LEASE + hour, LEASE + LATE),
            (None, Duration::ZERO, 5 * SECOND + LATE),
            // no engine has such a lease
            (
                Some(Duration::MAX),
                Duration::MAX,
                24 * hour + 86 * SECOND + Duration::from_millis(420),
            ),
        ] {
            assert_eq!(death(length, expires_in), dead_after, "{length:?}, {expires_in:?}");
        }
    }

    #[test]
    fn a_holder_that_renews_is_alive() {
        let (mut standby, now) = standby(JournalWait::Forever);
        standby.refused(&renewed(1), now);
        let dead_at = now + LEASE + LATE;
        assert!(standby.dead_by(dead_at).is_some());
        // seeing the same renewal again proves nothing, in either direction
        standby.refused(&held(1, Some(LEASE), Duration::ZERO), now + SECOND);
        standby.refused(&held(1, Some(LEASE), 9 * LEASE), now + 2 * SECOND);
        assert_eq!(standby.dead_by(dead_at - Duration::from_nanos(1)), None);
        assert!(standby.dead_by(dead_at).is_some());
        standby.refused(&renewed(2), dead_at);
        assert_eq!(standby.dead_by(dead_at + LEASE), None);
        assert_eq!(standby.dead_by(dead_at + LEASE + LATE), renewed(2).seen());
    }

    #[test]
    fn the_holder_is_asked_for_at_least_every_100_milliseconds() {
        let (mut standby, mut now) = standby(JournalWait::Forever);
        let mut pauses = std::collections::BTreeSet::new();
        for nr in 0..1_000 {
            let again = standby.refused(&renewed(nr), now).expect("it waits for ever");
            pauses.insert((again - now).as_millis());
            now = again;
        }
        assert_eq!((pauses.first(), pauses.last()), (Some(&50), Some(&90)));
        assert!(pauses.len() > 30, "claimants do not stay in step: {pauses:?}");
    }

    #[test]
    fn a_dead_holder_is_replaced_at_once() {
        let (mut standby, now) = standby(JournalWait::Forever);
        standby.refused(&renewed(1), now);
        let dead_at = now + LEASE + LATE;
        let soon = Duration::from_millis(3);
        assert_eq!(standby.refused(&renewed(1), dead_at - soon), Some(dead_at));
        assert_eq!(standby.again(dead_at - soon), Some(dead_at));
        assert!(standby.again(dead_at).is_some_and(|again| again >= dead_at + PAUSE_MIN));
    }

    /// How long a holder that renews every three seconds is waited for.
    fn waited(wait: JournalWait, refused: impl Fn(i64) -> ClaimError) -> Option<Duration> {
        let (mut standby, began) = standby(wait);
        let mut now = began;
        while now < began + 100 * LEASE {
            let renewal = i64::try_from((now - began).as_secs() / 3).expect("a small number");
            match standby.refused(&refused(renewal), now) {
                Some(again) => now = again,
                None => return Some(now - began),
            }
        }
        None
    }

    #[test]
    fn a_living_holder_is_waited_for_as_long_as_the_settings_say() {
        use JournalWait::{AtMost, Forever, UntilKnown};
        let long = |nr| held(nr, Some(2 * LEASE), 2 * LEASE);
        let short = |nr| held(nr, Some(LEASE / 2), LEASE / 2);
        let visible = |_| refusal(None);
        assert_eq!(waited(UntilKnown, renewed), Some(LEASE + 2 * LATE));
        assert_eq!(waited(UntilKnown, long), Some(2 * LEASE + Duration::from_millis(80)));
        assert_eq!(waited(UntilKnown, short), Some(LEASE + 2 * LATE));
        assert_eq!(waited(UntilKnown, visible), Some(Duration::ZERO));
        for time in [Duration::ZERO, SECOND, 5 * LEASE] {
            assert_eq!(waited(AtMost(time), renewed), Some(time));
            assert_eq!(waited(AtMost(time), visible), Some(time));
        }
        assert_eq!(waited(AtMost(Duration::MAX), renewed), None);
        assert_eq!(waited(Forever, renewed), None);
        assert_eq!(waited(Forever, visible), None);
    }

    #[test]
    fn an_engine_that_waits_until_it_is_known_takes_over_from_any_holder_that_is_dead() {
        for length in [LEASE / 100, LEASE, 7 * LEASE] {
            for expires_in in [Duration::ZERO, length / 3, length, 100 * length] {
                let (mut standby, mut now) = standby(JournalWait::UntilKnown);
                while standby.dead_by(now).is_none() {
                    let refused = held(1, Some(length), expires_in);
                    now = standby.refused(&refused, now).expect("it is not given up");
                }
            }
        }
    }
}
