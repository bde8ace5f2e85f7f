//! The checker: it follows every command and everything stored, and holds the promises after every step.
//!
//! It believes nobody: what the journal holds it learns from the journal, what a command saw from its handler, and the
//! rest it works out by itself.

mod answers;
mod mind;
mod sent;
mod stored;
mod taken;
mod truth;

pub(crate) use sent::{End, Sent};
pub(crate) use truth::{Remembered, Truth};

use super::{Coverage, Note, Order, Scene, Seen, journal::Stored};
use crate::cell::Moment;
use actum_model::Timestamp;
use mind::{Mind, Pending};
use std::collections::BTreeMap;

pub(crate) struct Ledger {
    pub(crate) sent: Vec<Sent>,
    /// By entity.
    pub(crate) truths: Vec<Truth>,
    pub(crate) coverage: Coverage,
    /// What was found wrong.
    pub(crate) violations: Vec<String>,
    lives: Vec<LifeOf>,
    /// By life and entity.
    minds: BTreeMap<(u32, u32), Mind>,
    /// Commands that are not answered.
    pub(crate) open: Vec<u32>,
    commands_max: Vec<usize>,
    // of the turn that is being looked at
    now: Moment,
    wall: Timestamp,
    room: usize,
    turn_of: u32,
}

/// What is known of one life of the process.
#[derive(Clone, Copy, Debug, Default)]
struct LifeOf {
    revoked: bool,
    crashed: bool,
    /// It refuses commands.
    stopping: bool,
}

impl Ledger {
    pub(crate) fn new(scene: &Scene) -> Self {
        let truths = scene.entities.iter().enumerate().map(|(id, member)| {
            let traits = &scene.kinds[member.kind];
            Truth::new(id as u64, traits.by_state, traits.window)
        });
        let commands_max = scene.entities.iter().map(|e| scene.kinds[e.kind].commands_max);
        Self {
            sent: Vec::new(),
            truths: truths.collect(),
            coverage: Coverage::default(),
            violations: Vec::new(),
            lives: Vec::new(),
            minds: BTreeMap::new(),
            open: Vec::new(),
            commands_max: commands_max.collect(),
            now: Moment::default(),
            wall: Timestamp::default(),
            room: 0,
            turn_of: 0,
        }
    }

    /// A process begins to live.
    pub(crate) fn born(&mut self) -> u32 {
        self.lives.push(LifeOf::default());
        self.lives.len() as u32 - 1
    }

    /// A process was shut out of the journal.
    pub(crate) fn revoked(&mut self, life: u32) {
        self.lives[life as usize].revoked = true;
    }

    /// A process refuses commands.
    pub(crate) fn stopping(&mut self, life: u32) {
        self.lives[life as usize].stopping = true;
    }

    /// A process died: nobody will hear of its commands.
    pub(crate) fn crashed(&mut self, life: u32) {
        self.lives[life as usize].crashed = true;
        let open = std::mem::take(&mut self.open);
        for nr in open {
            let sent = &mut self.sent[nr as usize];
            if sent.life == Some(life) {
                sent.end = Some(End::Lost);
                self.coverage.saw(Seen::LostInCrash);
            } else {
                self.open.push(nr);
            }
        }
        self.minds.retain(|(of, _), _| *of != life);
    }

    /// A command is sent.
    pub(crate) fn sent(&mut self, order: Order, life: u32) {
        debug_assert_eq!(order.nr as usize, self.sent.len(), "commands are numbered as they are sent");
        self.open.push(order.nr);
        let acknowledged = self.truths[order.entity as usize].acknowledged;
        self.sent.push(Sent::new(order, Some(life), acknowledged));
    }

    /// A foreigner writes.
    pub(crate) fn foreign(&mut self, order: Order) {
        self.sent.push(Sent::new(order, None, 0));
    }

    /// The commands in a write of a durable state, and the digests after them.
    pub(crate) fn held(&self, life: u32, entity: u32, expected: u64, last: u64) -> Vec<(u32, u64)> {
        let Some(mind) = self.minds.get(&(life, entity)) else { return Vec::new() };
        let inside = mind.pending.iter().filter(|it| expected < it.at && it.at <= last);
        inside.map(|it| (it.nr, it.digest)).collect()
    }

