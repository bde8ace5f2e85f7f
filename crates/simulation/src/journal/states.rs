use super::{Batch, FOREIGNER, HeldBy, Journal, Stored, StoredChange, Written, number_of};
use crate::{Board, Flaw};
use actum_model::{EntityKey, Position, Revision, StoredPayload, Timestamp};
use actum_persistence::store::{
    CommandRecord, EventId, Incarnation, LastWrite, Resolution, StateChange, StateOutcome,
    StateRecord, StateWrite, StoreError, StoredCommand,
};
use bytes::Bytes;

impl Written for StateWrite {
    fn execute(
        journal: &mut Journal,
        batch: &Batch<Self>,
    ) -> Result<Vec<StateOutcome>, StoreError> {
        journal.check_fence(batch.incarnation)?;
        journal.check_writes(batch)?;
        let writes = batch.writes.iter().zip(&batch.changes);
        Ok(writes.map(|(write, held)| journal.write(write, held, batch.incarnation)).collect())
    }

    fn find(journal: &Journal, batch: &Batch<Self>) -> Vec<Resolution<StateOutcome>> {
        batch.writes.iter().map(|write| journal.find_write(write, batch.incarnation)).collect()
    }

    fn late(journal: &mut Journal) -> &mut Vec<Batch<Self>> {
        &mut journal.late_writes
    }

    fn held(&self, by: &dyn HeldBy) -> Vec<(u32, u64)> {
        let span = (self.expected.get(), self.revision.get());
        by.held(number_of(&self.entity), span, digest_of(&self.change))
    }

    fn first_nr(&self) -> u64 {
        self.write_nr
    }
}

impl Journal {
    /// Writes a state past all cells, as a foreign writer would.
    pub(crate) fn write_foreign(
        &mut self,
        entity: &EntityKey,
        nr: u32,
        digest: u64,
        timestamp: Timestamp,
    ) {
        let number = number_of(entity);
        let head = Revision::new(self.head(number));
        let board = Board { digest, flaw: Flaw::None };
        let payload = StoredPayload::encode(&board).expect("a state of the simulation is encoded");
        let write = StateWrite {
            entity: entity.clone(),
            partition: entity.partition(self.layout.partitions),
            owned_as: None,
            expected: head,
            revision: head.next(),
            write_nr: u64::from(nr),
            timestamp,
            change: StateChange::Put(payload),
            commands: Vec::new(),
            forget_to: Revision::ZERO,
        };
        self.write(&write, &[(nr, digest)], FOREIGNER);
    }

    fn check_writes(&mut self, batch: &Batch<StateWrite>) -> Result<(), StoreError> {
        for (at, write) in batch.writes.iter().enumerate() {
            let twice = batch.writes[..at].iter().any(|other| other.entity == write.entity);
            let misplaced = write.entity.partition(self.layout.partitions) != write.partition;
            if twice || misplaced || write.revision <= write.expected {
                self.misuses.push(format!("twice, misplaced or no step forward: {write:?}"));
                return Err(StoreError::invalid("a batch that breaks the contract"));
            }
            if let StateChange::Put(state) = &write.change
                && state.bytes.last() == Some(&(Flaw::StoreRefuses as u8))
            {
                return Err(StoreError::invalid("a state this store does not take"));
            }
        }
        Ok(())
    }

    fn write(
        &mut self,
        write: &StateWrite,
        held: &[(u32, u64)],
        incarnation: Incarnation,
    ) -> StateOutcome {
        let entity = number_of(&write.entity);
        let record = &mut self.records[entity as usize];
        let actual = record.as_ref().map_or(Revision::ZERO, |record| record.revision);
        if actual != write.expected {
            return StateOutcome::Conflict { actual };
        }
        let write_id = EventId { incarnation, nr: write.write_nr };
        if !self.write_ids.insert(write_id) {
            self.misuses.push(format!("write id {write_id} used twice"));
        }
        let state = match &write.change {
            StateChange::Put(state) => Some(state.clone()),
            StateChange::Delete => None,
        };
        check_held(write, held, &mut self.misuses);
        let last = held.len();
        let changes = held.iter().enumerate().map(|(at, (nr, digest))| StoredChange {
            nr: *nr,
            part: (0, 1),
            digest: Some(*digest),
            position: 0,
            timestamp: (at + 1 == last).then_some(write.timestamp),
        });
        let changes = changes.collect();
        let commands = Some((write.commands.clone(), write.forget_to.get()));
        self.stored.push(Stored { entity, expected: actual.get(), changes, commands });
        *record = Some(StateRecord {
            revision: write.revision,
            timestamp: write.timestamp,
            state,
            commands: Vec::new(),
            recent_commands: Bytes::new(),
            write_id,
            position: Position::new(self.stored.len() as u64), // no one reads changes here
        });
        let kept = &mut self.commands[entity as usize];
        for CommandRecord { revision, id_hash, uptime_seconds, record } in write.commands.clone() {
            let command = StoredCommand { revision, id_hash, incarnation, uptime_seconds };
            kept.insert(revision.get(), (command, record));
        }
        kept.retain(|revision, _| *revision > write.forget_to.get());
        StateOutcome::Written
    }

    fn find_write(&self, write: &StateWrite, incarnation: Incarnation) -> Resolution<StateOutcome> {
        let record = self.records[number_of(&write.entity) as usize].as_ref();
        let last = record.map(|it| LastWrite { revision: it.revision, write_id: it.write_id });
        Resolution::of_write(write, incarnation, last)
    }
}

/// The write is what the cell made of these commands.
fn check_held(write: &StateWrite, held: &[(u32, u64)], misuses: &mut Vec<String>) {
    let steps = write.revision.get() - write.expected.get();
    let after = held.last().map(|(_, digest)| *digest);
    let stored = digest_of(&write.change);
    if held.len() as u64 != steps || (stored.is_some() && after != stored) {
        misuses.push(format!("a write that is not what the commands {held:?} make: {write:?}"));
    }
}

/// The digest of the state that is written; none where the entity is deleted.
fn digest_of(change: &StateChange) -> Option<u64> {
    match change {
        StateChange::Put(state) => state.decode::<Board>().ok().map(|board| board.digest),
        StateChange::Delete => None,
    }
}
