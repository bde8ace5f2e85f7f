use actum_model::{EntityKey, SequenceNr};
use actum_persistence::progress::{DeadLetter, ParkedEntity, ProgressSave, ReplayedTo};

/// What has happened and is not saved.
#[derive(Clone, Debug, Default)]
pub(super) struct Unsaved {
    pub(super) handled: u64,
    pub(super) parked: Vec<ParkedEntity>,
    pub(super) replayed: Vec<ReplayedTo>,
    pub(super) dead_letters: Vec<DeadLetter>,
    pub(super) letters_replayed: Vec<actum_persistence::progress::DeadLetterPlace>,
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
