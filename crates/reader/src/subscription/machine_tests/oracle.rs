use super::super::{
    AffinityKey, ConsumerNr, Handout, LastResort, Nack, NackedWith, NotAcked, SubscriptionMachine,
    SubscriptionRules,
};
use crate::segment::Backoff;
use actum_model::{
    EntityKey, Lane, LaneCount, Offset, Partition, PartitionCount, Position, SequenceNr,
    StoredPayload, Timestamp,
};
use actum_persistence::{
    progress::{DeadLetterPlace, Epoch, ProgressSave, ProjectionId, ReadProgress, Segment},
    store::{EventId, Incarnation, JournalEvent, LanePage, StoredEvent},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    time::Duration,
};

/// A machine over a model of a journal, with a memory of what it has done.
pub(super) struct DeliveryWorld {
    pub(super) machine: SubscriptionMachine,
    rules: SubscriptionRules,
    journal: Vec<Vec<JournalEvent>>,
    read: Vec<usize>,
    epoch: u64,
    pub(super) now: Duration,
    /// What is kept.
    kept: ReadProgress,
    pub(super) letters: BTreeSet<DeadLetterPlace>,
    /// What was acknowledged, skipped or parked, ever.
    pub(super) settled: BTreeSet<DeadLetterPlace>,
    pub(super) deliveries: BTreeMap<DeadLetterPlace, u32>,
    /// When each was delivered last.
    delivered_at: BTreeMap<DeadLetterPlace, Duration>,
    /// What each consumer has, in the order in which it came.
    pub(super) in_flight: BTreeMap<ConsumerNr, Vec<Handout>>,
}

pub(super) fn rules() -> SubscriptionRules {
    SubscriptionRules {
        in_flight_max: 4,
        in_flight_bytes_max: 1_000,
        consumers_max: 3,
        buffer_events: 20,
        buffer_bytes: 1_000,
        ahead_max: 40,
        ack_timeout: None,
        retries: 1_000,
        backoff: Backoff { first: Duration::from_millis(100), max: Duration::from_secs(1) },
        on_exhausted: LastResort::Park,
        on_undecodable: LastResort::Stop,
        checkpoint_events: 5,
        checkpoint_interval: Duration::from_secs(1),
    }
}

pub(super) fn place(handout: &Handout) -> DeadLetterPlace {
    DeadLetterPlace { lane: handout.lane, position: handout.event.event.position }
}

fn key(entity: &EntityKey) -> AffinityKey {
    AffinityKey::Entity(entity.clone())
}

fn id() -> (ProjectionId, Segment) {
    let id = ProjectionId::new("subscription:mails", NonZeroU32::MIN).unwrap();
    (id, Segment::all(PartitionCount::default()))
}

impl DeliveryWorld {
    pub(super) fn new(lanes: u16, rules: SubscriptionRules) -> Self {
        let kept = ReadProgress::behind(Offset::beginning(LaneCount::new(lanes).unwrap()));
        let mut world = Self {
            machine: SubscriptionMachine::new(rules.clone()),
            rules,
            journal: vec![Vec::new(); lanes.into()],
            read: vec![0; lanes.into()],
            epoch: 0,
            now: Duration::ZERO,
            kept,
            letters: BTreeSet::new(),
            settled: BTreeSet::new(),
            deliveries: BTreeMap::new(),
            delivered_at: BTreeMap::new(),
            in_flight: BTreeMap::new(),
        };
        world.claim();
        world
    }

    /// Another process, or this one again, goes on with what is kept.
    pub(super) fn crash(&mut self) {
        self.machine = SubscriptionMachine::new(self.rules.clone());
        self.in_flight.clear();
        self.claim();
    }

    /// The lease was lost, and is held again.
    pub(super) fn lose(&mut self) {
        self.machine.lost();
        self.in_flight.values_mut().for_each(Vec::clear);
        self.claim();
    }

    fn claim(&mut self) {
        self.epoch += 1;
        self.machine.claimed(Epoch::new(self.epoch), self.kept.clone(), self.now);
        let positions = self.kept.offset().positions().iter();
        self.read = positions.map(|position| usize::try_from(position.get()).unwrap()).collect();
    }

    /// Events of this entity are committed.
    pub(super) fn append(&mut self, lane: u16, entity: &str, count: u64) {
        (0..count).for_each(|_| self.append_of(lane, entity, 10));
    }

