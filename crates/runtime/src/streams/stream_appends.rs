use super::{
    AppendError,
    append_room::AppendRoom,
    append_ticket::{nr_of, ticket_of},
    stream_append::StreamAppend,
    stream_lines::{AppendAnswers, StreamLines, Submission},
};
use crate::partition::Surroundings;
use actum_host::{
    Failure, Load, Receipt,
    cell::{GivenUp, Ticket},
};
use actum_model::EntityKey;
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};
use parking_lot::Mutex;
use std::{
    iter,
    sync::{Arc, OnceLock, Weak},
};
use tokio::sync::{Notify, oneshot};

/// The appends to streams that are under way in an engine. They go through the writers of the lanes, beside those of entities,
/// and through no partition.
pub(crate) struct StreamAppends {
    state: Mutex<AppendsState>,
    /// The ways to the writers, once they run. Weak, since the writers know the gate, and the gate knows this.
    around: OnceLock<Weak<Surroundings>>,
    load: Arc<Load>,
    /// Notifies when none is under way any more, and when they are refused.
    changed: Notify,
}

struct AppendsState {
    /// Why appends are refused, once they are.
    closed: Option<Failure>,
    lines: StreamLines<oneshot::Sender<AppendAnswer>>,
}

pub(super) type AppendAnswer = Result<Receipt, AppendError>;

/// An append that was taken, and its answer once it is there.
pub(super) struct TakenAppend {
    pub(super) nr: u64,
    pub(super) answer: oneshot::Receiver<AppendAnswer>,
}

impl StreamAppends {
    pub(crate) fn new(load: Arc<Load>) -> Self {
        let state = AppendsState { closed: None, lines: StreamLines::new() };
        Self { state: Mutex::new(state), around: OnceLock::new(), load, changed: Notify::new() }
    }

    /// Names the ways to the writers; only the first call counts.
    pub(crate) fn connect(&self, around: &Arc<Surroundings>) {
        let _ = self.around.set(Arc::downgrade(around));
    }

    /// Admits an append, which is still to be made.
    pub(super) fn admit(&self) -> Result<AppendRoom, Failure> {
        match &self.state.lock().closed {
            None => AppendRoom::admit(&self.load),
            Some(failure) => Err(failure.clone()),
        }
    }

    /// Takes an append, which is written unless its caller [leaves](Self::leave) while it waits for another one.
    pub(super) fn enter(
        &self,
        append: StreamAppend,
        mut room: AppendRoom,
    ) -> Result<TakenAppend, Failure> {
        let (caller, answer) = oneshot::channel();
        let mut state = self.state.lock();
        if let Some(failure) = &state.closed {
            return Err(failure.clone());
        }
        let around = self.around().ok_or_else(ended)?;
        room.stage(append.room(), around.journal.queued_bytes())?;
        let (nr, submission) = state.lines.enter(append, caller, room);
        drop(state);
        if let Some(submission) = submission {
            let is_alone = self.load.commands() <= 1;
            self.submit(submission, is_alone);
        }
        Ok(TakenAppend { nr, answer })
    }

    /// The caller of append `nr` does not wait any more. Says whether the append was still waiting for another one: it is not
    /// written then.
    pub(super) fn leave(&self, stream: &EntityKey, nr: u64) -> bool {
        self.state.lock().lines.leave(stream, nr)
    }

    /// Takes the outcome of writes.
    pub(crate) fn committed(
        &self,
        results: impl IntoIterator<Item = (Ticket, Result<Committed, CommitError>)>,
    ) {
        results.into_iter().for_each(|(ticket, result)| self.settle(nr_of(ticket), result));
    }

    fn settle(&self, nr: u64, result: Result<Committed, CommitError>) {
        let mut state = self.state.lock();
        let (answers, next) = state.lines.settled(nr, result);
        let is_empty = state.lines.is_empty();
        drop(state);
        answer(answers);
        if let Some(next) = next {
            self.submit(next, false);
        }
        if is_empty {
            self.changed.notify_waiters();
        }
    }

    /// Hands a write to the writer of its lane. `is_alone` when the engine holds nothing else, and this is no writer's thread.
    fn submit(&self, submission: Submission, is_alone: bool) {
        let Submission { nr, lane, write } = submission;
        match self.around() {
            Some(around) => {
                around.journal.append(lane, iter::once((write, ticket_of(nr))), is_alone);
            }
            None => {
                let stopped = StoreError::unavailable("committing a batch", "the engine has ended");
                self.settle(nr, Err(stopped.into()));
            }
        }
    }

    fn around(&self) -> Option<Arc<Surroundings>> {
        self.around.get()?.upgrade()
    }

    /// Refuses appends for good, with the failure of the last call. Those that were taken go on.
    pub(crate) fn close(&self, failure: Failure) {
        self.state.lock().closed = Some(failure);
        self.changed.notify_waiters();
    }

    /// Waits until appends are refused, and says why.
    pub(super) async fn refused(&self) -> Failure {
        loop {
            let changed = self.changed.notified(); // in front of looking, so that none is missed
            if let Some(failure) = self.state.lock().closed.clone() {
                return failure;
            }
            changed.await;
        }
    }

    /// Waits until none is under way; to be called when it is closed.
    pub(crate) async fn all_settled(&self) {
        loop {
            let changed = self.changed.notified(); // in front of looking, so that none is missed
            if self.state.lock().lines.is_empty() {
                return;
            }
            changed.await;
        }
    }

    /// Gives up the appends that wait for others of their streams; says how many callers got that. Those that the writers have
    /// are settled by them.
    pub(crate) fn give_up_waiting(&self, why: &GivenUp) -> usize {
        let answers = self.state.lock().lines.give_up_waiting(why);
        answer(answers)
    }

    /// Answers all callers now.
    pub(crate) fn abandon(&self, why: &GivenUp) {
        self.give_up_waiting(why);
        let answers = self.state.lock().lines.give_up_sent(why);
        answer(answers);
    }
}

/// Answers callers; outside of locks, since it wakes them. Says how many these are.
fn answer(answers: AppendAnswers<oneshot::Sender<AppendAnswer>>) -> usize {
    let count = answers.len();
    for (caller, answer) in answers {
        let _ = caller.send(answer); // it may have gone
    }
    count
}

fn ended() -> Failure {
    Failure::unavailable("the engine has ended")
}
