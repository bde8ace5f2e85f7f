use super::{End, Ledger, Remembered};
use crate::{
    Reply, Seen, Wish, command_id,
    journal::{Stored, StoredChange},
};
use actum_persistence::{serializer::Serializer, store::CommandRecord};

/// So many records must be forgotten before they are deleted, together.
const FORGOTTEN_TOGETHER: usize = 64;

impl Ledger {
    /// A write is stored: whole commands, in order, each for the first time, behind what each of them saw.
    pub(super) fn stored(&mut self, stored: Stored) {
        let Stored { entity, expected, changes, commands } = stored;
        if expected != self.truths[entity as usize].head() {
            let head = self.truths[entity as usize].head();
            return self.wrong(format!("entity {entity}: stored behind {expected}, not {head}"));
        }
        for command in changes.chunk_by(|one, next| one.nr == next.nr) {
            self.stored_command(entity, command);
        }
        if let Some((records, forget_to)) = commands {
            self.check_records(entity, expected, &records);
            self.check_forgotten(entity, forget_to);
        }
    }

    /// No record is deleted of a command that is promised, and others are deleted when there are many.
    fn check_forgotten(&mut self, entity: u32, forget_to: u64) {
        let truth = &mut self.truths[entity as usize];
        if forget_to > truth.forgotten_to {
            truth.deleted(forget_to);
            self.coverage.saw(Seen::RecordsForgotten);
        }
        let truth = &self.truths[entity as usize];
        let mut promised = truth.promised(truth.head(), 0, self.now, self.tight);
        let lost = promised.find(|known| known.at <= forget_to);
        let kept = truth.all().filter(|known| known.at > truth.forgotten_to).count();
        let kept_max = truth.remembered_max(truth.head()) + FORGOTTEN_TOGETHER;
        drop(promised);
        if let Some(lost) = lost {
            self.wrong(format!("entity {entity}: the record of {lost:?} is not needed any more"));
        }
        if kept >= kept_max {
            self.wrong(format!("entity {entity}: the records of {kept} commands are kept"));
        }
    }

    /// A write of a durable state carries the record of each of its commands that has an id, and no others.
    fn check_records(&mut self, entity: u32, expected: u64, records: &[CommandRecord]) {
        let truth = &self.truths[entity as usize];
        let known: Vec<Remembered> = truth.all().filter(|known| known.at > expected).collect();
        let same = |(record, known): (&CommandRecord, &Remembered)| {
            let id = command_id(known.id);
            let read = Serializer::default().decode_metadata(&record.record);
            let right = read.is_ok_and(|(metadata, reply)| {
                let reply = reply.and_then(|reply| reply.payload.decode::<Reply>().ok());
                metadata.command_id() == Some(&id)
                    && reply.is_some_and(|reply| reply.nr == known.nr)
            });
            record.revision.get() == known.at && record.id_hash == known.id_hash && right
        };
        if records.len() != known.len() || !records.iter().zip(&known).all(same) {
            self.wrong(format!("entity {entity}: its write does not record {known:?}"));
        }
    }

    fn stored_command(&mut self, entity: u32, changes: &[StoredChange]) {
        let nr = changes[0].nr;
        let first = self.truths[entity as usize].head() + 1;
        let last = first + changes.len() as u64 - 1;
        self.check_whole(entity, changes);
        self.check_may_be_stored(nr, entity, first);

        let wall = self.sent[nr as usize].wall;
        let truth = &self.truths[entity as usize];
        let digests = self.sent[nr as usize].changes(truth.id, truth.by_state);
        for (change, digest) in changes.iter().zip(digests) {
            if change.digest.is_some_and(|stored| stored != digest) {
                self.wrong(format!("{nr}: stored another state than it decided on"));
            }
            if change.timestamp.is_some_and(|stored| stored != wall) {
                self.wrong(format!("{nr}: stored with another time than that of its handling"));
            }
            let truth = &mut self.truths[entity as usize];
            if !truth.by_state && change.position <= *truth.positions.last().unwrap_or(&0) {
                self.violations.push(format!("{nr}: positions go back"));
            }
            truth.digests.push(digest);
            truth.positions.push(change.position);
        }
        let sent = &mut self.sent[nr as usize];
        sent.placed = Some((first, last));
        // one whose partition has failed may be stored behind what its entity has read since
        if sent.life.is_none() || sent.is_unknown || sent.end == Some(End::Lost) {
            self.truths[entity as usize].unseen.push((first, last, sent.life));
        }
        self.remember(nr, entity, last);
    }

    /// All changes of a command, in order, and no others.
    fn check_whole(&mut self, entity: u32, changes: &[StoredChange]) {
        let nr = changes[0].nr;
        let sent = &self.sent[nr as usize];
        let truth = &self.truths[entity as usize];
        let decided = sent.changes(truth.id, truth.by_state).len() as u64;
        let mut parts = (0..).zip(changes).map(|(index, change)| (index, change.part));
        let in_order = truth.by_state || parts.all(|(index, part)| part == (index, decided));
        if changes.len() as u64 != decided || !in_order || sent.order.entity != entity {
            self.wrong(format!("{nr}: {decided} changes were decided, stored are {changes:?}"));
        }
    }

    fn check_may_be_stored(&mut self, nr: u32, entity: u32, first: u64) {
        let sent = &self.sent[nr as usize];
        let truth = &self.truths[entity as usize];
        let mut wrong = Vec::new();
        if let Some(before) = sent.placed {
            wrong.push(format!("stored again, it is {before:?} already"));
        }
        if sent.denied {
            wrong.push("stored, though it was answered as not applied".to_owned());
        }
        match sent.saw {
            Some((at, seen)) if at + 1 == first && truth.shows(at, seen) => {}
            saw => wrong.push(format!("stored as {first}, it saw {saw:?}")),
        }
        if sent.is_doomed(truth.by_state) {
            wrong.push("stored, though it went wrong".to_owned());
        }
        if sent.life.is_some_and(|life| self.lives[life as usize].revoked) {
            wrong.push("stored by an engine that was fenced".to_owned());
        }
        if truth.by_state && sent.order.plan.wish == Wish::Delete {
            self.coverage.saw(Seen::Tombstone);
        }
        match sent.end {
            None => {}
            Some(End::TimedOut) => self.coverage.saw(Seen::StoredAfterTimeout),
            Some(End::Unknown) => self.coverage.saw(Seen::StoredThoughUnknown),
            Some(End::Lost) => self.coverage.saw(Seen::StoredThoughLost),
            Some(end) => wrong.push(format!("stored after it ended as {end:?}")),
        }
        wrong.into_iter().for_each(|what| self.wrong(format!("{nr}: {what}")));
    }

    fn remember(&mut self, nr: u32, entity: u32, last: u64) {
        let sent = &self.sent[nr as usize];
        let (Some(id), Some(id_hash)) = (sent.order.id, sent.id_hash) else { return };
        let (when, under_way) = (sent.when, sent.ids_under_way);
        let truth = &mut self.truths[entity as usize];
        let first = truth.last_with(id);
        let again = first.map(|first| (first, truth.why_forgotten(first, when, self.tight)));
        truth.remember(Remembered { id, id_hash, nr, at: last, when, under_way });
        match again {
            None => {}
            Some((_, Some(why))) => self.coverage.saw(why),
            Some((first, None)) => {
                self.wrong(format!("{nr}: applied again, its id is promised to {first:?}"));
            }
        }
    }
}