    /// An event of so many bytes is committed.
    pub(super) fn append_of(&mut self, lane: u16, entity: &str, bytes: usize) {
        let entity = EntityKey::new("account", format!("{lane}-{entity}")).unwrap();
        let events = &mut self.journal[usize::from(lane)];
        let position = events.len() as u64 + 1;
        let of_entity = events.iter().filter(|it| it.entity == entity).count() as u64;
        let event = StoredEvent {
            sequence_nr: SequenceNr::new(of_entity + 1),
            position: Position::new(position),
            event_id: EventId { incarnation: Incarnation::new(1), nr: position },
            timestamp: Timestamp::default(),
            payload: StoredPayload {
                codec: "json".into(),
                manifest: "deposited".into(),
                schema_version: 1,
                bytes: vec![0; bytes].into(),
            },
            metadata: Vec::new().into(),
        };
        events.push(JournalEvent { entity, partition: Partition::new(0), event });
    }

    pub(super) fn events(&self) -> usize {
        self.journal.iter().map(Vec::len).sum()
    }

    /// Reads a page of a lane, of which a filter lets through what `passes`.
    pub(super) fn read(&mut self, lane: u16, max: usize, passes: impl Fn(u64) -> bool) {
        if !self.machine.has_room() {
            return;
        }
        let from = self.read[usize::from(lane)];
        let of_lane = &self.journal[usize::from(lane)];
        let to = of_lane.len().min(from + max);
        let (passed, skipped): (Vec<_>, Vec<_>) =
            of_lane[from..to].iter().cloned().partition(|it| passes(it.event.position.get()));
        let lane = Lane::new(lane);
        self.settled
            .extend(skipped.iter().map(|it| DeadLetterPlace { lane, position: it.event.position }));
        self.read[lane.index()] = to;
        self.machine.read(lane, LanePage::new(passed, Position::new(to as u64)), key);
    }

    pub(super) fn join(&mut self) -> Option<ConsumerNr> {
        let nr = self.machine.join()?;
        self.in_flight.insert(nr, Vec::new());
        Some(nr)
    }

    pub(super) fn leave(&mut self, consumer: ConsumerNr) {
        self.machine.leave(consumer);
        self.in_flight.remove(&consumer);
    }

    /// A consumer asks, and all that got something fetch it.
    pub(super) fn ask(&mut self, consumer: ConsumerNr) -> Vec<(ConsumerNr, DeadLetterPlace)> {
        self.machine.set_asking(consumer, true);
        self.hand_out()
    }

    pub(super) fn hand_out(&mut self) -> Vec<(ConsumerNr, DeadLetterPlace)> {
        let mut all = Vec::new();
        for consumer in self.machine.hand_out(self.now) {
            let handout = self.machine.fetch(consumer).expect("it has got one");
            all.push((consumer, place(&handout)));
            self.delivered(consumer, handout);
        }
        all
    }

    /// Checks what must hold of every delivery.
    fn delivered(&mut self, consumer: ConsumerNr, handout: Handout) {
        let (at, entity) = (place(&handout), handout.event.entity.clone());
        for (other, in_flight) in &self.in_flight {
            for held in in_flight {
                assert_ne!(place(held), at, "an event is in flight once");
                let is_same = held.event.entity == entity;
                assert!(!is_same || *other == consumer, "an entity is in flight with one consumer");
            }
        }
        let earlier = self.journal[at.lane.index()]
            .iter()
            .filter(|event| event.entity == entity && event.event.position < at.position);
        for event in earlier {
            let earlier = DeadLetterPlace { lane: at.lane, position: event.event.position };
            let is_with_it = self.in_flight[&consumer].iter().any(|held| place(held) == earlier);
            assert!(
                self.settled.contains(&earlier) || is_with_it || self.letters.contains(&at),
                "{earlier:?} comes before {at:?}"
            );
        }
        *self.deliveries.entry(at).or_default() += 1;
        self.delivered_at.insert(at, self.now);
        let in_flight = self.in_flight.get_mut(&consumer).unwrap();
        in_flight.push(handout);
        assert!(in_flight.len() <= self.rules.in_flight_max);
        let bytes: usize = in_flight.iter().map(|held| held.event.event.bytes()).sum();
        assert!(in_flight.len() == 1 || bytes <= self.rules.in_flight_bytes_max, "{bytes} bytes");
    }

