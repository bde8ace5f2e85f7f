use super::{
    AfterCommit, Aggregate, CellName, Changes, GivenUp, Job, Model, Part, Retry, TakenSnapshot,
    Turn, Verdict, Waiting,
    under_way::{HeldAnswer, UnderWay},
};
use crate::{Failure, Moment, Receipt, SentWrite};
use actum_model::{Lane, Position, SequenceNr};
use actum_persistence::store::bounds::BATCH_BYTES_MAX;
use std::collections::VecDeque;

/// What an entity has decided and not yet answered: the changes on their way to the journal, and the answers that wait.
///
/// ```text
///   events:   1 … durable │ durable+1 … sent │ sent+1 … pending
///             committed   │ in one append    │ staged, goes with the next append
///   answers:  sent        │ held until the event they need, or saw, is durable
/// ```
/// At most one append of an entity is under way, so a failure can never be overtaken by a later success.
pub struct Pipeline<M: Model> {
    durable: SequenceNr,
    sent: SequenceNr,
    pending: SequenceNr,
    position: Position,
    /// `None` while the entity is idle.
    under_way: Option<Box<UnderWay<M>>>,
}

impl<M: Model> Pipeline<M> {
    pub fn new(durable: SequenceNr, position: Position) -> Self {
        Self { durable, sent: durable, pending: durable, position, under_way: None }
    }

    /// The number of the last change that is stored.
    pub fn durable(&self) -> SequenceNr {
        self.durable
    }

    /// The number of the last change that is decided.
    pub fn pending(&self) -> SequenceNr {
        self.pending
    }

    pub fn is_empty(&self) -> bool {
        self.durable == self.pending && self.waiting() == 0
    }

    /// How many commands are under way: answers that wait, and writes that no caller waits for any more.
    pub fn waiting(&self) -> usize {
        self.under_way.as_ref().map_or(0, |it| it.held.len() + it.retries.len())
    }

    /// Whether commands wait for what was recorded the first time.
    pub fn awaits_records(&self) -> bool {
        self.under_way.as_ref().is_some_and(|it| !it.retries.is_empty())
    }

    /// Where changes are staged.
    pub fn staging(&mut self, turn: &mut Turn<'_, M>) -> &mut M::Staged {
        &mut self.begin(turn).staged
    }

    /// Lets a retry wait for the record of its `first`.
    pub fn wait(&mut self, retry: Retry<M::Entity>, turn: &mut Turn<'_, M>) {
        self.begin(turn).retries.wait(retry);
    }

    /// Takes the retries that wait for this record.
    pub fn take_retries(&mut self, first: SequenceNr) -> VecDeque<Retry<M::Entity>> {
        self.under_way.as_mut().map(|it| it.retries.take(first)).unwrap_or_default()
    }

    /// Whose records must be read for retries, now that everything up to [`Self::durable`] is.
    pub fn due_records(&mut self) -> Vec<SequenceNr> {
        let durable = self.durable;
        self.under_way.as_mut().map(|it| it.retries.due(durable)).unwrap_or_default()
    }

    /// Gives back what an idle entity does not need.
    pub fn rest(&mut self, turn: &mut Turn<'_, M>) {
        if self.durable == self.pending
            && let Some(done) = self.under_way.take_if(|it| it.is_empty())
        {
            turn.out.spare.give_back(done);
        }
    }

    /// Counts `changes` that were just staged.
    pub fn staged(&mut self, changes: Changes, turn: &mut Turn<'_, M>) {
        if changes.count == 0 {
            return;
        }
        let is_first = self.sent == self.pending;
        let under_way = self.begin(turn);
        if is_first {
            under_way.staged_since = turn.now;
        }
        under_way.staged_bytes += changes.bytes;
        turn.out.bytes_staged += changes.bytes;
        self.pending = self.pending.plus(changes.count);
    }

    /// Answers when everything up to `needs` is durable: at once, or later.
    pub fn answer(
        &mut self,
        job: Box<dyn Job<M::Entity>>,
        needs: SequenceNr,
        part: Part,
        after_commit: Option<AfterCommit>,
        turn: &mut Turn<'_, M>,
    ) {
        if needs <= self.durable {
            turn.out.actions.extend(after_commit);
            turn.out.settle(job, self.receipt(needs, turn.lane));
            return;
        }
        let held = &mut self.begin(turn).held;
        debug_assert!(held.back().is_none_or(|last| last.needs <= needs), "needs only grow");
        held.push_back(HeldAnswer { job: Some(job), needs, part, after_commit });
    }

    /// Keeps a snapshot until the events it covers are durable; at most one waits.
    pub fn keep_snapshot(&mut self, taken: TakenSnapshot, turn: &mut Turn<'_, M>) {
        if taken.snapshot.sequence_nr <= self.durable {
            turn.out.snapshots.push(taken);
        } else {
            self.begin(turn).snapshot.get_or_insert_with(|| Box::new(taken));
        }
    }

    /// Whether changes are staged and none is under way.
    pub fn may_send(&self) -> bool {
        self.sent == self.durable && self.pending > self.sent
    }

    /// How many changes are staged, and since when the oldest waits.
    pub fn staged_count(&self) -> (u64, Moment) {
        let since = self.under_way.as_ref().map_or(Moment::default(), |it| it.staged_since);
        (self.pending.get() - self.sent.get(), since)
    }

