use super::{
    CommitError, Committed, GroupCommitSettings, GroupWrite, Settled, WriterScope,
    entity_set::EntitySet,
    unknown::{Unknown, untraceable},
};
use crate::{
    Weight,
    store::{Resolution, StoreError},
};
use actum_model::Partition;
use std::{collections::VecDeque, fmt, iter, mem};

/// How many emptied places stay allocated for the next writes.
pub(super) const KEPT_WRITES_MAX: usize = 16 << 10;

/// Decides which writes of a lane go together, and the outcome of each. Pure: its driver does the I/O.
///
/// ```text
///                ┌─────────── in two halves ◄─── refused, and several writes
///                ▼                                            ▲
///  submit ──► waiting ── Step::Write ──► in flight ───── finished ───────► settled
///                │                                            ▼             ▲ ▲
///                │                  Step::Resolve ◄─── outcome unknown      │ │
///                │                        ▼                   ▲             │ │
///                │                     resolved ──── not found out          │ │
///                │                        └────────────────── │ ────────────┘ │
///                └─── while that was not found out: refused ──┴───────────────┘
/// ```
/// At most one batch is in flight. A batch is the longest beginning of the queue that keeps to the bounds and names no
/// entity twice, so writes go in the order of their submission; a write that is larger than the bounds goes alone.
///
/// A store that cannot say the outcome of a batch is away, and no write waits for it: from the first attempt that fails
/// until one succeeds or the last has failed, what waits or is submitted is refused as unavailable. It was never sent.
///
/// A ticket comes back exactly once for each submitted write.
pub struct GroupCommit<W, T> {
    bounds: Weight,
    resolve_attempts_max: u32,
    next_number: u64,
    waiting: VecDeque<WaitingWrite<W, T>>,
    waiting_weight: Weight,
    /// How many writes the next batches take after one was refused, the next one last.
    halves: Vec<usize>,
    in_flight: Option<InFlight<W, T>>,
    // kept for the next batch
    writes: Vec<W>,
    entities: EntitySet,
}

/// What is to be done next.
#[must_use]
#[derive(Debug)]
pub enum Step<W> {
    /// Write this batch, then call [`GroupCommit::finished`].
    Write(Vec<W>),
    /// Find out the outcome of this batch, then call [`GroupCommit::resolved`].
    Resolve {
        /// The batch, as it was written.
        writes: Vec<W>,
        /// Which attempt it is, from 1. The later ones had better wait a little.
        attempt: u32,
    },
}

/// A write that was weighed once, when it was submitted.
pub(super) struct WaitingWrite<W, T> {
    pub(super) write: W,
    pub(super) ticket: T,
    pub(super) weight: Weight,
}

struct InFlight<W, T> {
    tickets: Vec<(T, Partition)>,
    weight: Weight,
    unknown: Option<Unknown<W>>,
}

impl<W: GroupWrite, T: Copy> GroupCommit<W, T> {
    /// Groups the writes of `scope`. What they store is numbered from its [first number](WriterScope::first_nr) on.
    #[must_use]
    pub fn new(scope: WriterScope, settings: &GroupCommitSettings) -> Self {
        Self {
            bounds: settings.batch_bounds(),
            resolve_attempts_max: settings.resolve_attempts_max,
            next_number: scope.first_nr(),
            waiting: VecDeque::new(),
            waiting_weight: Weight::ZERO,
            halves: Vec::new(),
            in_flight: None,
            writes: Vec::new(),
            entities: EntitySet::default(),
        }
    }

    /// Takes a write, to go with one of the next batches.
    pub fn submit(&mut self, write: W, ticket: T) {
        let weight = write.weight();
        self.submit_weighed(WaitingWrite { write, ticket, weight });
    }

    pub(super) fn submit_weighed(&mut self, waiting: WaitingWrite<W, T>) {
        self.waiting_weight += waiting.weight;
        self.waiting.push_back(waiting);
    }

    /// How much waits for a later batch.
    #[must_use]
    pub fn waiting(&self) -> Weight {
        self.waiting_weight
    }

