use super::{Journal, number_of};
use crate::cell::Read;
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{EntityPage, Recovered, StateRecord};

/// What a read brings, of either model.
#[derive(Debug)]
pub(crate) enum Found {
    Events(Recovered),
    State(Option<StateRecord>),
}

impl Journal {
    /// Answers a read, with at most `page` events.
    pub(crate) fn answer(&self, read: &Read, page: usize) -> Found {
        match read {
            Read::Start { entity, snapshot_at_most } => {
                let kept = &self.snapshots[number_of(entity) as usize];
                let fits = |at_most: SequenceNr| {
                    kept.iter().rev().find(|kept| kept.snapshot.sequence_nr <= at_most)
                };
                let snapshot = fits(*snapshot_at_most).map(|kept| kept.snapshot.clone());
                let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.sequence_nr.get());
                let page = self.page(entity, after, page);
                Found::Events(Recovered { snapshot, page, skipped: None })
            }
            Read::Page { entity, after } => {
                let page = self.page(entity, after.get(), page);
                Found::Events(Recovered { page, ..Recovered::default() })
            }
            Read::State { entity } => {
                Found::State(self.records[number_of(entity) as usize].clone())
            }
        }
    }

    fn page(&self, entity: &EntityKey, after: u64, count: usize) -> EntityPage {
        let history = &self.histories[number_of(entity) as usize];
        let behind = history.events.iter().skip(after.max(history.floor) as usize);
        EntityPage {
            events: behind.take(count).cloned().collect(),
            head: SequenceNr::new(history.events.len() as u64),
            floor: SequenceNr::new(history.floor),
        }
    }
}
