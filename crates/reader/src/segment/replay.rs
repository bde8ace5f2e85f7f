use super::{Batch, batch::BatchKind, trial::Trial};
use actum_model::{EntityKey, Lane, Partition, SequenceNr};
use actum_persistence::{
    progress::{DeadLetter, ParkedEntity},
    store::{EntityPage, JournalEvent, PageLimit, PageRoom, StoredEvent},
};
use std::collections::VecDeque;

/// Events that were held back or skipped, and are handled now.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) what: Replayed,
    /// What was read and not handled; nothing was read if none.
    pub(super) events: Option<VecDeque<JournalEvent>>,
    /// Whether nothing of it is behind what was read.
    pub(super) is_rest: bool,
    pub(super) trial: Trial,
    /// Whether the lanes come first, for one step.
    pub(super) lets_lanes_first: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Replayed {
    Parked(ParkedEntity),
    Letter(DeadLetter),
}

impl Replayed {
    pub(super) fn entity(&self) -> &EntityKey {
        match self {
            Self::Parked(parked) => &parked.entity,
            Self::Letter(letter) => &letter.entity,
        }
    }

    fn partition(&self) -> Partition {
        match self {
            Self::Parked(parked) => parked.partition,
            Self::Letter(letter) => letter.partition,
        }
    }

    pub(super) fn lane(&self) -> Lane {
        match self {
            Self::Parked(parked) => parked.lane,
            Self::Letter(letter) => letter.place.lane,
        }
    }

    /// Its first event that was not handled.
    pub(super) fn from(&self) -> SequenceNr {
        match self {
            Self::Parked(parked) => parked.from,
            Self::Letter(letter) => letter.sequence_nr,
        }
    }

    pub(super) fn is_letter(&self) -> bool {
        matches!(self, Self::Letter(_))
    }
}

impl Replay {
    pub(super) fn new(what: Replayed) -> Self {
        Self {
            what,
            events: None,
            is_rest: false,
            trial: Trial::default(),
            lets_lanes_first: false,
        }
    }

    /// Takes what was read of the entity behind `after`: what lies behind `progress` in its lane is not held back.
    pub(super) fn read(
        &mut self,
        page: EntityPage,
        after: SequenceNr,
        progress: actum_model::Position,
    ) {
        let (entity, partition) = (self.what.entity().clone(), self.what.partition());
        let has_more = page.has_more(after);
        let read = page.events.len();
        let held_back = page.events.into_iter().take_while(|event| event.position <= progress);
        let is_meant = |event: &StoredEvent| match &self.what {
            Replayed::Parked(_) => true,
            Replayed::Letter(letter) => event.event_id == letter.event_id,
        };
        let held_back = held_back.filter(is_meant);
        let events: VecDeque<_> = held_back
            .map(|event| JournalEvent { entity: entity.clone(), partition, event })
            .collect();
        self.is_rest = !has_more || events.len() < read;
        self.events = Some(events);
    }

    /// What is handled next of what was read; none if there is nothing left of it.
    pub(super) fn batch(&self, limit: PageLimit) -> Option<(BatchKind, Vec<JournalEvent>)> {
        let left = self.events.as_ref()?;
        let mut room = PageRoom::new(self.trial.limit(limit));
        let fits = left.iter().take_while(|event| room.take(&event.event));
        let events: Vec<_> = fits.cloned().collect();
        if events.is_empty() {
            return None;
        }
        let kind = match &self.what {
            Replayed::Parked(parked) => {
                let is_rest = self.is_rest && events.len() == left.len();
                BatchKind::Parked { entity: parked.entity.clone(), is_rest }
            }
            Replayed::Letter(letter) => BatchKind::Letter(letter.place),
        };
        Some((kind, events))
    }

    /// Removes the first events of what was read.
    pub(super) fn take(&mut self, events: usize) {
        if let Some(left) = &mut self.events {
            left.drain(..events.min(left.len()));
            let next = left.front().map(|event| event.event.sequence_nr);
            if let Replayed::Parked(parked) = &mut self.what {
                parked.from = next.unwrap_or(parked.from.plus(events as u64));
            }
        }
    }
}

impl Batch {
    /// Whether these are events of the lane, in order.
    pub(super) fn is_of_lane(&self) -> bool {
        self.what == BatchKind::Lane
    }
}