    /// How much is not settled: what waits and what is in flight.
    #[must_use]
    pub fn pending(&self) -> Weight {
        self.waiting_weight + self.in_flight.as_ref().map_or(Weight::ZERO, |batch| batch.weight)
    }

    /// What is to be done next; `None` while a batch is in flight, and when nothing waits.
    pub fn next_step(&mut self) -> Option<Step<W>> {
        match &mut self.in_flight {
            Some(batch) => {
                let (writes, attempt) = batch.unknown.as_mut()?.attempt()?;
                Some(Step::Resolve { writes, attempt })
            }
            None if self.waiting.is_empty() => None,
            None => Some(Step::Write(self.depart())),
        }
    }

    /// Takes what the store said to a [`Step::Write`], and its batch back.
    ///
    /// # Panics
    /// When no batch is being written, or another one is given back.
    pub fn finished(
        &mut self,
        writes: Vec<W>,
        result: Result<Vec<W::Outcome>, StoreError>,
    ) -> Vec<Settled<T>> {
        let batch = self.in_flight.as_mut().expect("a batch finishes that was written");
        assert!(batch.unknown.is_none(), "a batch that is being resolved does not finish");
        assert_eq!(batch.tickets.len(), writes.len(), "the batch that was handed out comes back");
        match result {
            Ok(outcomes) => self.arrive(writes, outcomes.into_iter().map(W::commit_of)),
            Err(error) if error.maybe_written() => {
                batch.unknown = Some(Unknown::new(error, writes));
                Vec::new()
            }
            Err(StoreError::Invalid { .. }) if writes.len() > 1 => {
                self.send_back(writes);
                Vec::new()
            }
            Err(error) => self.arrive_failed(writes, error),
        }
    }

    /// Takes what the store said to a [`Step::Resolve`], and its batch back. When it failed and is not the last attempt,
    /// those are settled who wait behind the batch. The last attempt is also one that fails [for
    /// good](StoreError::is_final).
    ///
    /// # Panics
    /// When no batch is being resolved, or another one is given back.
    pub fn resolved(
        &mut self,
        writes: Vec<W>,
        result: Result<Vec<Resolution<W::Outcome>>, StoreError>,
    ) -> Vec<Settled<T>> {
        let batch = self.in_flight.as_mut().expect("a batch is resolved that was written");
        assert_eq!(batch.tickets.len(), writes.len(), "the batch that was handed out comes back");
        let unknown = batch.unknown.as_mut().expect("a batch is resolved whose outcome is unknown");
        match result {
            Ok(outcomes) => {
                let (not_written, first) = (unknown.not_written(), unknown.error().clone());
                let results = outcomes.into_iter().map(|found| match found {
                    Resolution::Stored(outcome) => W::commit_of(outcome),
                    Resolution::NotStored => Err(not_written.clone().into()),
                    Resolution::Untraceable { why } => Err(untraceable(&first, &why).into()),
                });
                self.arrive(writes, results)
            }
            Err(error) if !error.is_final() && unknown.attempts() < self.resolve_attempts_max => {
                unknown.failed(writes, error);
                self.refuse_waiting()
            }
            Err(_) => {
                let error = unknown.error().clone();
                self.arrive_failed(writes, error)
            }
        }
    }

    /// Settles what waits as unavailable, if an attempt to resolve the batch before it has failed and another is to come;
    /// a thread that submits while that is so calls this afterwards. Otherwise it does nothing.
    pub fn refuse_waiting(&mut self) -> Vec<Settled<T>> {
        let unknown = self.in_flight.as_ref().and_then(|batch| batch.unknown.as_ref());
        match unknown.and_then(Unknown::refusal).cloned() {
            Some(refusal) => self.settle_waiting(&refusal),
            None => Vec::new(),
        }
    }

    /// Gives everything up: what is in flight has an unknown outcome, and what waits was never written.
    pub fn abandon(&mut self) -> Vec<Settled<T>> {
        let gone = "the writer stopped before the store answered";
        let unknown = StoreError::outcome_unknown("committing a batch", gone);
        let mut settled = match self.in_flight.take() {
            Some(batch) => settle(batch.tickets, iter::repeat_with(|| Err(unknown.clone().into()))),
            None => Vec::new(),
        };
        settled.append(&mut self.settle_waiting(&stopped()));
        settled
    }

