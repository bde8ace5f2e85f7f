use super::Ledger;
use crate::{Flaw, Seen, Wish};
use actum_host::{Failure, LeaveReason};
use actum_model::Position;

/// A write of a durable state on its way: behind which revision, up to which, and the commands in it with the digests
/// after them.
#[derive(Debug)]
pub(super) struct SentState {
    expected: u64,
    last: u64,
    held: Vec<(u32, u64)>,
}

impl Ledger {
    /// The commands in a write of an entity, and the digests after them.
    pub(crate) fn held(&self, life: u32, entity: u32, expected: u64, last: u64) -> Vec<(u32, u64)> {
        let Some(mind) = self.minds.get(&(life, entity)) else { return Vec::new() };
        let inside = mind.pending.iter().filter(|it| expected < it.at && it.at <= last);
        inside.map(|it| (it.nr, it.digest)).collect()
    }

    /// What a write of a durable state holds that is on its way, whatever its entity believes by now.
    pub(crate) fn held_by_write(
        &self,
        life: u32,
        entity: u32,
        (expected, last): (u64, u64),
        digest: Option<u64>,
    ) -> Vec<(u32, u64)> {
        let sent = self.sent_states.get(&(life, entity)).into_iter().flatten();
        let mut fitting = sent.rev().filter(|it| (it.expected, it.last) == (expected, last));
        let after = |held: &[(u32, u64)]| held.last().map(|(_, digest)| *digest);
        let same = fitting.find(|it| digest.is_none() || digest == after(&it.held));
        same.map_or(Vec::new(), |it| it.held.clone())
    }

    /// Whether a deletion of one of these entities is on its way.
    pub(crate) fn deletes(&self, life: u32, entities: &[u32]) -> bool {
        let sent = self.sent_states.iter().filter(|((of, _), _)| *of == life);
        let held = sent.filter(|((_, entity), _)| entities.contains(entity));
        let mut held = held.flat_map(|(_, sent)| sent).flat_map(|sent| &sent.held);
        held.any(|(nr, _)| self.sent[*nr as usize].order.plan.wish == Wish::Delete)
    }

    pub(super) fn sent_off(&mut self, life: u32, entity: u32, expected: u64, last: u64) {
        let mind = self.mind(life, entity);
        if let Some(other) = mind.under_way.replace((expected, last)) {
            self.wrong(format!("entity {entity}: two writes under way, {other:?}"));
        }
        let held = self.held(life, entity, expected, last);
        if held.len() as u64 != last - expected {
            self.wrong(format!("entity {entity}: sends {expected} to {last}, decided {held:?}"));
        }
        let mut commands: Vec<u32> = held.iter().map(|(nr, _)| *nr).collect();
        if self.truths[entity as usize].by_state {
            let sent = self.sent_states.entry((life, entity)).or_default();
            sent.push(SentState { expected, last, held });
        }
        commands.dedup();
        if commands.len() > 1 {
            self.coverage.saw(Seen::SeveralCommandsInWrite);
        }
        for nr in commands {
            self.sent[nr as usize].sent_off = true;
        }
    }

    /// A cell is notified that its write is stored: it is.
    pub(super) fn committed(&mut self, life: u32, entity: u32, position: Option<Position>) {
        let Some((_, last)) = self.mind(life, entity).under_way.take() else {
            return self.wrong(format!("entity {entity}: notified twice of one write"));
        };
        self.sent_states.remove(&(life, entity));
        let truth = &self.truths[entity as usize];
        let at = truth.positions.get(last as usize).copied();
        let digest = truth.digests.get(last as usize).copied();
        let expected = if truth.by_state { None } else { at.map(Position::new) };
        let mind = self.mind(life, entity);
        let decided = mind.pending.iter().find(|it| it.at == last).map(|it| it.digest);
        mind.pending.retain(|pending| pending.at > last);
        mind.durable = last;
        if at.is_none() || digest != decided || position != expected {
            self.wrong(format!("entity {entity}: notified that {last} is stored at {position:?}"));
        }
    }

    /// A cell is notified that its write failed. Unless the outcome is unknown nothing of it is stored, and nothing will be.
    pub(super) fn failed(&mut self, life: u32, entity: u32, failure: &Failure) {
        let step = self.step;
        self.coverage.saw(Seen::StoppedByFailure);
        let Some((expected, last)) = self.mind(life, entity).under_way else {
            return self.wrong(format!("entity {entity}: notified of a write it did not send"));
        };
        self.sent_states.remove(&(life, entity));
        let held = self.held(life, entity, expected, last);
        let commands: Vec<u32> = self.mind(life, entity).commands().collect();
        let inside: Vec<u32> = held.iter().map(|(nr, _)| *nr).collect();
        let unknown = matches!(failure, Failure::OutcomeUnknown { .. });
        for nr in commands {
            // what was decided behind it is never sent, whatever its outcome
            if !(unknown && inside.contains(&nr)) {
                self.deny(nr);
            }
        }
        let explained = match failure {
            Failure::Conflict { .. } => self.truths[entity as usize].head() > expected,
            Failure::Invalid { .. } => {
                let flaw = |(nr, _): &(u32, u64)| self.sent[*nr as usize].order.plan.flaw;
                held.iter().any(|it| flaw(it) == Flaw::StoreRefuses)
            }
            Failure::Unavailable { .. } | Failure::OutcomeUnknown { .. } => true,
            _ => false,
        };
        if !explained {
            self.wrong(format!("entity {entity}: its write failed without a reason: {failure}"));
        }
        if unknown {
            inside.iter().for_each(|nr| self.sent[*nr as usize].is_unknown = true);
            self.mind(life, entity).unknown = (step, inside);
        }
        let mind = self.mind(life, entity);
        mind.forget();
        mind.troubles.note(failure, step);
    }

    pub(super) fn left(&mut self, life: u32, entity: u32, reason: LeaveReason) {
        if reason == LeaveReason::Abandoned {
            return self.abandoned(life, entity);
        }
        let (now, idle_timeout) = (self.now, self.idle_timeouts[entity as usize]);
        let mind = self.mind(life, entity);
        let is_early = idle_timeout.is_none_or(|timeout| mind.used.after(timeout) > now);
        if reason == LeaveReason::Idle && is_early {
            self.wrong(format!("entity {entity} left memory before its idle time"));
        }
        let mind = self.mind(life, entity);
        if mind.under_way.is_some() || !mind.pending.is_empty() {
            self.wrong(format!("entity {entity} left memory with changes on their way"));
        }
        self.mind(life, entity).forget();
        self.coverage.saw(Seen::LeftMemory);
    }

    fn abandoned(&mut self, life: u32, entity: u32) {
        let step = self.step;
        let (expected, last) = self.mind(life, entity).under_way.unwrap_or_default();
        let held = self.held(life, entity, expected, last);
        let commands: Vec<u32> = self.mind(life, entity).commands().collect();
        let inside: Vec<u32> = held.iter().map(|(nr, _)| *nr).collect();
        for nr in commands.into_iter().filter(|nr| !inside.contains(nr)) {
            self.deny(nr);
        }
        let mind = self.mind(life, entity);
        mind.unknown = (step, inside);
        mind.forget();
        mind.troubles.note(&Failure::outcome_unknown("abandoned"), step);
    }
}
