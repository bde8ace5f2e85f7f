use super::{Ledger, Pending, Remembered, truth::slide};
use crate::simulation::{Flaw, Reply};
use std::collections::VecDeque;

impl Ledger {
    /// The state a handler sees is what the journal holds, or that and what its own cell has done since.
    pub(super) fn handled(&mut self, nr: u32, at: u64, seen: u64) {
        self.check_not_remembered(nr, at);
        let wall = self.wall;
        let sent = &mut self.sent[nr as usize];
        (sent.saw, sent.wall) = (Some((at, seen)), wall);
        let (entity, revision) = (sent.order.entity, sent.order.expected_revision);
        let acknowledged = sent.acknowledged_before;
        let life = sent.life.expect("only an engine's commands are handled");
        if sent.end.is_some() {
            self.wrong(format!("{nr}: handled after it was answered"));
        }
        if self.sent[nr as usize].order.deadline <= self.now {
            self.wrong(format!("{nr}: handled after its caller stopped waiting"));
        }
        if revision.is_some_and(|revision| revision != at) {
            self.wrong(format!("{nr}: expected revision {revision:?}, handled at {at}"));
        }
        let foreign = self.truths[entity as usize].is_foreign_within(at, acknowledged);
        if at < acknowledged && !foreign && !self.lives[life as usize].revoked {
            self.wrong(format!("{nr}: saw {at}, after {acknowledged} was acknowledged"));
        }
        let stored = self.truths[entity as usize].shows(at, seen);
        let mind = self.mind(life, entity);
        if let Some(before) = mind.handled.replace(nr).filter(|before| *before > nr) {
            self.wrong(format!("{nr}: handled after {before}, which was sent later"));
        }
        let mind = self.mind(life, entity);
        if mind.pending.is_empty() {
            mind.durable = mind.durable.max(at);
        }
        let pending = mind.pending.last().is_some_and(|last| (last.at, last.digest) == (at, seen));
        let fresh = stored && mind.pending.is_empty();
        if !pending && !fresh {
            self.wrong(format!("{nr}: saw a state at {at} that is neither stored nor pending"));
        }
    }

    /// The reply is computed from the state after the command's own changes.
    pub(super) fn concluded(&mut self, nr: u32, digest: u64) {
        let sent = &mut self.sent[nr as usize];
        sent.concluded = Some(digest);
        let (plan, has_id) = (sent.order.plan, sent.order.id.is_some());
        let truth = &self.truths[sent.order.entity as usize];
        let changes = sent.changes(truth.id, truth.by_state);
        let (at, seen) = sent.saw.expect("a command is handled before it concludes");
        if *changes.last().unwrap_or(&seen) != digest {
            self.wrong(format!("{nr}: concluded on another state than its own"));
        }
        let recording_fails = matches!(plan.flaw, Flaw::RecordingFails | Flaw::RecordingPanics);
        if recording_fails && has_id && !changes.is_empty() {
            return; // it will not be staged
        }
        let since = self.now;
        let mind = self.mind_of(nr);
        let pending = (at + 1..).zip(&changes);
        mind.pending.extend(pending.map(|(at, digest)| Pending { at, nr, digest: *digest, since }));
        if plan.acts {
            mind.actions.push((at + changes.len() as u64, nr));
        }
    }

    /// A retry is given what was recorded the first time.
    pub(super) fn replayed(&mut self, nr: u32, reply: Reply) {
        let sent = &mut self.sent[nr as usize];
        sent.replays = Some(reply.nr);
        let (order, life) = (&sent.order, sent.life.unwrap_or_default());
        let (id, command, entity) = (order.id, order.command, order.entity);
        let first = &self.sent[reply.nr as usize];
        let same = (first.order.id, first.order.command, first.order.entity);
        let digest = first.reply_digest();
        if id.is_none() || same != (id, command, entity) {
            self.wrong(format!("{nr}: given the reply of {}, another command", reply.nr));
        }
        if digest != Some(reply.digest) {
            self.wrong(format!("{nr}: the recorded reply of {} was another one", reply.nr));
        }
        let believed = self.believed(life, entity, None);
        if !believed.iter().any(|known| known.nr == reply.nr) {
            self.wrong(format!("{nr}: given a reply that nobody remembers, {}", reply.nr));
        }
    }

    /// A command whose id the entity remembers is not handled again.
    fn check_not_remembered(&mut self, nr: u32, at: u64) {
        let sent = &self.sent[nr as usize];
        let Some(id) = sent.order.id else { return };
        let believed = self.believed(sent.life.unwrap_or_default(), sent.order.entity, Some(at));
        if let Some(first) = believed.iter().find(|known| known.id == id) {
            let first = first.nr;
            self.wrong(format!("{nr}: handled again, {first} had its id {id}"));
        }
    }

    /// The commands an entity remembers in a process: what is stored, and what it has done since.
    fn believed(&self, life: u32, entity: u32, at: Option<u64>) -> VecDeque<Remembered> {
        let truth = &self.truths[entity as usize];
        let mind = self.minds.get(&(life, entity));
        let pending = mind.map_or(&[][..], |mind| &mind.pending[..]);
        let base = match (pending.first(), at) {
            (Some(first), _) => first.at - 1,
            (None, Some(at)) => at,
            // nothing tells how far a process has read that only replays: all is fair
            (None, None) => return truth.all().collect(),
        };
        let mut recent = truth.recent_at(base);
        for (place, change) in pending.iter().enumerate() {
            let is_last = pending.get(place + 1).is_none_or(|next| next.nr != change.nr);
            let sent = &self.sent[change.nr as usize];
            if let (true, Some(id)) = (is_last, sent.order.id) {
                let (nr, timestamp) = (change.nr, sent.wall);
                slide(&mut recent, Remembered { id, nr, at: change.at, timestamp }, truth.window());
            }
        }
        recent
    }
}
