use super::answer::Answer;
use actum_host::{
    Moment,
    cell::{AskStage, EarlyEnd, OpenAsk},
};
use parking_lot::{Mutex, MutexGuard};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, Waker, ready},
};
use tokio::task::coop;

/// Where the answer to one command meets its caller: shared by the caller, the command, and the partition's list of what
/// it has taken.
pub(crate) struct AnswerSlot<R, X> {
    deadline: Moment,
    /// Changes under the lock of the place, but for the beginning.
    stage: AtomicU8,
    place: Mutex<SlotState<R, X>>,
}

enum SlotState<R, X> {
    /// No answer yet; whom to wake.
    Empty(Option<Waker>),
    Answered(Answer<R, X>),
    /// The caller has the answer, or has gone.
    Closed,
}

const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const ENDED: u8 = 2;
const SETTLED: u8 = 3;

impl<R, X> AnswerSlot<R, X> {
    pub(crate) fn new(deadline: Moment) -> Self {
        Self { deadline, stage: AtomicU8::new(WAITING), place: Mutex::new(SlotState::Empty(None)) }
    }

    /// Marks the command as begun; says whether it may be: not when its caller has the answer that it was not.
    pub(crate) fn begin(&self) -> bool {
        let begun =
            self.stage.compare_exchange(WAITING, BEGUN, Ordering::AcqRel, Ordering::Acquire);
        matches!(begun, Ok(_) | Err(BEGUN))
    }

    /// Answers for the command itself; gives the answer back when the caller has another one, or has gone.
    pub(crate) fn settle(&self, answer: Answer<R, X>) -> Option<Answer<R, X>> {
        let place = self.place.lock();
        self.stage.store(SETTLED, Ordering::Release);
        put(place, answer)
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Answer<R, X>> {
        // a task that asks in a loop lets others run now and then, above all those that answer
        let budget = ready!(coop::poll_proceed(context));
        let mut place = self.place.lock();
        if let SlotState::Empty(waker) = &mut *place {
            match waker {
                Some(waker) => waker.clone_from(context.waker()),
                None => *waker = Some(context.waker().clone()),
            }
            return Poll::Pending;
        }
        let SlotState::Answered(answer) = std::mem::replace(&mut *place, SlotState::Closed) else {
            unreachable!("a future is not polled after it is ready");
        };
        budget.made_progress();
        Poll::Ready(answer)
    }

    /// The caller goes: an answer that is there ends here, and a later one goes back to whom it comes from.
    fn close(&self) {
        let left = std::mem::replace(&mut *self.place.lock(), SlotState::Closed);
        drop(left); // outside the lock, since it may be the caller's own code
    }
}

/// Leaves an answer, and wakes the caller; gives the answer back when there is another one, or the caller has gone.
fn put<R, X>(
    mut place: MutexGuard<'_, SlotState<R, X>>,
    answer: Answer<R, X>,
) -> Option<Answer<R, X>> {
    let SlotState::Empty(waker) = &mut *place else { return Some(answer) };
    let waker = waker.take();
    *place = SlotState::Answered(answer);
    drop(place);
    if let Some(waker) = waker {
        waker.wake();
    }
    None
}

impl<R: Send, X: Send> OpenAsk for AnswerSlot<R, X> {
    fn deadline(&self) -> Moment {
        self.deadline
    }

    fn stage(&self) -> AskStage {
        match self.stage.load(Ordering::Acquire) {
            WAITING => AskStage::Waiting,
            BEGUN => AskStage::Begun,
            ENDED => AskStage::Ended,
            _ => AskStage::Settled,
        }
    }

