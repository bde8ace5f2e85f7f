use super::{Ledger, Pending};
use crate::{Flaw, Reply, Seen};

impl Ledger {
    /// The state a handler sees is what the journal holds, or that and what its own cell has done since.
    pub(super) fn handled(&mut self, nr: u32, at: u64, seen: u64) {
        self.check_not_remembered(nr, at);
        let (wall, now) = (self.wall, self.now);
        let sent = &mut self.sent[nr as usize];
        (sent.saw, sent.wall, sent.when) = (Some((at, seen)), wall, now);
        let (entity, revision) = (sent.order.entity, sent.order.expected_revision);
        let acknowledged = sent.acknowledged_before;
        let life = sent.life.expect("only an engine's commands are handled");
        let (ended, refused) = (sent.end.is_some(), sent.refused);
        if ended {
            self.wrong(format!("{nr}: handled after it was answered"));
        }
        if refused {
            self.wrong(format!("{nr}: handled though the term was over as it was taken"));
        }
        if self.sent[nr as usize].order.deadline <= self.now {
            self.wrong(format!("{nr}: handled after its caller stopped waiting"));
        }
        if revision.is_some_and(|revision| revision != at) {
            self.wrong(format!("{nr}: expected revision {revision:?}, handled at {at}"));
        }
        let unseen = self.truths[entity as usize].is_unseen_within(at, acknowledged, life);
        if at < acknowledged && !unseen && !self.lives[life as usize].revoked {
            self.wrong(format!("{nr}: saw {at}, after {acknowledged} was acknowledged"));
        }
        self.check_order(nr, at);
        let stored = self.truths[entity as usize].shows(at, seen);
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

    /// Commands are handled in the order in which they were sent, but for those that had to wait for the record of one
    /// whose id has the same hash.
    fn check_order(&mut self, nr: u32, at: u64) {
        let mind = self.mind_of(nr);
        let before = mind.handled.filter(|(before, _)| *before > nr);
        mind.handled = Some(before.unwrap_or((nr, at)));
        let Some((before, overtaken_at)) = before else { return };
        if self.may_have_waited(nr, at, overtaken_at) {
            self.coverage.saw(Seen::HandledAfterRecord);
        } else {
            self.wrong(format!("{nr}: handled after {before}, which was sent later"));
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
        if plan.passivates {
            mind.runs = false; // it leaves, and waits for what is under way
        }
        if plan.acts {
            mind.actions.push((at + changes.len() as u64, nr));
        }
        let under_way: Vec<u32> = mind.commands().collect();
        let with_id = under_way.into_iter().filter(|nr| self.sent[*nr as usize].order.id.is_some());
        self.sent[nr as usize].ids_under_way = with_id.count();
    }

    /// A command has failed by itself: nothing of it is taken into the state. Where that had begun the entity leaves.
    pub(super) fn handler_refused(&mut self, nr: u32) {
        let sent = &self.sent[nr as usize];
        let begun = sent.concluded.is_some() || sent.order.plan.panics();
        let mind = self.mind_of(nr);
        mind.runs &= !begun;
        mind.forget_command(nr);
    }

    /// A retry is given what was recorded the first time.
    pub(super) fn replayed(&mut self, nr: u32, reply: Reply) {
        let sent = &mut self.sent[nr as usize];
        sent.replays = Some(reply.nr);
        let order = &sent.order;
        let (id, command, entity) = (order.id, order.command, order.entity);
        let first = &self.sent[reply.nr as usize];
        let same = (first.order.id, first.order.command, first.order.entity);
        let (digest, stored) = (first.reply_digest(), first.placed.is_some());
        let plan = first.order.plan;
        let again = self.sent[nr as usize].order.plan;
        if id.is_none() || same != (id, command, entity) || plan != again {
            self.wrong(format!("{nr}: given the reply of {}, another command", reply.nr));
        }
        if digest != Some(reply.digest) {
            self.wrong(format!("{nr}: the recorded reply of {} was another one", reply.nr));
        }
        if !stored {
            self.wrong(format!("{nr}: given the reply of {}, which is not stored", reply.nr));
        }
    }

    /// A command whose id the entity must remember is not handled again: what is stored and promised, and what the entity
    /// has done since.
    fn check_not_remembered(&mut self, nr: u32, at: u64) {
        let sent = &self.sent[nr as usize];
        let (Some(id), entity) = (sent.order.id, sent.order.entity) else { return };
        let mind = self.minds.get(&(sent.life.unwrap_or_default(), entity));
        let pending: Vec<u32> = mind.map_or(Vec::new(), |mind| mind.commands().collect());
        let base = mind.and_then(|mind| mind.pending.first()).map_or(at, |first| first.at - 1);
        let id_of = |nr: &u32| self.sent[*nr as usize].order.id;
        let coming = pending.iter().filter_map(id_of).count();
        let under_way = pending.iter().copied().find(|other| id_of(other) == Some(id));
        let truth = &self.truths[entity as usize];
        let mut promised = truth.promised(base, coming, self.now, self.tight);
        // one that was replaced stores nothing any more, and its successor may have deleted what it was to recover ids from
        let revoked = sent.life.is_some_and(|life| self.lives[life as usize].revoked);
        let stored = promised.find(|known| known.id == id && !revoked).map(|known| known.nr);
        drop(promised);
        if let Some(first) = under_way.or(stored) {
            self.wrong(format!("{nr}: handled again, {first} had its id {id}"));
        } else if self.meets_other_of_its_hash(nr) {
            self.coverage.saw(Seen::HashCollision);
        }
    }
}