    /// Takes back what was in flight for too long, and checks that nothing else was.
    pub(super) fn time_out(&mut self) {
        let with = self.with("too late");
        let Some(ack_timeout) = self.rules.ack_timeout else { return };
        for (consumer, at) in self.machine.time_out(&with) {
            let in_flight = self.in_flight.get_mut(&consumer).unwrap();
            let nr = in_flight.iter().position(|held| place(held) == at).expect("it had it");
            let taken = in_flight.remove(nr);
            let late = self.machine.ack(consumer, taken.epoch, at);
            assert_eq!(late, Err(NotAcked::TimedOut));
        }
        for held in self.in_flight.values().flatten() {
            let since = self.delivered_at[&place(held)];
            assert!(
                self.now < since + ack_timeout,
                "{:?} is in flight since {since:?}",
                place(held)
            );
        }
    }

    /// Event `nr` of those that the consumer has.
    fn take(&mut self, consumer: ConsumerNr, nr: usize) -> (Epoch, DeadLetterPlace) {
        let handout = self.in_flight.get_mut(&consumer).unwrap().remove(nr);
        (handout.epoch, place(&handout))
    }

    pub(super) fn ack(&mut self, consumer: ConsumerNr, nr: usize) {
        let (epoch, place) = self.take(consumer, nr);
        self.machine.ack(consumer, epoch, place).unwrap();
        self.settled.insert(place);
        let again = self.machine.ack(consumer, epoch, place);
        assert!(again.is_err(), "it is not in flight any more");
    }

    pub(super) fn ack_up_to(&mut self, consumer: ConsumerNr, nr: usize) {
        let handout = self.in_flight[&consumer][nr].clone();
        let up_to =
            |held: &Handout| held.event.event.position <= handout.offset.position(held.lane);
        let acked = self.machine.ack_up_to(consumer, handout.epoch, &handout.offset).unwrap();
        let in_flight = self.in_flight.get_mut(&consumer).unwrap();
        let (done, left): (Vec<_>, Vec<_>) = in_flight.drain(..).partition(up_to);
        assert_eq!(done.len(), acked);
        *in_flight = left;
        self.settled.extend(done.iter().map(place));
    }

    pub(super) fn nack(&mut self, consumer: ConsumerNr, nr: usize, nack: Nack) {
        let (epoch, place) = self.take(consumer, nr);
        let with = self.with("poison");
        self.machine.nack(consumer, epoch, place, nack, &with).unwrap();
        if !matches!(nack, Nack::Retry { .. }) {
            self.settled.insert(place);
        }
    }

    pub(super) fn with(&self, error: &str) -> NackedWith {
        NackedWith { error: error.into(), now: self.now, wall: Timestamp::default(), chance: 0.0 }
    }

    pub(super) fn due_save(&mut self, ends: bool) -> Option<ProgressSave> {
        let (id, segment) = id();
        self.machine.save(&id, segment, self.now, ends)
    }

    /// Saves what is due, if the store keeps it.
    pub(super) fn save(&mut self, ends: bool, is_kept: bool) {
        let Some(save) = self.due_save(ends) else { return };
        if !is_kept {
            return self.machine.not_saved(self.now + Duration::from_millis(100));
        }
        for letter in &save.dead_letters {
            assert!(self.settled.contains(&letter.place));
            self.letters.insert(letter.place);
        }
        self.machine.saved(&save, self.now);
        self.kept = save.progress;
        self.check_kept();
    }

    /// What is kept is never ahead of the oldest event that is not settled.
    fn check_kept(&self) {
        for (nr, position) in (0..).zip(self.kept.offset().positions()) {
            for position in 1..=position.get() {
                let at = DeadLetterPlace { lane: Lane::new(nr), position: Position::new(position) };
                assert!(self.settled.contains(&at), "{at:?} is not settled");
            }
            let last = self.kept.last(Lane::new(nr));
            assert!(last.is_none_or(|last| last.position <= *position));
        }
    }

    /// How far is kept, in each lane.
    pub(super) fn kept(&self) -> Vec<u64> {
        self.kept.offset().positions().iter().map(|position| position.get()).collect()
    }
}
