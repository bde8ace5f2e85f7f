use actum_model::{EntityKey, Lane, Position, SequenceNr, Timestamp};
use actum_persistence::{
    progress::{DeadLetterPlace, LastRead, ProgressSave, ReplayedTo},
    store::JournalEvent,
};

/// Events that are handled one after the other, and what is saved with them.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Their lane.
    pub lane: Lane,
    /// The events, at least one.
    pub events: Vec<JournalEvent>,
    pub(super) what: BatchKind,
    /// What there is to save without them.
    pub(super) base: ProgressSave,
}

/// Where the events of a batch come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BatchKind {
    /// The lane, in order.
    Lane,
    /// A parked entity; whether nothing of what was held back is behind them.
    Parked { entity: EntityKey, is_rest: bool },
    /// A dead letter.
    Letter(DeadLetterPlace),
}

impl Batch {
    /// What is saved when the first `handled` were handled.
    pub fn save(&self, handled: usize, now: Timestamp) -> ProgressSave {
        let mut save = self.base.clone();
        save.saved_at = now;
        save.handled += handled as u64;
        match &self.what {
            BatchKind::Lane => {
                if let Some(last) = handled.checked_sub(1).and_then(|at| self.events.get(at)) {
                    save.progress.met(self.lane, last_read(last));
                }
            }
            BatchKind::Parked { entity, is_rest } => {
                let is_done = *is_rest && handled == self.events.len();
                let next = self.events.get(handled).map(|event| event.event.sequence_nr);
                let from = if is_done { None } else { next.or_else(|| self.behind()) };
                save.replayed.retain(|replayed| replayed.entity != *entity);
                save.replayed.push(ReplayedTo { entity: entity.clone(), from });
            }
            BatchKind::Letter(place) => {
                if handled > 0 {
                    save.letters_replayed.push(*place);
                }
            }
        }
        save
    }

    /// The number behind the last event.
    fn behind(&self) -> Option<SequenceNr> {
        self.events.last().map(|last| last.event.sequence_nr.next())
    }
}

pub(super) fn last_read(event: &JournalEvent) -> LastRead {
    LastRead { position: event.event.position, event_id: event.event.event_id }
}

pub(super) fn position(event: &JournalEvent) -> Position {
    event.event.position
}
