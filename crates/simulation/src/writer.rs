use super::{
    Coverage, Dice, Faults, Ledger, Seen,
    journal::{Batch, HeldBy, Journal, Written},
};
use actum_host::cell::Ticket;
use actum_model::Lane;
use actum_persistence::{
    group_commit::{CommitError, GroupCommit, GroupCommitSettings, Settled, Step, WriterScope},
    store::{Incarnation, Resolution, StoreError},
};

/// The real group commit of a lane, and the one transaction it has under way.
pub(crate) struct Writer<W: Written> {
    machine: GroupCommit<W, Ticket>,
    lane: Lane,
    incarnation: Incarnation,
    attempts_max: u32,
    under_way: Option<UnderWay<W>>,
    unsettled: Vec<Ticket>,
}

enum UnderWay<W: Written> {
    /// On its way to the store.
    Sent(Batch<W>),
    /// The store is through with it; its answer is on its way back.
    Done(Batch<W>, Result<Vec<W::Outcome>, StoreError>),
    /// The store is asked for its outcome.
    Asking(Batch<W>, u32),
}

/// What the ledger knows of one life of the engine.
pub(crate) struct LifeInLedger<'a> {
    pub(crate) life: u32,
    pub(crate) ledger: &'a Ledger,
}

impl HeldBy for LifeInLedger<'_> {
    fn held(&self, entity: u32, span: (u64, u64), digest: Option<u64>) -> Vec<(u32, u64)> {
        self.ledger.held_by_write(self.life, entity, span, digest)
    }
}

/// What a writer's step may look at.
pub(crate) struct Store<'a> {
    pub(crate) journal: &'a mut Journal,
    pub(crate) dice: &'a mut Dice,
    pub(crate) faults: &'a Faults,
    pub(crate) coverage: &'a mut Coverage,
}

impl<W: Written> Writer<W> {
    pub(crate) fn new(lane: Lane, by: Incarnation, settings: &GroupCommitSettings) -> Self {
        let machine = GroupCommit::new(WriterScope::Lane(lane), settings);
        let attempts_max = settings.resolve_attempts_max;
        Self { machine, lane, incarnation: by, attempts_max, under_way: None, unsettled: vec![] }
    }

    pub(crate) fn submit(&mut self, write: W, ticket: Ticket) {
        self.unsettled.push(ticket);
        self.machine.submit(write, ticket);
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.under_way.is_none() && self.machine.pending().events == 0
    }

    /// Takes the transaction a step further. `held` says what a write holds. What was settled comes back, and whether
    /// the writer learned that it was revoked.
    pub(crate) fn step(
        &mut self,
        store: &mut Store<'_>,
        held: &dyn HeldBy,
    ) -> (Vec<Settled<Ticket>>, bool) {
        let mut fenced = false;
        // what came while the store is away waits for nothing
        let refused = self.machine.refuse_waiting();
        if !refused.is_empty() {
            store.coverage.saw(Seen::RefusedWhileAway);
            self.check_off(&refused, store.journal);
            return (refused, fenced);
        }
        let settled = match self.under_way.take() {
            None => {
                self.under_way = self.depart(store.coverage, held);
                Vec::new()
            }
            Some(UnderWay::Sent(batch)) => {
                let result = carry_out(&batch, store);
                self.under_way = Some(UnderWay::Done(batch, result));
                Vec::new()
            }
            Some(UnderWay::Done(batch, result)) => {
                fenced = matches!(result, Err(StoreError::Fenced { .. }));
                if matches!(result, Err(StoreError::Invalid { .. })) && batch.writes.len() > 1 {
                    store.coverage.saw(Seen::BatchHalved);
                }
                self.machine.finished(batch.writes, result)
            }
            Some(UnderWay::Asking(batch, attempt)) => {
                let result = self.resolve(&batch, attempt, store);
                let is_last = attempt >= self.attempts_max;
                let unknown = unknown_of(&result, batch.writes.len(), is_last, store.coverage);
                let (count, found_out) = (batch.writes.len(), result.is_ok());
                let settled = self.machine.resolved(batch.writes, result);
                if !is_last && !found_out {
                    self.check_refused(&settled, count, store);
                }
                check_unknown(&settled, &unknown, store.journal);
                settled
            }
        };
        self.check_off(&settled, store.journal);
        (settled, fenced)
    }

    /// When the outcome of a batch is not found out, all writes that wait are refused, and none of the batch is settled.
    fn check_refused(&self, settled: &[Settled<Ticket>], batch: usize, store: &mut Store<'_>) {
        if !settled.is_empty() {
            store.coverage.saw(Seen::RefusedBehindUnknown);
        }
        if self.unsettled.len() != batch + settled.len() {
            let (all, settled) = (self.unsettled.len(), settled.len());
            let what =
                format!("{settled} of {all} writes are refused behind a batch of {batch} writes");
            store.journal.misuses.push(what);
        }
    }