    fn end(&self, why: EarlyEnd<'_>) -> bool {
        let place = self.place.lock();
        // under the lock only a beginning can come between the two
        if matches!(self.stage.load(Ordering::Acquire), ENDED | SETTLED) {
            return false;
        }
        let is_begun = self.stage.swap(ENDED, Ordering::AcqRel) == BEGUN;
        let failure = why.failure(is_begun).map_rejection(|never| match never {});
        drop(put(place, Err(failure))); // the caller may have gone
        true
    }
}

/// The caller's hold on its slot.
pub(super) struct Caller<R, X>(Option<Arc<AnswerSlot<R, X>>>);

impl<R, X> Caller<R, X> {
    pub(super) fn of(slot: Arc<AnswerSlot<R, X>>) -> Self {
        Self(Some(slot))
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Answer<R, X>> {
        let slot = self.0.as_ref().expect("a future is not polled after it is ready");
        let answer = ready!(slot.poll(context));
        self.0 = None;
        Poll::Ready(answer)
    }
}

impl<R, X> Drop for Caller<R, X> {
    fn drop(&mut self) {
        if let Some(slot) = &self.0 {
            slot.close();
        }
    }
}

impl<R, X> fmt::Debug for Caller<R, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Caller").field(&self.0.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_host::{AskError, Receipt, cell::GivenUp};
    use actum_model::{Lane, SequenceNr};
    use std::convert::Infallible;

    type Slot = AnswerSlot<u32, Infallible>;

    fn slot() -> (Arc<Slot>, Caller<u32, Infallible>) {
        let slot = Arc::new(Slot::new(Moment::from_micros(7)));
        let caller = Caller::of(Arc::clone(&slot));
        (slot, caller)
    }

    fn reply(reply: u32) -> Answer<u32, Infallible> {
        Ok((reply, Receipt::new(SequenceNr::ZERO, Lane::default(), None)))
    }

    fn poll(caller: &mut Caller<u32, Infallible>) -> Poll<Answer<u32, Infallible>> {
        caller.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn an_answer_reaches_its_caller_once() {
        let (slot, mut caller) = slot();
        assert!(poll(&mut caller).is_pending());
        assert!(slot.begin() && slot.begin(), "begun again for the same caller");
        assert!(slot.settle(reply(1)).is_none());
        assert_eq!(slot.stage(), AskStage::Settled);
        assert!(!slot.end(EarlyEnd::Late));
        assert!(matches!(poll(&mut caller), Poll::Ready(Ok((1, _)))));
        assert!(slot.settle(reply(2)).is_some());
    }

    #[test]
    fn a_wait_that_was_ended_says_whether_the_command_was_begun() {
        for begun in [false, true] {
            let (slot, mut caller) = slot();
            if begun {
                assert!(slot.begin());
            }
            assert!(slot.end(EarlyEnd::Late));
            assert_eq!(slot.stage(), AskStage::Ended);
            assert!(!slot.begin(), "its caller has another answer");
            assert!(!slot.end(EarlyEnd::Abandoned(&GivenUp::because("x"))), "it has ended");
            assert!(slot.settle(reply(1)).is_some(), "too late");
            let answer = poll(&mut caller);
            assert!(
                matches!(answer, Poll::Ready(Err(AskError::Timeout { maybe_applied })) if maybe_applied == begun)
            );
        }
    }

    #[test]
    fn an_abandoned_wait_is_unknown_once_it_was_begun() {
        let (waiting, mut first) = slot();
        let (begun, mut second) = slot();
        assert!(begun.begin());
        assert!(
            waiting.end(EarlyEnd::Abandoned(&GivenUp::because("x")))
                && begun.end(EarlyEnd::Abandoned(&GivenUp::because("x")))
        );
        assert!(matches!(poll(&mut first), Poll::Ready(Err(AskError::Unavailable { .. }))));
        assert!(matches!(poll(&mut second), Poll::Ready(Err(AskError::OutcomeUnknown { .. }))));
    }

    #[test]
    fn an_answer_to_a_caller_who_has_gone_comes_back() {
        let (slot, caller) = slot();
        drop(caller);
        assert!(slot.settle(reply(1)).is_some());
    }
}
