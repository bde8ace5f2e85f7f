//! The machine under random submissions and answers, beside a list that says what must come of them.

use super::writes::{Machine, all, append_of, appended, id_of, unavailable, unknown, words};
use crate::seed;
use actum_model::{Lane, SequenceNr};
use actum_persistence::{
    Weight,
    group_commit::{GroupCommit, GroupCommitSettings, Settled, Step, WriterScope},
    store::{
        AppendOutcome, EntityAppend, Incarnation,
        Resolution::{self, NotStored, Stored},
        StoreError,
    },
};
use std::collections::{BTreeMap, HashSet};

const WALKS: usize = 400;
const STEPS: usize = 400;
const RESOLVE_ATTEMPTS_MAX: u32 = 3;

#[test]
fn every_ticket_settles_once_and_as_the_store_said() {
    let mut random = seed::random();
    for _ in 0..WALKS {
        let mut walk = Walk::new(random.fork());
        (0..STEPS).for_each(|_| walk.step());
        walk.finish();
    }
}

struct Walk {
    random: fastrand::Rng,
    machine: Machine,
    bounds: Weight,
    entities: u32,
    next_ticket: u32,
    /// What was submitted and is not settled, in the order of submission.
    open: BTreeMap<u32, Submitted>,
    in_flight: Option<InFlight>,
    /// The last ticket of a batch that was refused as a whole; up to it batches may be shorter.
    refused_up_to: Option<u32>,
    numbers: HashSet<u64>,
}

struct Submitted {
    entity: u32,
    weight: Weight,
    bad: bool,
}

struct InFlight {
    tickets: Vec<u32>,
    writes: Vec<EntityAppend>,
    /// What is stored in truth while the outcome is unknown, and how often the machine has asked.
    doubt: Option<(Vec<Resolution<AppendOutcome>>, u32)>,
}

impl InFlight {
    /// Whether an attempt to resolve the batch has failed.
    fn is_away(&self) -> bool {
        self.doubt.as_ref().is_some_and(|(_, asked)| *asked > 1)
    }
}

impl Walk {
    fn new(mut random: fastrand::Rng) -> Self {
        let bounds = Weight { events: random.usize(1..30), bytes: random.usize(1..300) };
        let settings = GroupCommitSettings::default()
            .with_batch_events_max(bounds.events)
            .with_batch_bytes_max(bounds.bytes)
            .with_resolve_attempts_max(RESOLVE_ATTEMPTS_MAX);
        let entities = if random.bool() { 5 } else { 100_000 };
        Self {
            random,
            machine: GroupCommit::new(WriterScope::Lane(Lane::new(0)), &settings),
            bounds,
            entities,
            next_ticket: 0,
            open: BTreeMap::new(),
            in_flight: None,
            refused_up_to: None,
            numbers: HashSet::new(),
        }
    }

    fn step(&mut self) {
        if self.random.u8(..100) < 35 {
            (0..self.random.u8(1..6)).for_each(|_| self.submit());
        } else if self.random.u8(..100) < 25 {
            self.refuse_waiting();
        } else if self.in_flight.is_some() {
            self.answer();
        } else {
            self.depart();
        }
        self.check_weights();
    }

    /// Answers until nothing is left.
    fn finish(&mut self) {
        for _ in 0..100_000 {
            self.depart();
            if self.in_flight.is_none() {
                assert!(self.open.is_empty(), "tickets that never settled: {:?}", self.open.keys());
                assert_eq!(self.machine.pending(), Weight::ZERO);
                return;
            }
            self.answer();
            self.check_weights();
        }
        panic!("the machine does not come to rest");
    }

    fn submit(&mut self) {
        let entity = self.random.u32(..self.entities);
        let count = self.random.usize(1..5);
        let sizes: Vec<usize> = (0..count).map(|_| self.random.usize(..40)).collect();
        let weight = Weight { events: count, bytes: sizes.iter().sum() };
        let bad = self.random.u8(..100) < 3;
        self.machine.submit(append_of(entity, &sizes), self.next_ticket);
        self.open.insert(self.next_ticket, Submitted { entity, weight, bad });
        self.next_ticket += 1;
    }

