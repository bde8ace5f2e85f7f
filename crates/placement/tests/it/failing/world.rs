use super::{
    member_table::{MemberTable, Row},
    node::{Clock, LEASE, Node},
};
use actum_placement::failure::{FailureEvidence, LinkReport, MemberFailure, OwnMembership};
use std::collections::BTreeMap;

/// How long a step takes, in milliseconds.
const STEP: u64 = 5;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    /// Packets are dropped.
    Cut,
    /// A firewall on the way refuses connections.
    Refuses,
}

/// What was seen in all runs: without it these would show nothing.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    pub(super) silent: u32,
    pub(super) by_two: u32,
    pub(super) by_the_only_other: u32,
    pub(super) alive: u32,
    pub(super) outages: u32,
}

/// Nodes with clocks of their own, a table, and a network between them.
pub(super) struct World {
    pub(super) rng: fastrand::Rng,
    pub(super) time: u64,
    pub(super) nodes: BTreeMap<u64, Node>,
    table: MemberTable,
    /// From one to another.
    links: BTreeMap<(u64, u64), Link>,
    last: u64,
    /// From when until when the database is away.
    outage: Option<(u64, u64)>,
    /// When the database was back after an outage of more than a lease.
    back: Option<u64>,
    /// Whether the first node and its database are always well.
    pub(super) is_first_steady: bool,
    pub(super) coverage: Coverage,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let is_first_steady = rng.bool();
        let mut world = Self {
            rng,
            time: 0,
            nodes: BTreeMap::new(),
            table: MemberTable::default(),
            links: BTreeMap::new(),
            last: 0,
            outage: None,
            back: None,
            is_first_steady,
            coverage: Coverage::default(),
        };
        (0..world.rng.u8(2..6)).for_each(|_| world.join());
        world
    }

    pub(super) fn join(&mut self) {
        self.last += 1;
        let (ahead, fast) = (self.rng.u64(0..100_000), self.rng.i64(-400..400));
        self.table.join(self.last, self.time);
        self.nodes.insert(self.last, Node::new(self.last, Clock { ahead, fast }, self.time));
    }

    fn is_up(&self) -> bool {
        self.outage.is_none_or(|(_, until)| until <= self.time)
    }

    pub(super) fn disturb(&mut self) {
        let time = self.time;
        let all: Vec<u64> = self.nodes.keys().copied().collect();
        let Some(nr) = self.rng.choice(all.iter().copied()) else { return };
        let other = self.rng.choice(all).expect("there is one");
        let (length, what) = (self.rng.u64(100..3 * LEASE), self.rng.u8(0..14));
        let link = if self.rng.bool() { Link::Cut } else { Link::Refuses };
        let spares = self.is_first_steady;
        let is_up = self.is_up();
        let node = self.nodes.get_mut(&nr).expect("it is one of them");
        let is_spared = spares && nr == 1;
        match what {
            0 | 1 if !is_spared => node.died = node.died.or(Some(time)),
            2 if !is_spared => node.frozen_until = time + length,
            3 => node.listens = false,
            4 | 5 => node.listens = true,
            6 if !is_spared => node.no_database_until = time + length,
            7 | 8 if nr != other => {
                self.links.insert((nr, other), link);
                if self.rng.bool() {
                    self.links.insert((other, nr), link);
                }
            }
            9 | 10 => drop(self.links.remove(&(nr, other))),
            11 if !spares && self.outage.is_none() => self.outage = Some((time, time + length)),
            // with a renewal, so that no one who has not seen it revokes it
            12 if is_up && node.runs(time) && node.no_database_until <= time => {
                self.table.renew(nr, Vec::new(), time, LEASE);
                self.table.rows.get_mut(&nr).into_iter().for_each(|row| row.is_leaving = true);
            }
            13 if self.nodes.len() < 7 && self.is_up() => self.join(),
            _ => {}
        }
    }

    /// All is well again.
    pub(super) fn mend(&mut self) {
        self.links.clear();
        self.outage = self.outage.map(|(from, until)| (from, until.min(self.time)));
        for node in self.nodes.values_mut() {
            (node.frozen_until, node.no_database_until, node.listens) = (0, 0, true);
        }
    }

    /// A firewall between two members refuses connections.
    pub(super) fn refuse(&mut self, one: u64, other: u64) {
        self.links.insert((one, other), Link::Refuses);
    }

    pub(super) fn kill(&mut self, nr: u64) {
        self.nodes.get_mut(&nr).expect("it is there").died = Some(self.time);
    }

    pub(super) fn is_member(&self, nr: u64) -> bool {
        self.table.rows.contains_key(&nr)
    }

    pub(super) fn run(&mut self, time: u64) {
        let until = self.time + time;
        while self.time < until {
            self.step();
        }
    }

    pub(super) fn step(&mut self) {
        // each step of a millisecond, so that the database finds its moment
        for _ in 0..STEP {
            self.time += 1;
            let (time, is_up) = (self.time, self.is_up());
            self.nodes.values_mut().for_each(|n| n.at_database(&mut self.table, time, is_up));
        }
        if self.is_up()
            && let Some((from, until)) = self.outage.take()
            && until - from > LEASE
        {
            self.coverage.outages += 1;
            self.back = Some(self.time);
        }
        if self.time.is_multiple_of(100) {
            self.report_links();
        }
        let running: Vec<_> =
            self.nodes.values().filter(|node| node.runs(self.time)).map(|node| node.nr).collect();
        let is_up = self.is_up();
        for nr in running {
            let node = self.nodes.get_mut(&nr).expect("it is one of them");
            node.run(&mut self.rng, self.time);
            let decision = node.detector.decide(node.clock.at(self.time));
            if decision.own == OwnMembership::Ended {
                self.nodes.remove(&nr);
                continue;
            }
            let reaches = is_up && node.no_database_until <= self.time;
            for failure in decision.failures.iter().filter(|_| reaches) {
                if let Some(row) = self.table.revoke(failure.member) {
                    self.check(nr, failure, &row);
                }
            }
        }
        self.forget();
    }

    /// What each node learns of each other one, every 100 ms.
    fn report_links(&mut self) {
        let all: Vec<u64> = self.nodes.keys().copied().collect();
        for (from, to) in all.iter().flat_map(|from| all.iter().map(move |to| (*from, *to))) {
            if from == to || !self.nodes[&from].runs(self.time) {
                continue;
            }
            let peer = &self.nodes[&to];
            let way = self.links.get(&(from, to)).or(self.links.get(&(to, from)));
            let report = match way {
                Some(Link::Cut) => LinkReport::Silent,
                Some(Link::Refuses) => LinkReport::Refused,
                None if peer.died.is_some() => LinkReport::Refused,
                None if !peer.runs(self.time) => LinkReport::Silent,
                None if !peer.listens => LinkReport::Refused,
                None => LinkReport::Heard,
            };
            let node = self.nodes.get_mut(&from).expect("it is one of them");
            if report == LinkReport::Refused {
                node.refused.insert(to, self.time);
            }
            let now = node.clock.at(self.time);
            node.detector.reported(actum_persistence::store::Incarnation::new(to), report, now);
        }
    }

    /// Dead nodes are needed as long as they are members, to be refused by them.
    fn forget(&mut self) {
        let table = &self.table;
        self.nodes.retain(|nr, node| node.died.is_none() || table.rows.contains_key(nr));
        if self.is_first_steady {
            for (nr, node) in &self.nodes {
                let in_time = node.died.is_none_or(|died| self.time <= died + LEASE + 1_000);
                assert!(in_time, "{nr} has died at {:?}", node.died);
            }
        }
    }

    /// The promises: `by` has revoked a member, whose row this was.
    fn check(&mut self, by: u64, failure: &MemberFailure, row: &Row) {
        let (time, nr) = (self.time, failure.member.incarnation.get());
        let node = self.nodes.get(&nr);
        let is_alive = node.is_some_and(|node| node.died.is_none());
        self.coverage.alive += u32::from(is_alive);
        self.is_first_steady &= nr != 1;
        let what = format!("{failure:?} by {by} at {time}");
        if let Some(back) = self.back {
            assert!(time >= back + LEASE, "{what}: the database is back since {back}");
        }
        let refused = |by: u64| self.nodes.get(&by)?.refused.get(&nr).copied();
        match failure.evidence {
            FailureEvidence::Silent => {
                self.coverage.silent += 1;
                assert!(time >= row.renewed + LEASE, "{what}: it has renewed at {}", row.renewed);
                if let Some(node) = node.filter(|node| node.died.is_none()) {
                    let relies = node.detector.lapses_at() > node.clock.at(time);
                    assert!(!relies, "{what}: it relies on its lease");
                }
            }
            FailureEvidence::RefusedByTwo { with } => {
                self.coverage.by_two += 1;
                assert!(!row.is_leaving && with.get() != nr && with.get() != by, "{what}");
                for observer in [by, with.get()] {
                    assert!(refused(observer) > Some(row.renewed), "{what}: {observer} was not");
                }
            }
            FailureEvidence::RefusedByTheOnlyOther => {
                self.coverage.by_the_only_other += 1;
                assert!(!row.is_leaving && refused(by) > Some(row.renewed), "{what}");
                let others = self.table.rows.iter().filter(|(other, row)| {
                    // what it has read is a little older
                    let is_steady = row.steady_since + 300 < time && row.renewed + LEASE > time;
                    **other != by && !row.is_leaving && is_steady
                });
                let others: Vec<_> = others.map(|(other, _)| *other).collect();
                assert_eq!(others, [0; 0], "{what}");
                let renewed = self.table.rows[&by].renewed;
                assert!(renewed > row.renewed, "{what}: it has renewed at {renewed}");
            }
        }
    }

    /// All members that are left rely on their lease, and no one that died is one.
    pub(super) fn check_all_well(&self) {
        for nr in self.table.rows.keys() {
            let node = self.nodes.get(nr);
            let Some(node) = node.filter(|node| node.died.is_none()) else {
                panic!("{nr} has died, and is a member at {}", self.time);
            };
            let decision = node.detector.decide(node.clock.at(self.time));
            assert_eq!(decision.own, OwnMembership::Holds, "{nr} at {}", self.time);
            assert_eq!((decision.suspects, decision.failures), (vec![], vec![]), "{nr}");
        }
    }
}
