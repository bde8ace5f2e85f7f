use super::{AppendError, Expected, append_room::AppendRoom, stream_append::StreamAppend};
use actum_host::{Failure, Receipt, cell::GivenUp};
use actum_model::{EntityKey, Lane, SequenceNr};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::{EntityAppend, StoreError},
};
use std::collections::{HashMap, VecDeque};

/// How often an append is sent that goes wherever its stream is, while other writers of the journal are faster.
const ATTEMPTS_MAX: u32 = 10;

/// Which append of each stream is under way, and which wait behind it. Pure: its driver submits what it hands out.
///
/// ```text
///   enter ──► waiting ──► sent ── settled ──► answered
///      └── the first ──────▲         │
///                └── of any number ──┘  by a conflict
/// ```
/// At most one append of a stream is under way: two of them in the queue of a lane would divide its batches, for all who
/// write to the lane. And how one ends says where the stream is, so that those behind it which expect another number are
/// answered without a question to the store.
pub(super) struct StreamLines<C> {
    lines: HashMap<EntityKey, StreamLine<C>>,
    /// Whose stream each append is of that the writer of a lane has.
    sent: HashMap<u64, EntityKey>,
    next_nr: u64,
}

struct StreamLine<C> {
    sent: SentAppend<C>,
    /// In the order of their numbers.
    waiting: VecDeque<WaitingAppend<C>>,
}

struct SentAppend<C> {
    append: WaitingAppend<C>,
    expected: SequenceNr,
    last: SequenceNr,
}

struct WaitingAppend<C> {
    nr: u64,
    append: StreamAppend,
    /// How often it was sent.
    attempts: u32,
    /// Whom to answer; none once that was done.
    caller: Option<C>,
    room: AppendRoom,
}

/// To be handed to the writer of a lane; its outcome goes to [`StreamLines::settled`].
#[must_use]
pub(super) struct Submission {
    pub(super) nr: u64,
    pub(super) lane: Lane,
    pub(super) write: EntityAppend,
}

/// Callers, and what they get.
pub(super) type AppendAnswers<C> = Vec<(C, Result<Receipt, AppendError>)>;

impl<C> StreamLines<C> {
    pub(super) fn new() -> Self {
        Self { lines: HashMap::new(), sent: HashMap::new(), next_nr: 0 }
    }

    /// Whether no append is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Takes an append; says which number it has, and what is to be submitted, if it need not wait.
    pub(super) fn enter(
        &mut self,
        append: StreamAppend,
        caller: C,
        room: AppendRoom,
    ) -> (u64, Option<Submission>) {
        let nr = self.next_nr;
        self.next_nr += 1;
        let stream = append.stream.clone();
        let entering = WaitingAppend { nr, append, attempts: 0, caller: Some(caller), room };
        match self.lines.get_mut(&stream) {
            Some(line) => {
                line.waiting.push_back(entering);
                (nr, None)
            }
            None => (nr, Some(self.send(entering, None, VecDeque::new()))),
        }
    }

    /// Takes the outcome of a submission; says who is answered, and what is to be submitted next.
    pub(super) fn settled(
        &mut self,
        nr: u64,
        result: Result<Committed, CommitError>,
    ) -> (AppendAnswers<C>, Option<Submission>) {
        let mut answers = AppendAnswers::new();
        let line = self.sent.remove(&nr).and_then(|stream| self.lines.remove(&stream));
        let Some(StreamLine { sent, mut waiting }) = line else { return (answers, None) };
        let SentAppend { append, expected, last } = sent;
        let head = match result {
            Ok(committed) => {
                let receipt = Receipt::new(last, append.append.lane, committed.last);
                append.answer(Ok(receipt), &mut answers);
                Some(last)
            }
            Err(CommitError::Conflict { actual }) => {
                if append.goes_on() {
                    waiting.push_front(append);
                } else {
                    append.answer(Err(AppendError::Conflict { expected, actual }), &mut answers);
                }
                Some(actual)
            }
            Err(error @ CommitError::NotOwned) => {
                // an append to a stream names no role
                let failure = Failure::of_commit(error, expected.into());
                append.answer(Err(failure.into()), &mut answers);
                None
            }
            Err(CommitError::Store(error)) => {
                if !matches!(error, StoreError::Invalid { .. }) {
                    let behind = waiting.drain(..);
                    behind.for_each(|append| append.answer(Err(behind_of(&error)), &mut answers));
                }
                append.answer(Err(error.into()), &mut answers);
                None
            }
        };
        let next = self.send_next(head, waiting, &mut answers);
        (answers, next)
    }