    /// Lets the machine refuse what waits: it does so only while an attempt to resolve has failed.
    fn refuse_waiting(&mut self) {
        let away = self.in_flight.as_ref().is_some_and(InFlight::is_away);
        let refused = if away { self.waiting() } else { Vec::new() };
        let settled = self.machine.refuse_waiting();
        self.settle(&settled, all(refused, "unavailable"));
    }

    /// The tickets behind the batch in flight.
    fn waiting(&self) -> Vec<u32> {
        let in_flight = self.in_flight.as_ref().map_or(0, |batch| batch.tickets.len());
        self.open.keys().copied().skip(in_flight).collect()
    }

    fn depart(&mut self) {
        match self.machine.next_step() {
            None => {
                assert!(self.in_flight.is_some() || self.open.is_empty(), "a machine that idles");
            }
            Some(Step::Resolve { .. }) => panic!("nothing is in doubt"),
            Some(Step::Write(writes)) => {
                assert!(self.in_flight.is_none(), "two batches in flight");
                // the oldest writes, in their order
                let tickets: Vec<u32> = self.open.keys().copied().take(writes.len()).collect();
                let entities: Vec<u32> = tickets.iter().map(|t| self.open[t].entity).collect();
                assert_eq!(writes.iter().map(id_of).collect::<Vec<_>>(), entities);
                self.check_numbers(&writes);
                self.check_length(&tickets);
                self.in_flight = Some(InFlight { tickets, writes, doubt: None });
                assert!(self.machine.next_step().is_none(), "two batches in flight");
            }
        }
    }

    fn check_numbers(&mut self, writes: &[EntityAppend]) {
        for append in writes {
            for index in 0..append.events.len() {
                let nr = append.event_id(Incarnation::new(1), index).nr;
                assert!(nr > 0 && self.numbers.insert(nr), "number {nr} is used twice");
            }
        }
    }

    /// A batch keeps to the bounds, names no entity twice, and is as long as that allows.
    fn check_length(&self, tickets: &[u32]) {
        let mut weight = Weight::ZERO;
        let mut entities = HashSet::new();
        for write in tickets.iter().map(|ticket| &self.open[ticket]) {
            weight += write.weight;
            assert!(entities.insert(write.entity), "an entity is in a batch twice");
        }
        assert!(!tickets.is_empty());
        assert!(tickets.len() == 1 || weight.is_within(self.bounds), "{weight:?}");
        let halved = self.refused_up_to.is_some_and(|last| tickets[0] <= last);
        if let Some(next) = self.open.values().nth(tickets.len())
            && !halved
        {
            let fits = (weight + next.weight).is_within(self.bounds);
            assert!(!fits || entities.contains(&next.entity), "a write was left behind");
        }
    }

    fn check_weights(&self) {
        let sum = |tickets: &mut dyn Iterator<Item = &Submitted>| {
            tickets.fold(Weight::ZERO, |sum, write| sum + write.weight)
        };
        let in_flight = self.in_flight.as_ref().map_or(0, |batch| batch.tickets.len());
        assert_eq!(self.machine.pending(), sum(&mut self.open.values()));
        assert_eq!(self.machine.waiting(), sum(&mut self.open.values().skip(in_flight)));
    }

    fn answer(&mut self) {
        let batch = self.in_flight.take().expect("something is in flight");
        if batch.doubt.is_some() {
            return self.answer_resolve(batch);
        }
        let InFlight { tickets, writes, .. } = batch;
        let bad = tickets.iter().any(|ticket| self.open[ticket].bad);
        let incarnation = Incarnation::new(1);
        match self.random.u8(..100) {
            0..8 => self.fail(tickets, writes, unavailable(), "unavailable"),
            8..11 => self.fail(tickets, writes, StoreError::Fenced { incarnation }, "fenced"),
            11..14 => self.fail(tickets, writes, StoreError::corrupt("a hole"), "corrupt"),
            14..30 if !bad => self.doubt(tickets, writes),
            _ if bad => self.refuse(tickets, writes),
            30..34 => {
                let count = writes.len() + self.random.usize(1..3);
                let settled = self.machine.finished(writes, Ok(vec![appended(1); count]));
                self.settle(&settled, all(tickets, "corrupt"));
            }
            _ => {
                let outcomes = self.outcomes(writes.len());
                let settled = self.machine.finished(writes, Ok(outcomes.clone()));
                self.settle(
                    &settled,
                    tickets.into_iter().zip(outcomes.into_iter().map(in_words)).collect(),
                );
            }
        }
    }

