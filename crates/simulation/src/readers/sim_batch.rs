//! What a task does about a batch: its events are handled, and kept with the progress over them, or not.

use super::{Commit, Committed, ReadSide, ReaderFlaw, SimTask, sim_task::Doing};
use crate::{
    Seen,
    journal::{EventAtNr, Journal, number_of},
};
use actum_persistence::store::JournalEvent;
use actum_reader::segment::{Batch, BatchOutcome, FailedBy};

impl SimTask {
    /// Handles a batch in a transaction that is not committed yet.
    pub(super) fn handle_exact(&mut self, batch: Batch, done: usize, side: &mut ReadSide) {
        let all = batch.events.len();
        if side.dice.chance(side.faults.away) {
            side.saw(Seen::TargetAway);
            let error = "the target is away".into();
            return self.ended(&batch, BatchOutcome::Unavailable { handled: done, error }, side);
        }
        let upto =
            if side.dice.chance(700) { all } else { side.dice.between(1, all as u64) as usize };
        for (at, event) in batch.events[..upto].iter().enumerate() {
            if let Some(cause) = fault_of(event, side) {
                let is_late = cause == FailedBy::Handler && side.dice.chance(200);
                let outcome = failed(at, cause, is_late);
                if at == 0 || (is_late && all == 1) {
                    side.ledger.tried(at_nr(event));
                }
                return self.ended(&batch, outcome, side);
            }
        }
        self.doing = Doing::Committing { batch, handled: upto };
    }

    /// Calls the consumer with some of a batch.
    pub(super) fn handle_some(&mut self, batch: Batch, done: usize, side: &mut ReadSide) {
        let all = batch.events.len();
        if side.dice.chance(side.faults.away) {
            side.saw(Seen::TargetAway);
            let error = "the consumer is away".into();
            return self.ended(&batch, BatchOutcome::Unavailable { handled: done, error }, side);
        }
        let upto = done + side.dice.between(1, (all - done) as u64) as usize;
        for (at, event) in batch.events[..upto].iter().enumerate().skip(done) {
            if let Some(cause) = fault_of(event, side) {
                side.ledger.tried(at_nr(event));
                return self.ended(&batch, failed(at, cause, false), side);
            }
            if side.ledger.mark(at_nr(event)).was_seen {
                side.saw(Seen::Redelivered);
            }
            side.say(|| format!("reader delivers {:?}", at_nr(event)));
            side.ledger.handled(at_nr(event), self.segment, self.epoch);
        }
        let is_in_time = upto < all && side.dice.chance(800);
        self.doing = match is_in_time {
            true => Doing::Handling { batch, done: upto },
            false => Doing::Committing { batch, handled: upto },
        };
    }

    pub(super) fn commit(
        &mut self,
        batch: &Batch,
        handled: usize,
        side: &mut ReadSide,
        journal: &Journal,
    ) {
        let outcome = match side.commit(self.commit_of(batch, handled, side), journal) {
            Committed::Kept => BatchOutcome::Saved { handled },
            Committed::Stale => {
                side.saw(Seen::BatchRefused);
                BatchOutcome::Stale
            }
            Committed::Away => BatchOutcome::Unavailable { handled, error: "away".into() },
            Committed::Unknown => BatchOutcome::Unknown { error: "broken off".into() },
        };
        self.ended(batch, outcome, side);
    }

    /// What is kept when the first `handled` were handled.
    pub(super) fn commit_of(&self, batch: &Batch, handled: usize, side: &ReadSide) -> Commit {
        let saved = match side.scene.flaw {
            ReaderFlaw::OffsetAhead => batch.events.len(),
            _ => handled,
        };
        let mut save = batch.save(saved, side.wall());
        if side.scene.flaw == ReaderFlaw::ReplayCutOff {
            save.replayed.iter_mut().for_each(|replayed| replayed.from = None);
        }
        let is_exact = side.scene.rules.is_exact;
        let rows = batch.events[..handled].iter().filter(|_| is_exact).map(at_nr).collect();
        Commit { save, rows, life: self.life }
    }

    fn ended(&mut self, batch: &Batch, outcome: BatchOutcome, side: &mut ReadSide) {
        side.say(|| {
            format!(
                "reader {}: {} events of {}: {outcome:?}",
                self.life,
                batch.events.len(),
                self.segment
            )
        });
        if matches!(outcome, BatchOutcome::Failed { .. } | BatchOutcome::FailedSomewhere { .. }) {
            side.saw(Seen::HandlerFailed);
        }
        let around = side.around(self.ahead);
        self.machine.ended(batch, outcome, around);
    }
}

fn at_nr(event: &JournalEvent) -> EventAtNr {
    EventAtNr { entity: number_of(&event.entity), nr: event.event.sequence_nr.get() }
}

/// Why an event cannot be handled, if it cannot.
fn fault_of(event: &JournalEvent, side: &mut ReadSide) -> Option<FailedBy> {
    if side.dice.chance(side.faults.fails_once) {
        return Some(FailedBy::Handler);
    }
    side.poison.of(at_nr(event), side.faults.poison, &mut side.dice)
}

fn failed(at: usize, cause: FailedBy, is_late: bool) -> BatchOutcome {
    let error = "the simulation says so".into();
    match is_late {
        true => BatchOutcome::FailedSomewhere { error },
        false => BatchOutcome::Failed { at, error, cause },
    }
}
