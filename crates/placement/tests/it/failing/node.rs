use super::member_table::MemberTable;
use actum_persistence::store::{Incarnation, SeenHolder};
use actum_placement::failure::{FailureDetector, FailureSettings, ObservedMember};
use std::{collections::BTreeMap, time::Duration};

pub(super) const LEASE: u64 = 3_000;

/// A process with a clock of its own. Times of the world are milliseconds.
pub(super) struct Node {
    pub(super) nr: u64,
    pub(super) clock: Clock,
    pub(super) detector: FailureDetector,
    /// When it was killed.
    pub(super) died: Option<u64>,
    pub(super) frozen_until: u64,
    pub(super) listens: bool,
    pub(super) no_database_until: u64,
    /// Whom it has published that it suspects.
    pub(super) published: Vec<SeenHolder>,
    /// When it has last been refused by each, in true time.
    pub(super) refused: BTreeMap<u64, u64>,
    /// Until when it waits after a renewal that failed.
    retries_at: Duration,
    renewal: Option<Renewing>,
    read: Option<Reading>,
}

/// Its time is that of the world, from some start on, and a little faster or slower.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) ahead: u64,
    /// In millionths.
    pub(super) fast: i64,
}

impl Clock {
    pub(super) fn at(self, time: u64) -> Duration {
        let micros = i64::try_from(time * 1_000).unwrap();
        let skewed = micros + micros / 1_000_000 * self.fast;
        Duration::from_micros(u64::try_from(skewed).unwrap() + self.ahead * 1_000)
    }
}

struct Renewing {
    begun: Duration,
    suspects: Vec<SeenHolder>,
    commits: u64,
    answered: u64,
    is_done: Option<bool>,
}

struct Reading {
    asked: Duration,
    reads: u64,
    answered: u64,
    rows: Option<Vec<ObservedMember>>,
}

impl Node {
    /// One that joins now.
    pub(super) fn new(nr: u64, clock: Clock, time: u64) -> Self {
        let now = clock.at(time);
        let detector = FailureDetector::new(Incarnation::new(nr), FailureSettings::default(), now);
        Self {
            nr,
            clock,
            detector,
            died: None,
            frozen_until: 0,
            listens: true,
            no_database_until: 0,
            published: Vec::new(),
            refused: BTreeMap::new(),
            retries_at: Duration::ZERO,
            renewal: None,
            read: None,
        }
    }

    pub(super) fn runs(&self, time: u64) -> bool {
        self.died.is_none() && self.frozen_until <= time
    }

    /// What was sent to the database happens there, also when the process has died meanwhile.
    pub(super) fn at_database(&mut self, table: &mut MemberTable, time: u64, is_up: bool) {
        if !is_up || self.no_database_until > time {
            return;
        }
        if let Some(renewal) = self.renewal.as_mut().filter(|r| r.is_done.is_none())
            && (renewal.commits..renewal.answered).contains(&time)
        {
            let suspects = renewal.suspects.clone();
            renewal.is_done = Some(table.renew(self.nr, suspects, time, LEASE));
        }
        if let Some(read) = self.read.as_mut().filter(|read| read.rows.is_none())
            && (read.reads..read.answered).contains(&time)
        {
            read.rows = Some(table.read());
        }
    }

    /// Takes in answers, and asks the database what is due.
    pub(super) fn run(&mut self, rng: &mut fastrand::Rng, time: u64) {
        let now = self.clock.at(time);
        if let Some(renewal) = self.renewal.take_if(|renewal| renewal.answered <= time) {
            if renewal.is_done == Some(true) {
                self.detector.renewed(renewal.begun);
            }
            if renewal.is_done.is_none() {
                self.retries_at = now + Duration::from_millis(rng.u64(50..150));
            }
        }
        if let Some(read) = self.read.take_if(|read| read.answered <= time)
            && let Some(rows) = read.rows
        {
            self.detector.saw_members(&rows, read.asked, now);
        }
        let suspects = self.detector.decide(now).suspects;
        let has_changed = suspects != self.published;
        let (first, second) = (time + rng.u64(1..20), time + rng.u64(20..40));
        let is_due = has_changed || self.detector.renew_at(now) <= now;
        if self.renewal.is_none() && self.retries_at <= now && is_due {
            self.published.clone_from(&suspects);
            self.renewal = Some(Renewing {
                begun: now,
                suspects,
                commits: first,
                answered: second,
                is_done: None,
            });
        }
        if self.read.is_none() && self.detector.read_at(now) <= now {
            self.read = Some(Reading { asked: now, reads: first, answered: second, rows: None });
        }
    }
}