    fn fail(
        &mut self,
        tickets: Vec<u32>,
        writes: Vec<EntityAppend>,
        error: StoreError,
        word: &str,
    ) {
        let settled = self.machine.finished(writes, Err(error));
        self.settle(&settled, all(tickets, word));
    }

    fn refuse(&mut self, tickets: Vec<u32>, writes: Vec<EntityAppend>) {
        let settled = self.machine.finished(writes, Err(StoreError::invalid("bad")));
        if tickets.len() == 1 {
            return self.settle(&settled, all(tickets, "invalid"));
        }
        assert!(settled.is_empty(), "a refused batch is sent in parts before anything is settled");
        self.refused_up_to = self.refused_up_to.max(tickets.last().copied());
    }

    fn doubt(&mut self, tickets: Vec<u32>, writes: Vec<EntityAppend>) {
        let stored = self.random.bool();
        let truth = self.outcomes(writes.len()).into_iter().map(|outcome| match outcome {
            AppendOutcome::Appended { .. } if stored => Stored(outcome),
            _ => NotStored,
        });
        let truth = truth.collect();
        assert!(self.machine.finished(writes, Err(unknown())).is_empty());
        self.ask(tickets, truth, 0);
    }

    fn ask(&mut self, tickets: Vec<u32>, truth: Vec<Resolution<AppendOutcome>>, asked: u32) {
        let Some(Step::Resolve { writes, attempt }) = self.machine.next_step() else {
            panic!("a batch in doubt is not resolved")
        };
        assert_eq!((attempt, writes.len()), (asked + 1, tickets.len()));
        self.in_flight = Some(InFlight { tickets, writes, doubt: Some((truth, attempt)) });
        assert!(self.machine.next_step().is_none(), "something else while a batch is in doubt");
    }

    fn answer_resolve(&mut self, batch: InFlight) {
        let InFlight { tickets, writes, doubt } = batch;
        let (truth, asked) = doubt.expect("the batch is in doubt");
        if self.random.bool() {
            let settled = self.machine.resolved(writes, Ok(truth.clone()));
            let word = |found: Resolution<_>| {
                found.stored().copied().map_or_else(|| "unavailable".into(), in_words)
            };
            self.settle(&settled, tickets.into_iter().zip(truth.into_iter().map(word)).collect());
        } else if asked == RESOLVE_ATTEMPTS_MAX {
            let settled = self.machine.resolved(writes, Err(unavailable()));
            self.settle(&settled, all(tickets, "unknown"));
        } else {
            let refused = self.open.keys().copied().skip(tickets.len()).collect::<Vec<_>>();
            let settled = self.machine.resolved(writes, Err(unavailable()));
            self.settle(&settled, all(refused, "unavailable"));
            self.ask(tickets, truth, asked);
        }
    }

    fn settle(&mut self, settled: &[Settled<u32>], expected: Vec<(u32, String)>) {
        assert_eq!(words(settled), expected);
        for (ticket, _) in expected {
            self.open.remove(&ticket).expect("a ticket settles once");
        }
    }

    fn outcomes(&mut self, count: usize) -> Vec<AppendOutcome> {
        let outcome = |random: &mut fastrand::Rng| match random.u8(..8) {
            0 => AppendOutcome::Conflict { actual: SequenceNr::new(random.u64(..9)) },
            1 => AppendOutcome::NotOwned,
            _ => appended(random.u64(1..1000)),
        };
        (0..count).map(|_| outcome(&mut self.random)).collect()
    }
}

fn in_words(outcome: AppendOutcome) -> String {
    match outcome {
        AppendOutcome::Appended { last } => format!("at {last}"),
        AppendOutcome::Conflict { actual } => format!("conflict {actual}"),
        AppendOutcome::NotOwned => "not owned".to_owned(),
    }
}
