use super::{End, Ledger, Remembered};
use crate::simulation::{
    Seen, Wish, command_id,
    journal::{Stored, StoredChange},
};
use actum_persistence::serializer::{RecentCommand, Serializer};
use bytes::Bytes;
use std::collections::VecDeque;

impl Ledger {
    /// A write is stored: whole commands, in order, each for the first time, behind what each of them saw.
    pub(super) fn stored(&mut self, stored: Stored) {
        let Stored { entity, expected, changes, recent_commands } = stored;
        if expected != self.truths[entity as usize].head() {
            let head = self.truths[entity as usize].head();
            return self.wrong(format!("entity {entity}: stored behind {expected}, not {head}"));
        }
        for command in changes.chunk_by(|one, next| one.nr == next.nr) {
            self.stored_command(entity, command);
        }
        if let Some(recent) = recent_commands {
            let truth = &self.truths[entity as usize];
            let known = truth.recent_at(truth.head());
            if !is_list_of(&recent, &known) {
                self.wrong(format!("entity {entity}: its record does not remember {known:?}"));
            }
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
        if sent.life.is_none() {
            self.truths[entity as usize].foreign.push(first);
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
            wrong.push("stored, though somebody was told that it was not applied".to_owned());
        }
        match sent.saw {
            Some((at, seen)) if at + 1 == first && truth.shows(at, seen) => {}
            saw => wrong.push(format!("stored as {first}, it saw {saw:?}")),
        }
        if sent.is_doomed(truth.by_state) {
            wrong.push("stored, though it went wrong".to_owned());
        }
        if sent.life.is_some_and(|life| self.lives[life as usize].revoked) {
            wrong.push("stored by an engine that was shut out".to_owned());
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
        let (Some(id), timestamp) = (sent.order.id, sent.wall) else { return };
        let truth = &mut self.truths[entity as usize];
        if truth.remembers(id) {
            self.violations.push(format!("{nr}: applied again, its id {id} is remembered"));
        } else if let Some(first) = truth.last_with(id) {
            let beyond_count = truth.ids_behind(first.at) >= truth.window().commands_max;
            self.coverage.saw(if beyond_count {
                Seen::AppliedAgainBeyondCount
            } else {
                Seen::AppliedAgainBeyondAge
            });
        }
        let truth = &mut self.truths[entity as usize];
        truth.remember(Remembered { id, nr, at: last, timestamp });
    }
}

/// Whether the encoded commands are these.
pub(super) fn is_list_of(encoded: &Bytes, known: &VecDeque<Remembered>) -> bool {
    let Ok(commands) = Serializer::default().decode_recent_commands(encoded) else { return false };
    let same = |(command, known): (&RecentCommand, &Remembered)| {
        command.command_id == command_id(known.id)
            && command.sequence_nr.get() == known.at
            && command.timestamp == known.timestamp
    };
    commands.len() == known.len() && commands.iter().zip(known).all(same)
}
