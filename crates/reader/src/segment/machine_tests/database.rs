use super::model_journal::ModelJournal;
use actum_model::EntityKey;
use actum_persistence::progress::{
    DeadLetter, DeadLetterPlace, Epoch, ParkedEntity, ProgressSave, ReplayedTo, StoredSegment,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is kept of a segment, and the numbers of the events that were handled, in order.
pub(super) struct Database {
    pub(super) segment: StoredSegment,
    pub(super) parked: BTreeMap<EntityKey, ParkedEntity>,
    pub(super) letters: BTreeMap<DeadLetterPlace, DeadLetter>,
    pub(super) handled: BTreeMap<EntityKey, Vec<u64>>,
    /// Events that need not be in front of later ones of their entity: dead letters at some time, or discarded.
    skipped: BTreeSet<(EntityKey, u64)>,
    /// Parked entities of which it was asked, whatever was asked behind that.
    pub(super) asked_to_discard: BTreeSet<EntityKey>,
    /// Events that may stay unhandled for ever.
    discarded: BTreeSet<(EntityKey, u64)>,
}

impl Database {
    pub(super) fn new(segment: StoredSegment) -> Self {
        Self {
            segment,
            parked: BTreeMap::new(),
            letters: BTreeMap::new(),
            handled: BTreeMap::new(),
            skipped: BTreeSet::new(),
            asked_to_discard: BTreeSet::new(),
            discarded: BTreeSet::new(),
        }
    }

    /// The segment has the next epoch.
    pub(super) fn free(&mut self) {
        self.segment.epoch = Epoch::new(self.segment.epoch.get() + 1);
    }

    /// Keeps a save; false if it is stale.
    pub(super) fn save(&mut self, save: &ProgressSave, journal: &ModelJournal) -> bool {
        if save.epoch != self.segment.epoch {
            return false;
        }
        let (before, after) = (self.segment.progress.offset(), save.progress.offset());
        assert!(
            before.positions().iter().zip(after.positions()).all(|(a, b)| a <= b),
            "progress regresses"
        );
        self.segment.progress = save.progress.clone();
        self.segment.handled += save.handled;
        for ReplayedTo { entity, from } in &save.replayed {
            match (from, self.parked.get_mut(entity)) {
                (Some(from), Some(parked)) => parked.from = *from,
                (Some(_), None) => {}
                (None, _) => {
                    let Some(parked) = self.parked.remove(entity) else { continue };
                    if self.asked_to_discard.remove(entity) {
                        let is_over =
                            |position, lane| position <= save.progress.offset().position(lane);
                        for event in journal.events_of(entity) {
                            let nr = event.event.sequence_nr;
                            if nr >= parked.from && is_over(event.event.position, parked.lane) {
                                self.discard(entity.clone(), nr.get());
                            }
                        }
                    }
                }
            }
        }
        for parked in &save.parked {
            let kept = ParkedEntity { request: None, ..parked.clone() };
            self.parked.insert(parked.entity.clone(), kept);
        }
        for place in &save.letters_replayed {
            self.letters.remove(place);
        }
        for letter in &save.dead_letters {
            self.skipped.insert((letter.entity.clone(), letter.sequence_nr.get()));
            self.letters.insert(letter.place, DeadLetter { is_requested: false, ..letter.clone() });
        }
        true
    }

    pub(super) fn discard(&mut self, entity: EntityKey, nr: u64) {
        self.skipped.insert((entity.clone(), nr));
        self.discarded.insert((entity, nr));
    }

    /// An event was handled: behind all of its entity in front of it.
    pub(super) fn handle(&mut self, entity: &EntityKey, nr: u64, is_exact: bool) {
        let handled = self.handled.entry(entity.clone()).or_default();
        if handled.contains(&nr) {
            assert!(!is_exact, "event {nr} of {entity} is handled twice");
        } else {
            let is_there = |older: u64| {
                handled.contains(&older) || self.skipped.contains(&(entity.clone(), older))
            };
            let missing = (1..nr).find(|older| !is_there(*older));
            assert_eq!(missing, None, "event {nr} of {entity} is handled in front of an older one");
        }
        handled.push(nr);
    }

    /// Every event was handled that was not discarded.
    pub(super) fn check_all(&self, journal: &ModelJournal) {
        for entity in journal.entities() {
            let handled = self.handled.get(entity).map(Vec::as_slice).unwrap_or_default();
            for event in journal.events_of(entity) {
                let nr = event.event.sequence_nr.get();
                assert!(
                    handled.contains(&nr) || self.discarded.contains(&(entity.clone(), nr)),
                    "event {nr} of {entity} was lost"
                );
            }
        }
    }
}
