use super::Ledger;
use crate::simulation::{Flaw, Seen};
use actum_host::Failure;
use actum_model::Position;

impl Ledger {
    /// The commands in a write of an entity, and the digests after them.
    pub(crate) fn held(&self, life: u32, entity: u32, expected: u64, last: u64) -> Vec<(u32, u64)> {
        let Some(mind) = self.minds.get(&(life, entity)) else { return Vec::new() };
        let inside = mind.pending.iter().filter(|it| expected < it.at && it.at <= last);
        inside.map(|it| (it.nr, it.digest)).collect()
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
        commands.dedup();
        if commands.len() > 1 {
            self.coverage.saw(Seen::SeveralCommandsInWrite);
        }
        for nr in commands {
            self.sent[nr as usize].sent_off = true;
        }
    }

    /// A cell is told that its write is stored: it is.
    pub(super) fn committed(&mut self, life: u32, entity: u32, position: Option<Position>) {
        let Some((_, last)) = self.mind(life, entity).under_way.take() else {
            return self.wrong(format!("entity {entity}: told twice of one write"));
        };
        let truth = &self.truths[entity as usize];
        let at = truth.positions.get(last as usize).copied();
        let digest = truth.digests.get(last as usize).copied();
        let expected = if truth.by_state { None } else { at.map(Position::new) };
        let mind = self.mind(life, entity);
        let decided = mind.pending.iter().find(|it| it.at == last).map(|it| it.digest);
        mind.pending.retain(|pending| pending.at > last);
        mind.durable = last;
        if at.is_none() || digest != decided || position != expected {
            self.wrong(format!("entity {entity}: told that {last} is stored at {position:?}"));
        }
    }

    /// A cell is told that its write failed. Unless the outcome is unknown nothing of it is stored, and nothing will be.
    pub(super) fn failed(&mut self, life: u32, entity: u32, failure: &Failure) {
        let step = self.step;
        self.coverage.saw(Seen::StoppedByFailure);
        let Some((expected, last)) = self.mind(life, entity).under_way else {
            return self.wrong(format!("entity {entity}: told of a write it did not send"));
        };
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

    pub(super) fn left(&mut self, life: u32, entity: u32) {
        let mind = self.mind(life, entity);
        if mind.under_way.is_some() || !mind.pending.is_empty() {
            self.wrong(format!("entity {entity} left memory with changes on their way"));
        }
        self.mind(life, entity).forget();
        self.coverage.saw(Seen::LeftMemory);
    }

    pub(super) fn abandoned(&mut self, life: u32, entity: u32) {
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
