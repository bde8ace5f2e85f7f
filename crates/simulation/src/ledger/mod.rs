//! The checker: it follows every command and everything stored, and holds the promises after every step.
//!
//! It trusts no part: what the journal holds it learns from the journal, what a command saw from its handler, and the
//! rest it works out by itself.

mod actions;
mod answers;
mod bounds;
mod denials;
mod handled;
mod holdings;
mod lives;
mod mind;
mod retries;
mod sent;
mod stored;
mod taken;
mod truth;
mod writes;

pub(crate) use sent::{End, Sent};
pub(crate) use truth::{Remembered, Truth};

use super::{Coverage, Note, Scene, Seen, command_id, journal::Stored};
use actum_host::Moment;
use actum_model::{CommandId, Lane, Timestamp};
use lives::LifeOf;
use mind::{Mind, Pending};
use std::{collections::BTreeMap, time::Duration};
use writes::SentState;

/// A turn with less room than this, in bytes, may refuse commands for want of it.
pub(crate) const NARROW: usize = 64;

pub(crate) struct Ledger {
    pub(crate) sent: Vec<Sent>,
    /// By entity.
    pub(crate) truths: Vec<Truth>,
    pub(crate) coverage: Coverage,
    /// What was found wrong.
    pub(crate) violations: Vec<String>,
    lives: Vec<LifeOf>,
    /// By life and entity: writes of durable states on their way.
    sent_states: BTreeMap<(u32, u32), Vec<SentState>>,
    /// The partition that is failing: its life, and its entities.
    failing: Option<(u32, Vec<u32>)>,
    /// By life and entity.
    minds: BTreeMap<(u32, u32), Mind>,
    /// Commands that are not answered; those answered in this step are still among them.
    open: Vec<u32>,
    /// By entity: how many commands may wait.
    commands_max: Vec<usize>,
    /// By entity: how many changes do not wait for more, and how long they wait at most.
    patience: Vec<(usize, Duration)>,
    /// By entity.
    idle_timeouts: Vec<Option<Duration>>,
    /// By entity.
    lanes: Vec<Lane>,
    /// By entity: how many commands a snapshot lists.
    marks_max: Vec<usize>,
    /// By entity.
    hash_id: Vec<fn(&CommandId) -> u64>,
    /// Whether ids are forgotten for want of memory.
    tight: bool,
    /// Counts the steps.
    step: u64,
    // of the turn that is being checked
    now: Moment,
    wall: Timestamp,
    room: usize,
    refuses: bool,
    pub(crate) turn_of: u32,
}

impl Ledger {
    pub(crate) fn new(scene: &Scene) -> Self {
        let truths = scene.entities.iter().enumerate().map(|(id, member)| {
            let traits = &scene.kinds[member.kind];
            Truth::new(id as u64, traits.by_state, traits.window)
        });
        let commands_max = scene.entities.iter().map(|e| scene.kinds[e.kind].commands_max);
        let patience = scene.entities.iter().map(|e| scene.kinds[e.kind].patience());
        Self {
            patience: patience.collect(),
            sent: Vec::new(),
            truths: truths.collect(),
            coverage: Coverage::default(),
            violations: Vec::new(),
            lives: Vec::new(),
            sent_states: BTreeMap::new(),
            failing: None,
            minds: BTreeMap::new(),
            open: Vec::new(),
            commands_max: commands_max.collect(),
            idle_timeouts: scene
                .entities
                .iter()
                .map(|e| scene.kinds[e.kind].idle_timeout)
                .collect(),
            lanes: scene.entities.iter().map(|member| member.lane).collect(),
            marks_max: scene
                .entities
                .iter()
                .map(|e| scene.kinds[e.kind].snapshot_marks_max)
                .collect(),
            hash_id: scene.entities.iter().map(|e| scene.kinds[e.kind].hash_id).collect(),
            tight: scene.ids_bytes_max < usize::MAX,
            step: 0,
            now: Moment::default(),
            wall: Timestamp::default(),
            room: 0,
            refuses: false,
            turn_of: 0,
        }
    }

    /// Checks everything that happened in a step.
    pub(crate) fn look(&mut self, notes: &mut Vec<Note>, stored: &mut Vec<Stored>) {
        self.step += 1;
        stored.drain(..).for_each(|stored| self.stored(stored));
        if notes.is_empty() {
            return self.forget_failed();
        }
        notes.drain(..).for_each(|note| self.note(note));
        self.forget_failed();
        self.check_actions();
        self.check_bounds();
        let sent = &self.sent;
        self.open.retain(|nr| sent[*nr as usize].end.is_none());
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Turn { life, now, wall, room, refuses } => {
                (self.turn_of, self.now, self.wall) = (life, now, wall);
                (self.room, self.refuses) = (room, refuses);
            }
            Note::Passed { now } => self.now = now,
            Note::Reached { nr } => self.reached(nr),
            Note::Handled { nr, at, seen } => self.handled(nr, at, seen),
            Note::Concluded { nr, digest } => self.concluded(nr, digest),
            Note::Refused { nr } => self.handler_refused(nr),
            Note::Replayed { nr, reply } => self.replayed(nr, reply),
            Note::Settled { nr, answer } => self.settled(nr, &answer.0, answer.1),
            Note::EndedEarly { nr, failure } => self.ended_early(nr, &failure),
            Note::Released { nr } => self.released(nr),
            Note::Acted { nr } => self.acted(nr),
            Note::Dropped { nr } => self.dropped(nr),
            Note::Misused { nr, how } => self.wrong(format!("{nr}: {how}")),
            Note::Came { life, entity } => self.mind(life, entity).forget(),
            Note::Recovers { life, entity } => self.mind(life, entity).runs = false,
            Note::Recovered { life, entity, at } => self.recovered(life, entity, at),
            Note::Left { life, entity, reason } => {
                self.left(life, entity, reason);
                self.mind(life, entity).runs = false;
            }
            Note::Committed { life, entity, result: Ok(position) } => {
                self.committed(life, entity, position);
            }
            Note::Committed { life, entity, result: Err(failure) } => {
                self.failed(life, entity, &failure);
            }
            Note::Unread { life, entity, failure } => {
                let step = self.step;
                self.mind(life, entity).troubles.note(&failure, step);
                self.coverage.saw(Seen::ReadFailed);
            }
            Note::Sent { life, entity, expected, last } => {
                self.sent_off(life, entity, expected, last);
            }
            Note::Taken { life, entity, snapshot } => self.taken(life, entity, &snapshot),
            Note::Saw(seen) => self.coverage.saw(seen),
        }
    }

    fn id_hash(&self, entity: u32, id: u32) -> u64 {
        (self.hash_id[entity as usize])(&command_id(id))
    }

    fn wrong(&mut self, what: String) {
        self.violations.push(what);
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
