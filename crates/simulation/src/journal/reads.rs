use super::{Journal, number_of};
use actum_host::{
    cell::{FoundState, Read},
    partition::Found,
};
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{EntityPage, Recovered, StateRecord, StoredCommand};

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
                Found::Events(Recovered::new(snapshot, page))
            }
            Read::Page { entity, after } => {
                let page = self.page(entity, after.get(), page);
                Found::Events(Recovered::new(None, page))
            }
            Read::State { entity } => {
                let entity = number_of(entity) as usize;
                let commands = self.commands_before(entity, u64::MAX);
                let record = self.records[entity].clone();
                let record = record.map(|record| StateRecord { commands, ..record });
                Found::State(FoundState::Record(record))
            }
            Read::EventRecord { entity, sequence_nr } => {
                let history = &self.histories[number_of(entity) as usize];
                let at = sequence_nr.get();
                let event = history.events.get(at as usize - 1).filter(|_| at > history.floor);
                let found = Ok(event.map(|event| event.metadata.clone()));
                Found::Record { sequence_nr: *sequence_nr, found }
            }
            Read::CommandRecord(read) => {
                let commands = &self.commands[number_of(&read.entity) as usize];
                let record = commands.get(&read.revision.get()).map(|(_, record)| record.clone());
                Found::Record { sequence_nr: read.revision.into(), found: Ok(record) }
            }
            Read::CommandsBefore(read) => {
                let entity = number_of(&read.entity) as usize;
                let commands = self.commands_before(entity, read.revision.get());
                Found::State(FoundState::Commands(commands))
            }
        }
    }

    /// The newest commands of a durable state before this revision, oldest first.
    fn commands_before(&self, entity: usize, revision: u64) -> Vec<StoredCommand> {
        let before = self.commands[entity].range(..revision).rev();
        let newest = before.take(self.commands_read_max[entity]);
        let mut commands: Vec<_> = newest.map(|(_, (command, _))| *command).collect();
        commands.reverse();
        commands
    }

    pub(super) fn page(&self, entity: &EntityKey, after: u64, count: usize) -> EntityPage {
        let history = &self.histories[number_of(entity) as usize];
        let behind = history.events.iter().skip(after.max(history.floor) as usize);
        EntityPage::new(
            behind.take(count).cloned().collect(),
            SequenceNr::new(history.events.len() as u64),
            SequenceNr::new(history.floor),
        )
    }
}
