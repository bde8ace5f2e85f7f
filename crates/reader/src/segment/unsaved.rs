use actum_model::{EntityKey, SequenceNr};
use actum_persistence::progress::{
    DeadLetter, DeadLetterPlace, ParkedEntity, ProgressSave, ReplayedTo,
};

/// What has happened and is not saved.
#[derive(Clone, Debug, Default)]
pub(super) struct Unsaved {
    pub(super) handled: u64,
    pub(super) parked: Vec<ParkedEntity>,
    pub(super) replayed: Vec<ReplayedTo>,
    pub(super) dead_letters: Vec<DeadLetter>,
    pub(super) letters_replayed: Vec<DeadLetterPlace>,
}

impl Unsaved {
    /// Whether it has more than progress.
    pub(super) fn has_records(&self) -> bool {
        let Self { handled, parked, replayed, dead_letters, letters_replayed } = self;
        *handled > 0
            || !(parked.is_empty()
                && replayed.is_empty()
                && dead_letters.is_empty()
                && letters_replayed.is_empty())
    }

    /// Whether the entity is parked, or again.
    pub(super) fn parks(&self, entity: &EntityKey) -> bool {
        self.parked.iter().any(|parked| parked.entity == *entity)
    }

    /// Whether the dead letter of this place was replayed, or is one again.
    pub(super) fn has_letter(&self, place: DeadLetterPlace) -> bool {
        self.letters_replayed.contains(&place)
            || self.dead_letters.iter().any(|letter| letter.place == place)
    }

    /// The entity is parked, or again.
    pub(super) fn park(&mut self, parked: ParkedEntity) {
        self.forget(&parked.entity);
        self.parked.push(parked);
    }

    /// The events of a parked entity were handled up to `from`; all of them if there is none.
    pub(super) fn replay(&mut self, entity: EntityKey, from: Option<SequenceNr>) {
        self.forget(&entity);
        self.replayed.push(ReplayedTo { entity, from });
    }

    fn forget(&mut self, entity: &EntityKey) {
        self.parked.retain(|parked| parked.entity != *entity);
        self.replayed.retain(|replayed| replayed.entity != *entity);
    }

    pub(super) fn fill(&self, save: &mut ProgressSave) {
        let Self { handled, parked, replayed, dead_letters, letters_replayed } = self.clone();
        save.handled = handled;
        save.parked = parked;
        save.replayed = replayed;
        save.dead_letters = dead_letters;
        save.letters_replayed = letters_replayed;
    }
}
