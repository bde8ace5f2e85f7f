use crate::entity_table::{EntityTable, Place};
use actum_model::{EntityKey, Lane, Offset, Partition, Position, Revision};
use actum_persistence::store::{
    COMMANDS_READ_MAX, ChangeFilter, ChangePage, ChangedState, CommandRead, CommandRecord,
    EntitySearch, Incarnation, JournalLayout, LaneAnswer, LastWrite, ListedState, PageLimit,
    Resolution, StateChange, StateOutcome, StateRecord, StateWrite, StoredCommand,
};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::{Bound, Range},
};

/// The durable states of all entities.
pub(crate) struct States {
    layout: JournalLayout,
    records: EntityTable<StateRecord>,
    /// Whose last change is where, for each lane.
    changes: Vec<BTreeMap<Position, EntityKey>>,
    /// By entity and revision.
    commands: BTreeMap<(EntityKey, Revision), Command>,
}

/// A command, as it is kept.
struct Command {
    mark: StoredCommand,
    record: Bytes,
}

impl States {
    /// No states, of a journal that is divided like this.
    pub(crate) fn new(layout: JournalLayout) -> Self {
        let changes = layout.lanes.iter().map(|_| BTreeMap::new()).collect();
        Self { layout, records: EntityTable::new(256), changes, commands: BTreeMap::new() }
    }

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
        let changes = &mut self.changes[self.layout.lane_of(&write.entity).index()];
        let last = changes.last_key_value().map_or(Position::ZERO, |(position, _)| *position);
        let record = record_of(write, incarnation, last.plus(1));
        changes.insert(record.position, write.entity.clone());
        match place {
            Place::Known(mut entry) => {
                let before = std::mem::replace(&mut entry.get_mut().1, record);
                changes.remove(&before.position);
            }
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

    /// A page of the changes of a lane behind `after`.
    pub(crate) fn read_changes(
        &self,
        lane: Lane,
        after: Position,
        filter: &ChangeFilter,
        limit: PageLimit,
    ) -> ChangePage {
        let mut answer = LaneAnswer::new(after, limit);
        let changes = &self.changes[lane.index()];
        let mut behind = changes.range((Bound::Excluded(after), Bound::Unbounded));
        for _ in 0..LaneAnswer::looked_at_max(limit) {
            let Some((position, entity)) = behind.next() else { break };
            let record = self.records.find(entity).expect("what has changed is there");
            let change = changed(entity, entity.partition(self.layout.partitions), record);
            if filter.passes(&change) && !answer.add(change) {
                break;
            }
            answer.reach(*position);
        }
        answer.finish()
    }

    /// The position of the last change in every lane.
    pub(crate) fn change_heads(&self) -> Offset {
        let head = |changes: &BTreeMap<Position, EntityKey>| {
            changes.last_key_value().map_or(Position::ZERO, |(position, _)| *position)
        };
        Offset::of_positions(self.changes.iter().map(head).collect::<Vec<_>>())
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

fn changed(entity: &EntityKey, partition: Partition, record: &StateRecord) -> ChangedState {
    ChangedState {
        entity: entity.clone(),
        partition,
        position: record.position,
        revision: record.revision,
        timestamp: record.timestamp,
        write_id: record.write_id,
        state: record.state.clone(),
    }
}

fn record_of(write: &StateWrite, incarnation: Incarnation, position: Position) -> StateRecord {
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
        position,
    }
}