    /// Looks at everything that happened in a step.
    pub(crate) fn look(&mut self, notes: &mut Vec<Note>, stored: &mut Vec<Stored>) {
        stored.drain(..).for_each(|stored| self.stored(stored));
        notes.drain(..).for_each(|note| self.note(note));
        self.check_actions();
    }

    /// Nobody waits longer than to the sweep after the deadline.
    pub(crate) fn check_deadlines(&mut self, now: Moment) {
        let late = self.open.iter().find(|nr| self.sent[**nr as usize].order.deadline <= now);
        if let Some(nr) = late {
            let order = &self.sent[*nr as usize].order;
            self.violations.push(format!("not answered in time: {order:?}"));
        }
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Turn { life, now, wall, room } => {
                (self.turn_of, self.now, self.wall, self.room) = (life, now, wall, room);
            }
            Note::Handled { nr, at, seen } => self.handled(nr, at, seen),
            Note::Concluded { nr, digest } => self.concluded(nr, digest),
            Note::Refused { nr, .. } => self.mind_of(nr).forget_command(nr),
            Note::Replayed { nr, reply } => {
                self.sent[nr as usize].replays = Some(reply.nr);
            }
            Note::Settled { nr, answer, verdict } => self.settled(nr, &answer, verdict),
            Note::Acted { nr } => self.acted(nr),
            Note::Dropped { nr } => self.dropped(nr),
            Note::Misused { nr, how } => self.violations.push(format!("{nr}: {how}")),
            Note::Came { life, entity } => self.mind(life, entity).forget(),
            Note::Left { life, entity } => self.left(life, entity),
            Note::Committed { life, entity, failure } => match failure {
                None => self.committed(life, entity),
                Some(failure) => {
                    let mind = self.mind(life, entity);
                    mind.forget();
                    mind.troubles.note(&failure);
                    self.coverage.saw(Seen::StoppedByFailure);
                }
            },
            Note::Unread { life, entity, failure } => {
                self.mind(life, entity).troubles.note(&failure);
                self.coverage.saw(Seen::ReadFailed);
            }
            Note::Sent { life, entity, expected, last, .. } => {
                self.sent_off(life, entity, expected, last);
            }
            Note::Taken { life, entity, snapshot } => self.taken(life, entity, &snapshot),
            Note::Abandoned { life, entity } => {
                let mind = self.mind(life, entity);
                mind.forget();
                (mind.troubles.unavailable, mind.troubles.unknown) = (true, true);
            }
        }
    }

    /// The state a handler sees is what the journal holds, or that and what its own cell has done since.
    fn handled(&mut self, nr: u32, at: u64, seen: u64) {
        let wall = self.wall;
        let sent = &mut self.sent[nr as usize];
        (sent.saw, sent.wall) = (Some((at, seen)), wall);
        let (entity, revision) = (sent.order.entity, sent.order.expected_revision);
        let acknowledged = sent.acknowledged_before;
        let life = sent.life.expect("only an engine's commands are handled");
        if revision.is_some_and(|revision| revision != at) {
            self.violations.push(format!("{nr}: expected revision {revision:?}, handled at {at}"));
        }
        if at < acknowledged && !self.lives[life as usize].revoked {
            self.violations.push(format!("{nr}: saw {at}, after {acknowledged} was acknowledged"));
        }
        let stored = self.truths[entity as usize].shows(at, seen);
        let mind = self.mind(life, entity);
        if mind.pending.is_empty() {
            mind.durable = mind.durable.max(at);
        }
        let pending = mind.pending.last().is_some_and(|last| (last.at, last.digest) == (at, seen));
        if !pending && !(stored && mind.pending.is_empty()) {
            self.violations.push(format!("{nr}: saw a state at {at} that is neither stored nor pending"));
        }
    }

    /// The reply is computed from the state after the command's own changes.
    fn concluded(&mut self, nr: u32, digest: u64) {
        let sent = &mut self.sent[nr as usize];
        sent.concluded = Some(digest);
        let (entity, acts) = (sent.order.entity, sent.order.plan.acts);
        let truth = &self.truths[entity as usize];
        let sent = &self.sent[nr as usize];
        let changes = sent.changes(truth.id, truth.by_state);
        let (at, seen) = sent.saw.expect("a command is handled before it concludes");
        if *changes.last().unwrap_or(&seen) != digest {
            self.violations.push(format!("{nr}: concluded on another state than its own"));
        }
        let mind = self.mind_of(nr);
        let pending = (at + 1..).zip(&changes).map(|(at, digest)| Pending { at, nr, digest: *digest });
        mind.pending.extend(pending);
        if acts {
            mind.actions.push((at + changes.len() as u64, nr));
        }
    }

    fn sent_off(&mut self, life: u32, entity: u32, expected: u64, last: u64) {
        let mind = self.mind(life, entity);
        if let Some(other) = mind.under_way.replace((expected, last)) {
            self.violations.push(format!("entity {entity}: two writes under way, {other:?}"));
        }
        let mut commands: Vec<u32> =
            self.held(life, entity, expected, last).iter().map(|(nr, _)| *nr).collect();
        commands.dedup();
        if commands.len() > 1 {
            self.coverage.saw(Seen::SeveralCommandsInWrite);
        }
        for nr in commands {
            self.sent[nr as usize].sent_off = true;
        }
    }

    fn committed(&mut self, life: u32, entity: u32) {
        let mind = self.mind(life, entity);
        match mind.under_way.take() {
            Some((_, last)) => {
                mind.pending.retain(|pending| pending.at > last);
                mind.durable = last;
            }
            None => self.violations.push(format!("entity {entity}: told twice of one write")),
        }
    }

    fn left(&mut self, life: u32, entity: u32) {
        let mind = self.mind(life, entity);
        let mut seen = Seen::LeftIdle;
        if mind.under_way.is_some() || !mind.pending.is_empty() {
            seen = Seen::StoppedByFailure;
            self.violations.push(format!("entity {entity} left memory with writes under way"));
        }
        self.mind(life, entity).forget();
        self.coverage.saw(seen);
    }

    /// What runs after a commit runs once, and only then.
    fn acted(&mut self, nr: u32) {
        let sent = &self.sent[nr as usize];
        let (entity, ended) = (sent.order.entity, sent.end);
        let (placed, saw) = (sent.placed, sent.saw);
        let truth = &self.truths[entity as usize];
        let changes = !sent.changes(truth.id, truth.by_state).is_empty();
        let stored = saw.is_some_and(|(at, seen)| truth.shows(at, seen));
        let mind = self.mind_of(nr);
        let Some(at) = mind.actions.iter().position(|(_, other)| *other == nr) else {
            return self.violations.push(format!("{nr}: acted twice, or though it was not committed"));
        };
        mind.actions.remove(at);
        if !stored || (changes && placed.is_none()) {
            self.violations.push(format!("{nr}: acted before what it saw was stored"));
        }
        self.coverage.saw(Seen::ActedAfterCommit);
        if ended.is_some() {
            self.coverage.saw(Seen::ActedAfterTimeout);
        }
    }

    fn check_actions(&mut self) {
        let life = self.turn_of;
        for ((_, entity), mind) in self.minds.range((life, 0)..=(life, u32::MAX)) {
            if let Some((_, nr)) = mind.actions.iter().find(|(needs, _)| *needs <= mind.durable) {
                self.violations.push(format!("{nr} of entity {entity}: committed, and nothing ran"));
            }
        }
    }

    fn dropped(&mut self, nr: u32) {
        let life = self.sent[nr as usize].life.unwrap_or_default();
        if !self.lives[life as usize].crashed {
            self.violations.push(format!("{nr}: dropped without an answer"));
        }
    }

    fn mind(&mut self, life: u32, entity: u32) -> &mut Mind {
        self.minds.entry((life, entity)).or_default()
    }

    fn mind_of(&mut self, nr: u32) -> &mut Mind {
        let sent = &self.sent[nr as usize];
        let key = (sent.life.expect("only an engine's commands have a mind"), sent.order.entity);
        self.minds.entry(key).or_default()
    }
}