    /// Fails everything that waits, none of which was sent.
    fn settle_waiting(&mut self, error: &StoreError) -> Vec<Settled<T>> {
        self.waiting_weight = Weight::ZERO;
        self.halves.clear();
        let waiting = self.waiting.drain(..);
        let settled = waiting.map(|WaitingWrite { write, ticket, .. }| Settled {
            ticket,
            partition: write.partition(),
            result: Err(error.clone().into()),
        });
        settled.collect()
    }

    /// Takes the next batch from the queue.
    fn depart(&mut self) -> Vec<W> {
        let count_max = self.halves.pop().unwrap_or(usize::MAX);
        let mut writes = mem::take(&mut self.writes);
        let mut tickets = Vec::with_capacity(self.waiting.len().min(self.bounds.events));
        let mut weight = Weight::ZERO;
        while writes.len() < count_max
            && let Some(next) = self.waiting.pop_front_if(|next| {
                let fits = writes.is_empty() || (weight + next.weight).is_within(self.bounds);
                fits && self.entities.insert(next.write.entity())
            })
        {
            let WaitingWrite { mut write, ticket, weight: more } = next;
            self.next_number += write.number(self.next_number);
            weight += more;
            tickets.push((ticket, write.partition()));
            writes.push(write);
        }
        self.entities.clear();
        if self.waiting.is_empty() {
            self.waiting.shrink_to(KEPT_WRITES_MAX);
        }
        self.waiting_weight = self.waiting_weight - weight;
        self.in_flight = Some(InFlight { tickets, weight, unknown: None });
        writes
    }

    /// Puts a refused batch back, to go in two halves: a write that the store refuses ends up alone, after as many
    /// batches as halving takes.
    fn send_back(&mut self, mut writes: Vec<W>) {
        let batch = self.in_flight.take().expect("a refused batch was in flight");
        let first = writes.len() / 2;
        self.halves.extend([writes.len() - first, first]);
        for (write, (ticket, _)) in writes.drain(..).zip(batch.tickets).rev() {
            let weight = write.weight();
            self.waiting.push_front(WaitingWrite { write, ticket, weight });
        }
        self.waiting_weight += batch.weight;
        self.writes = writes;
    }

    fn arrive_failed(&mut self, writes: Vec<W>, error: StoreError) -> Vec<Settled<T>> {
        let results = vec![Err(CommitError::Store(error)); writes.len()];
        self.arrive(writes, results.into_iter())
    }

    fn arrive(
        &mut self,
        mut writes: Vec<W>,
        results: impl ExactSizeIterator<Item = Result<Committed, CommitError>>,
    ) -> Vec<Settled<T>> {
        let InFlight { tickets, .. } =
            self.in_flight.take().expect("a batch that arrives was in flight");
        writes.clear();
        self.writes = writes;
        if results.len() == tickets.len() {
            return settle(tickets, results);
        }
        // which outcome is whose is unknown
        let (outcomes, count) = (results.len(), tickets.len());
        let corrupt =
            StoreError::corrupt(format!("{outcomes} outcomes of a batch of {count} writes"));
        settle(tickets, iter::repeat_with(|| Err(corrupt.clone().into())))
    }
}

impl<W, T> fmt::Debug for GroupCommit<W, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupCommit")
            .field("waiting", &self.waiting_weight)
            .field("in_flight", &self.in_flight.as_ref().map(|batch| batch.weight))
            .finish_non_exhaustive()
    }
}

/// The failure of a write that is never written since its writer has stopped.
pub(super) fn stopped() -> StoreError {
    StoreError::unavailable("committing a batch", "the writer has stopped")
}

fn settle<T>(
    tickets: Vec<(T, Partition)>,
    results: impl Iterator<Item = Result<Committed, CommitError>>,
) -> Vec<Settled<T>> {
    let settled = tickets.into_iter().zip(results);
    settled.map(|((ticket, partition), result)| Settled { ticket, partition, result }).collect()
}
