use crate::entity_table::{EntityTable, Place};
use actum_model::{EntityKey, Revision};
use actum_persistence::store::{
    COMMANDS_READ_MAX, CommandRead, CommandRecord, EntitySearch, Incarnation, LastWrite,
    ListedState, Resolution, StateChange, StateOutcome, StateRecord, StateWrite, StoredCommand,
};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// The durable states of all entities.
pub(crate) struct States {
    records: EntityTable<StateRecord>,
    /// By entity and revision.
    commands: BTreeMap<(EntityKey, Revision), Command>,
}

/// A command, as it is kept.
struct Command {
    mark: StoredCommand,
    record: Bytes,
}

impl States {
    /// The kinds of the entities in one of its tables; none if there is no such table.
    pub(crate) fn kinds(&self, table: usize) -> Option<BTreeSet<String>> {
        self.records.kinds(table)
    }

    /// Which of the entities in one of its tables are wanted, in no order; none if there is no such table.
    pub(crate) fn list(&self, table: usize, search: &EntitySearch) -> Option<Vec<ListedState>> {
        let listed = |(entity, record): &(EntityKey, StateRecord)| {
            let listed = ListedState::new(entity.clone(), record.revision, record.timestamp);
            listed.deleted(record.state.is_none())
        };
        Some(self.records.search(table, search)?.map(listed).collect())
    }

    pub(crate) fn write(&mut self, write: &StateWrite, incarnation: Incarnation) -> StateOutcome {
        let place = self.records.place(&write.entity);
        let actual = place.value().map_or(Revision::ZERO, |record| record.revision);
        let outcome = write.outcome_at(actual);
        if outcome != StateOutcome::Written {
            return outcome;
        }
        let record = record_of(write, incarnation);
        match place {
            Place::Known(mut entry) => entry.get_mut().1 = record,
            Place::Free(entry) => drop(entry.insert((write.entity.clone(), record))),
        }
        self.keep_commands(write, incarnation);
        outcome
    }

    fn keep_commands(&mut self, write: &StateWrite, incarnation: Incarnation) {
        for command in &write.commands {
            let CommandRecord { revision, id_hash, uptime_seconds, .. } = *command;
            let mark = StoredCommand { revision, id_hash, incarnation, uptime_seconds };
            let kept = Command { mark, record: command.record.clone() };
            self.commands.insert((write.entity.clone(), revision), kept);
        }
        if write.forget_to > Revision::ZERO {
            let needless = Self::range(&write.entity, Revision::ZERO, write.forget_to.next());
            let needless: Vec<_> =
                self.commands.range(needless).map(|(key, _)| key.clone()).collect();
            needless.iter().for_each(|key| drop(self.commands.remove(key)));
        }
    }

    pub(crate) fn load(&self, entity: &EntityKey) -> Option<StateRecord> {
        let record = self.records.find(entity)?.clone();
        let commands = self.newest_before(entity, Revision::new(u64::MAX));
        Some(StateRecord { commands, ..record })
    }

    pub(crate) fn command_record(&self, read: &CommandRead) -> Option<Bytes> {
        let key = (read.entity.clone(), read.revision);
        self.commands.get(&key).map(|command| command.record.clone())
    }

    pub(crate) fn commands_before(&self, read: &CommandRead) -> Vec<StoredCommand> {
        self.newest_before(&read.entity, read.revision)
    }

    pub(crate) fn has_of_kind(&self, kind: &str) -> bool {
        self.records.has_of_kind(kind, |_| true)
    }

    fn newest_before(&self, entity: &EntityKey, before: Revision) -> Vec<StoredCommand> {
        let all = self.commands.range(Self::range(entity, Revision::ZERO, before));
        let newest = all.rev().take(COMMANDS_READ_MAX).map(|(_, command)| command.mark);
        let mut commands: Vec<_> = newest.collect();
        commands.reverse();
        commands
    }

    fn range(entity: &EntityKey, from: Revision, to: Revision) -> Range<(EntityKey, Revision)> {
        (entity.clone(), from)..(entity.clone(), to)
    }

    pub(crate) fn resolve(
        &self,
        write: &StateWrite,
        incarnation: Incarnation,
    ) -> Resolution<StateOutcome> {
        let stored = self
            .records
            .find(&write.entity)
            .map(|record| LastWrite { revision: record.revision, write_id: record.write_id });
        Resolution::of_write(write, incarnation, stored)
    }
}

impl Default for States {
    fn default() -> Self {
        Self { records: EntityTable::new(256), commands: BTreeMap::new() }
    }
}

fn record_of(write: &StateWrite, incarnation: Incarnation) -> StateRecord {
    StateRecord {
        revision: write.revision,
        timestamp: write.timestamp,
        state: match &write.change {
            StateChange::Put(state) => Some(state.clone()),
            StateChange::Delete => None,
        },
        commands: Vec::new(),
        recent_commands: Bytes::new(),
        write_id: write.write_id(incarnation),
    }
}
