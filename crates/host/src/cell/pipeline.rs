use super::{
    AfterCommit, Aggregate, CellName, Changes, GivenUp, Job, Model, Retries, TakenSnapshot, Turn,
    Verdict, Waiting,
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
    pub staged: M::Staged,
    staged_since: Moment,
    staged_bytes: usize,
    held: VecDeque<HeldAnswer<M::Entity>>,
    /// Commands that were handled before, and wait for their recorded replies.
    pub retries: Retries<M::Entity>,
    snapshot: Option<Box<TakenSnapshot>>,
}

/// An answer that waits until everything it depends on is durable.
struct HeldAnswer<E: actum_model::Entity> {
    /// `None` once its caller stopped waiting. Its action still runs, and what it wrote still counts as under way: its id
    /// must be remembered for as long.
    job: Option<Box<dyn Job<E>>>,
    needs: SequenceNr,
    part: Part,
    after_commit: Option<AfterCommit>,
}

/// What part a command has in the changes its answer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It saw them, and is never stored itself.
    Saw,
    /// Its own are among them.
    Wrote,
}

impl<M: Model> Pipeline<M> {
    pub fn new(durable: SequenceNr, position: Position) -> Self {
        Self {
            durable,
            sent: durable,
            pending: durable,
            position,
            staged: M::Staged::default(),
            staged_since: Moment::default(),
            staged_bytes: 0,
            held: VecDeque::new(),
            retries: Retries::none(),
            snapshot: None,
        }
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
        self.durable == self.pending && self.held.is_empty() && self.retries.is_empty()
    }

    /// How many commands are under way: answers that wait, and writes that no caller waits for any more.
    pub fn waiting(&self) -> usize {
        self.held.len() + self.retries.len()
    }

    /// Counts `changes` that were just staged.
    pub fn staged(&mut self, changes: Changes, turn: &mut Turn<'_, M>) {
        if self.sent == self.pending {
            self.staged_since = turn.now;
        }
        self.pending = self.pending.plus(changes.count);
        self.staged_bytes += changes.bytes;
        turn.out.bytes_staged += changes.bytes;
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
        debug_assert!(self.held.back().is_none_or(|last| last.needs <= needs), "needs only grow");
        self.held.push_back(HeldAnswer { job: Some(job), needs, part, after_commit });
    }

    /// Keeps a snapshot until the events it covers are durable; at most one waits.
    pub fn keep_snapshot(&mut self, taken: TakenSnapshot, turn: &mut Turn<'_, M>) {
        if taken.snapshot.sequence_nr <= self.durable {
            turn.out.snapshots.push(taken);
        } else if self.snapshot.is_none() {
            self.snapshot = Some(Box::new(taken));
        }
    }

    /// Whether changes are staged and none is under way.
    pub fn may_send(&self) -> bool {
        self.sent == self.durable && self.pending > self.sent
    }

    /// How many changes are staged, and since when the oldest waits.
    pub fn staged_count(&self) -> (u64, Moment) {
        (self.pending.get() - self.sent.get(), self.staged_since)
    }

    /// Whether nothing more may gather for the next append: with what one more command may store it could be larger than
    /// any store takes.
    pub fn has_gathered_enough(&self) -> bool {
        self.staged_bytes >= BATCH_BYTES_MAX / 4
    }

    /// Sends everything staged as one append.
    pub(super) fn send(
        &mut self,
        name: &CellName<M>,
        aggregate: &mut Aggregate<M::Entity>,
        turn: &mut Turn<'_, M>,
    ) {
        debug_assert!(self.may_send(), "one append of an entity at a time");
        turn.out.bytes_unstaged += std::mem::take(&mut self.staged_bytes);
        self.sent = self.pending;
        let (expected, last) = (self.durable, self.sent);
        turn.observe(|observer| observer.write_sent(&name.key, SentWrite { expected, last }));
        let write = M::write(&name.key, aggregate, &mut self.staged, expected, turn);
        turn.out.writes.push((write, name.ticket));
    }

    /// The append under way is durable: releases what waited for it.
    pub fn committed(&mut self, last: Option<Position>, turn: &mut Turn<'_, M>) {
        assert!(self.sent > self.durable, "a commit settles the append under way");
        self.durable = self.sent;
        self.position = last.unwrap_or(self.position);
        while self.held.front().is_some_and(|held| held.needs <= self.durable) {
            let held = self.held.pop_front().expect("the queue has a front");
            turn.out.actions.extend(held.after_commit);
            if let Some(job) = held.job {
                turn.out.settle(job, self.receipt(held.needs, turn.lane));
            }
        }
        if let Some(snapshot) =
            self.snapshot.take_if(|taken| taken.snapshot.sequence_nr <= self.durable)
        {
            turn.out.snapshots.push(*snapshot);
        }
    }

    /// The append under way has failed, and with it everything behind it. What was only seen is safe to ask again;
    /// what was sent gets the failure itself; what was still here was certainly not stored. Gives back the retries whose
    /// first time is stored: they are answered once the entity has recovered.
    pub fn fail(self, failure: &Failure, turn: &mut Turn<'_, M>) -> Waiting<M::Entity> {
        turn.out.bytes_unstaged += self.staged_bytes;
        let (sent, is_unknown) = (self.sent, matches!(failure, Failure::OutcomeUnknown { .. }));
        let verdict = |part, needs| {
            if is_unknown && (part == Part::Saw || needs > sent) {
                Failure::unavailable("an earlier write of the entity has an unknown outcome")
            } else {
                failure.clone()
            }
        };
        for held in self.held {
            let Some(job) = held.job else { continue };
            turn.out.settle(job, Err(verdict(held.part, held.needs)));
        }
        // of those the first time is among the changes, which may be stored whatever the retry is answered
        let failed = |first| Err(verdict(Part::Wrote, first));
        self.retries.fail(self.durable, failed, &mut turn.out.settled)
    }

    /// The cell goes, with whatever is under way: what was sent may still be stored, and the first time of a retry may be
    /// stored already.
    pub fn abandon(self, why: &GivenUp, turn: &mut Turn<'_, M>) {
        turn.out.bytes_unstaged += self.staged_bytes;
        let (durable, sent) = (self.durable, self.sent);
        let verdict = |maybe_stored: bool| why.failure(maybe_stored);
        for HeldAnswer { job, needs, part, .. } in self.held {
            let Some(job) = job else { continue };
            let is_sent = durable < needs && needs <= sent;
            turn.out.settle(job, Err(verdict(part == Part::Wrote && is_sent)));
        }
        for (job, first) in self.retries.into_jobs() {
            turn.out.settle(job, Err(verdict(first <= sent)));
        }
    }

    /// Answers commands whose callers have stopped waiting; says when the next one does.
    pub fn expire(&mut self, turn: &mut Turn<'_, M>) -> Moment {
        let mut next = Moment::NEVER;
        for held in &mut self.held {
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
        self.held.retain(|held| {
            held.job.is_some() || held.part == Part::Wrote || held.after_commit.is_some()
        });
        next.min(self.retries.expire(turn.now, &mut turn.out.settled))
    }

    /// Where the change of this number left the entity.
    pub fn receipt(&self, sequence_nr: SequenceNr, lane: Lane) -> Verdict {
        let position = Some(self.position).filter(|position| *position > Position::ZERO);
        Ok(Receipt { sequence_nr, lane, position })
    }
}
