use crate::{
    alarm::{Alarm, Scheduled},
    clock::Clock,
};
use actum_host::{
    Moment,
    cell::{AskStage, EarlyEnd, GivenUp, OpenAsk},
};
use actum_persistence::panics::guard;
use parking_lot::Mutex;
use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
use tokio::sync::Notify;

/// The callers who wait for commands that went elsewhere: their waits end at their deadlines, whatever happens there.
pub(crate) struct WaitsElsewhere {
    asks: Mutex<Vec<Arc<dyn OpenAsk>>>,
    due: AtomicU64,
    alarm: Arc<Alarm>,
    clock: Clock,
    /// How many commands have not come back.
    outstanding: AtomicUsize,
    none: Notify,
}

/// Counts one command as long as it lives.
pub(crate) struct Outstanding(Arc<WaitsElsewhere>);

/// How many waits that have ended are kept beyond those that have not.
const SLACK: usize = 16;

impl WaitsElsewhere {
    pub(crate) fn new(alarm: Arc<Alarm>, clock: Clock) -> Self {
        Self {
            asks: Mutex::default(),
            due: AtomicU64::new(Moment::NEVER.as_micros()),
            alarm,
            clock,
            outstanding: AtomicUsize::new(0),
            none: Notify::new(),
        }
    }

    /// Takes a command that goes elsewhere, with its caller's wait.
    pub(super) fn begin(self: &Arc<Self>, ask: Option<Arc<dyn OpenAsk>>) -> Outstanding {
        let outstanding = self.outstanding.fetch_add(1, Ordering::AcqRel) + 1;
        if let Some(ask) = ask {
            let deadline = ask.deadline();
            let mut asks = self.asks.lock();
            let mut ended = Vec::new();
            if asks.len() >= 2 * outstanding + SLACK {
                ended.extend(asks.extract_if(.., |ask| !is_open(ask)));
            }
            asks.push(ask);
            let is_first =
                self.due.fetch_min(deadline.as_micros(), Ordering::SeqCst) > deadline.as_micros();
            drop(asks);
            drop(ended); // outside the lock
            if is_first {
                self.alarm.wanted(deadline);
            }
        }
        Outstanding(Arc::clone(self))
    }

    /// Waits until all commands have come back.
    pub(crate) async fn all_back(&self) {
        loop {
            let none = self.none.notified();
            if self.outstanding.load(Ordering::Acquire) == 0 {
                return;
            }
            none.await;
        }
    }

    /// Ends all waits; says how many had not ended.
    pub(crate) fn give_up(&self, why: &GivenUp) -> usize {
        let asks = std::mem::take(&mut *self.asks.lock());
        end(&asks, EarlyEnd::Abandoned(why))
    }
}

impl Scheduled for WaitsElsewhere {
    fn due(&self) -> Moment {
        Moment::from_micros(self.due.load(Ordering::SeqCst))
    }

    fn wake(&self) {
        let now = self.clock.now();
        let mut asks = self.asks.lock();
        let late: Vec<_> =
            asks.extract_if(.., |ask| ask.deadline() <= now || !is_open(ask)).collect();
        let next = asks.iter().map(|ask| ask.deadline()).min().unwrap_or(Moment::NEVER);
        self.due.store(next.as_micros(), Ordering::SeqCst);
        drop(asks);
        end(&late, EarlyEnd::Late); // outside the lock: it wakes callers
    }
}

impl Drop for Outstanding {
    fn drop(&mut self) {
        if self.0.outstanding.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.none.notify_waiters();
        }
    }
}

fn is_open(ask: &Arc<dyn OpenAsk>) -> bool {
    matches!(ask.stage(), AskStage::Waiting | AskStage::Begun)
}

fn end(asks: &[Arc<dyn OpenAsk>], why: EarlyEnd<'_>) -> usize {
    // a waker that panics must not keep others waiting; it is called after the answer is in its place
    asks.iter().filter(|ask| guard(|| ask.end(why)).unwrap_or(true)).count()
}