    /// The caller of append `nr` does not wait any more. Says whether the append was still waiting: it is not sent then.
    pub(super) fn leave(&mut self, stream: &EntityKey, nr: u64) -> bool {
        let Some(line) = self.lines.get_mut(stream) else { return false };
        if line.sent.append.nr == nr {
            line.sent.append.caller = None;
            return false;
        }
        let place = line.waiting.binary_search_by_key(&nr, |append| append.nr);
        place.is_ok_and(|at| line.waiting.remove(at).is_some())
    }

    /// Gives up those that wait.
    pub(super) fn give_up_waiting(&mut self, why: &GivenUp) -> AppendAnswers<C> {
        let mut answers = AppendAnswers::new();
        for waiting in self.lines.values_mut().flat_map(|line| line.waiting.drain(..)) {
            waiting.answer(Err(why.failure(false).into()), &mut answers);
        }
        answers
    }

    /// Answers the callers of those that are under way, before their outcome is known.
    pub(super) fn give_up_sent(&mut self, why: &GivenUp) -> AppendAnswers<C> {
        let callers = self.lines.values_mut().filter_map(|line| line.sent.append.caller.take());
        callers.map(|caller| (caller, Err(why.failure(true).into()))).collect()
    }

    /// Sends the first append that may be stored, of a stream that is at `head` as far as that is known.
    fn send_next(
        &mut self,
        head: Option<SequenceNr>,
        mut waiting: VecDeque<WaitingAppend<C>>,
        answers: &mut AppendAnswers<C>,
    ) -> Option<Submission> {
        while let Some(append) = waiting.pop_front() {
            match (append.append.expected, head) {
                (Expected::Nr(expected), Some(actual)) if expected != actual => {
                    append.answer(Err(AppendError::Conflict { expected, actual }), answers);
                }
                _ => return Some(self.send(append, head, waiting)),
            }
        }
        None
    }

    fn send(
        &mut self,
        mut append: WaitingAppend<C>,
        head: Option<SequenceNr>,
        waiting: VecDeque<WaitingAppend<C>>,
    ) -> Submission {
        append.attempts += 1;
        append.room.is_sent();
        let write = append.append.take_write(head);
        let (nr, lane, stream) = (append.nr, append.append.lane, write.entity.clone());
        let sent = SentAppend { append, expected: write.expected, last: write.last_sequence_nr() };
        self.sent.insert(nr, stream.clone());
        self.lines.insert(stream, StreamLine { sent, waiting });
        Submission { nr, lane, write }
    }
}

impl<C> WaitingAppend<C> {
    /// Whether it is sent again after a conflict.
    fn goes_on(&self) -> bool {
        let is_wanted = self.append.expected == Expected::Any && self.caller.is_some();
        is_wanted && self.attempts < ATTEMPTS_MAX
    }

    fn answer(self, result: Result<Receipt, AppendError>, answers: &mut AppendAnswers<C>) {
        answers.extend(self.caller.map(|caller| (caller, result)));
    }
}

/// What an append gets that was never sent, since the store has failed the one before it.
fn behind_of(error: &StoreError) -> AppendError {
    match error {
        StoreError::OutcomeUnknown { .. } => AppendError::Unavailable {
            reason: "the outcome of an append before it is unknown".into(),
            source: Some(Box::new(error.clone())),
        },
        error => error.clone().into(),
    }
}

#[cfg(test)]
mod tests;