    /// Whether nothing more may gather for the next append: with what one more command may store it could be larger than
    /// any store takes.
    pub fn has_gathered_enough(&self) -> bool {
        self.staged_bytes() >= BATCH_BYTES_MAX / 4
    }

    /// Sends everything staged as one append.
    pub(super) fn send(
        &mut self,
        name: &CellName<M>,
        aggregate: &mut Aggregate<M::Entity>,
        turn: &mut Turn<'_, M>,
    ) {
        debug_assert!(self.may_send(), "one append of an entity at a time");
        self.sent = self.pending;
        let (expected, last) = (self.durable, self.sent);
        turn.observe(|observer| observer.write_sent(&name.key, SentWrite { expected, last }));
        let under_way = self.begin(turn);
        turn.out.bytes_unstaged += std::mem::take(&mut under_way.staged_bytes);
        let write = M::write(&name.key, aggregate, &mut under_way.staged, expected, turn);
        turn.out.writes.push((write, name.ticket));
    }

    /// The append under way is durable: releases what waited for it.
    pub fn committed(&mut self, last: Option<Position>, turn: &mut Turn<'_, M>) {
        assert!(self.sent > self.durable, "a commit settles the append under way");
        self.durable = self.sent;
        self.position = last.unwrap_or(self.position);
        let Some(mut under_way) = self.under_way.take() else { return };
        while let Some(held) = under_way.held.pop_front_if(|held| held.needs <= self.durable) {
            turn.out.actions.extend(held.after_commit);
            if let Some(job) = held.job {
                turn.out.settle(job, self.receipt(held.needs, turn.lane));
            }
        }
        let is_durable =
            |taken: &mut Box<TakenSnapshot>| taken.snapshot.sequence_nr <= self.durable;
        if let Some(snapshot) = under_way.snapshot.take_if(is_durable) {
            turn.out.snapshots.push(*snapshot);
        }
        self.under_way = Some(under_way);
    }

    /// The append under way has failed, and with it everything behind it. What was only seen is safe to ask again;
    /// what was sent gets the failure itself; what was still here was certainly not stored. Gives back the retries whose
    /// first time is stored: they are answered once the entity has recovered.
    pub fn fail(self, failure: &Failure, turn: &mut Turn<'_, M>) -> Waiting<M::Entity> {
        turn.out.bytes_unstaged += self.staged_bytes();
        let (sent, is_unknown) = (self.sent, matches!(failure, Failure::OutcomeUnknown { .. }));
        let verdict = |part, needs| {
            if is_unknown && (part == Part::Saw || needs > sent) {
                Failure::unavailable("an earlier write of the entity has an unknown outcome")
            } else {
                failure.clone()
            }
        };
        let Some(under_way) = self.under_way else { return Waiting::none() };
        for held in under_way.held {
            let Some(job) = held.job else { continue };
            turn.out.settle(job, Err(verdict(held.part, held.needs)));
        }
        // of those the first time is among the changes, which may be stored whatever the retry is answered
        let failed = |first| Err(verdict(Part::Wrote, first));
        under_way.retries.fail(self.durable, failed, &mut turn.out.settled)
    }

    /// The cell goes, with whatever is under way: what was sent may still be stored, and the first time of a retry may be
    /// stored already.
    pub fn abandon(self, why: &GivenUp, turn: &mut Turn<'_, M>) {
        turn.out.bytes_unstaged += self.staged_bytes();
        let (durable, sent) = (self.durable, self.sent);
        let verdict = |maybe_stored: bool| why.failure(maybe_stored);
        let Some(under_way) = self.under_way else { return };
        for HeldAnswer { job, needs, part, .. } in under_way.held {
            let Some(job) = job else { continue };
            let is_sent = durable < needs && needs <= sent;
            turn.out.settle(job, Err(verdict(part == Part::Wrote && is_sent)));
        }
        for (job, first) in under_way.retries.into_jobs() {
            turn.out.settle(job, Err(verdict(first <= sent)));
        }
    }

    /// Answers commands whose callers have stopped waiting; says when the next one does.
    pub fn expire(&mut self, turn: &mut Turn<'_, M>) -> Moment {
        let Some(under_way) = &mut self.under_way else { return Moment::NEVER };
        let mut next = Moment::NEVER;
        for held in &mut under_way.held {
            let Some(deadline) = held.job.as_ref().map(|job| job.envelope().deadline) else {
                continue;
            };
            if deadline > turn.now {
                next = next.min(deadline);
            } else if let Some(job) = held.job.take() {
                turn.out
                    .settle(job, Err(Failure::Timeout { maybe_applied: held.part != Part::Saw }));
            }
        }
        under_way.held.retain(|held| {
            held.job.is_some() || held.part == Part::Wrote || held.after_commit.is_some()
        });
        next = next.min(under_way.retries.expire(turn.now, &mut turn.out.settled));
        self.rest(turn);
        next
    }

    /// Where the change of this number left the entity.
    pub fn receipt(&self, sequence_nr: SequenceNr, lane: Lane) -> Verdict {
        let position = Some(self.position).filter(|position| *position > Position::ZERO);
        Ok(Receipt::new(sequence_nr, lane, position))
    }

    fn staged_bytes(&self) -> usize {
        self.under_way.as_ref().map_or(0, |it| it.staged_bytes)
    }

    fn begin(&mut self, turn: &mut Turn<'_, M>) -> &mut UnderWay<M> {
        self.under_way.get_or_insert_with(|| turn.out.spare.take())
    }
}