    /// Every write is settled once.
    fn check_off(&mut self, settled: &[Settled<Ticket>], journal: &mut Journal) {
        for Settled { ticket, .. } in settled {
            match self.unsettled.iter().position(|other| other == ticket) {
                Some(at) => drop(self.unsettled.swap_remove(at)),
                None => journal.misuses.push(format!("{ticket:?} is settled and was not sent")),
            }
        }
    }

    fn depart(&mut self, coverage: &mut Coverage, held: &dyn HeldBy) -> Option<UnderWay<W>> {
        let (incarnation, lane) = (self.incarnation, self.lane);
        Some(match self.machine.next_step()? {
            Step::Write(writes) => {
                if writes.len() > 1 {
                    coverage.saw(Seen::BatchOfMany);
                }
                let changes = writes.iter().map(|write| write.held(held)).collect();
                UnderWay::Sent(Batch { incarnation, lane, writes, changes })
            }
            Step::Resolve { writes, attempt } => {
                UnderWay::Asking(Batch { incarnation, lane, writes, changes: vec![] }, attempt)
            }
        })
    }

    fn resolve(
        &self,
        batch: &Batch<W>,
        attempt: u32,
        store: &mut Store<'_>,
    ) -> Result<Vec<Resolution<W::Outcome>>, StoreError> {
        let result = if store.dice.chance(store.faults.resolve_fails) {
            Err(StoreError::unavailable("resolving a batch", "the simulation says so"))
        } else {
            Ok(W::resolve(store.journal, batch, store.dice))
        };
        if result.is_err() {
            store.coverage.saw(Seen::ResolveFailed);
            if attempt >= self.attempts_max {
                store.coverage.saw(Seen::ResolveGivenUp);
            }
        }
        result
    }

    /// The writer stops in order: what is left is settled, though the transaction may still end either way.
    pub(crate) fn stop(&mut self, journal: &mut Journal, dice: &mut Dice) -> Vec<Settled<Ticket>> {
        self.die(journal, dice);
        let settled = self.machine.abandon();
        self.check_off(&settled, journal);
        if let Some(ticket) = self.unsettled.first() {
            journal.misuses.push(format!("{ticket:?} is not settled"));
        }
        settled
    }

    /// The writer is gone, and nothing waits for its transaction: it commits, or not, or later.
    pub(crate) fn die(&mut self, journal: &mut Journal, dice: &mut Dice) {
        let Some(UnderWay::Sent(batch)) = self.under_way.take() else { return };
        match dice.below(3) {
            0 => {}
            1 => drop(W::execute(journal, &batch)),
            _ => W::late(journal).push(batch),
        }
    }
}

/// Which writes of a batch are to be settled as unknown: those that left no trace, or all when the last attempt failed.
fn unknown_of<O>(
    result: &Result<Vec<Resolution<O>>, StoreError>,
    count: usize,
    is_last: bool,
    coverage: &mut Coverage,
) -> Vec<bool> {
    let Ok(found) = result else { return vec![is_last; count] };
    let is_lost = |found: &Resolution<O>| matches!(found, Resolution::Untraceable { .. });
    let lost: Vec<bool> = found.iter().map(is_lost).collect();
    if lost.contains(&true) {
        coverage.saw(Seen::Untraceable);
    }
    lost
}

/// Those writes of a batch are settled as unknown, and no others: not those that waited behind it either.
fn check_unknown(settled: &[Settled<Ticket>], unknown: &[bool], journal: &mut Journal) {
    let reported: Vec<bool> = settled.iter().map(is_unknown).collect();
    let right =
        if unknown.contains(&true) { reported == unknown } else { !reported.contains(&true) };
    if !right {
        let what = format!("{reported:?} are settled as unknown, instead of {unknown:?}");
        journal.misuses.push(what);
    }
}

fn is_unknown(settled: &Settled<Ticket>) -> bool {
    matches!(&settled.result, Err(CommitError::Store(error)) if error.maybe_written())
}

/// Carries a batch out, or not, and says so, or not.
fn carry_out<W: Written>(
    batch: &Batch<W>,
    store: &mut Store<'_>,
) -> Result<Vec<W::Outcome>, StoreError> {
    let Store { journal, dice, faults, coverage } = store;
    if dice.chance(faults.append_fails) {
        coverage.saw(Seen::AppendFailed);
        return Err(StoreError::unavailable("appending", "the simulation says so"));
    }
    if !dice.chance(faults.append_unknown) {
        let result = W::execute(journal, batch);
        if matches!(result, Err(StoreError::Fenced { .. })) {
            coverage.saw(Seen::Fenced);
        }
        return result;
    }
    if dice.chance(faults.late_commit) {
        coverage.saw(Seen::AppendLate);
        W::late(journal).push(batch.clone());
    } else if dice.chance(500) {
        coverage.saw(Seen::AppendUnknownButDone);
        drop(W::execute(journal, batch));
    } else {
        coverage.saw(Seen::AppendUnknownAndNot);
    }
    Err(StoreError::outcome_unknown("appending", "the simulation says so"))
}
