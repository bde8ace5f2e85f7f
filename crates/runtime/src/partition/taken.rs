use crate::cell::{AskStage, EarlyEnd, Moment, OpenAsk};
use actum_persistence::panics::guard;
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// The commands of one kind that a partition has taken out of its inbox and not answered, and which of them it handles at
/// the moment: as much as others must know while the partition is stuck in the user's code.
///
/// ```text
///   batch: taken in this turn, in order     held: taken before, not answered at the end of their turn
/// ```
/// The partition locks it twice a turn, whatever the number of commands. It outlives the partition's actor.
pub(crate) struct Taken {
    lists: Mutex<Lists>,
    /// Which code of the user's runs: a place in the batch, or one of the steps below.
    step: AtomicUsize,
    /// Since when.
    since: AtomicU64,
    /// Of which run, by its beginning, a warning was given.
    warned: AtomicU64,
    given_up: AtomicBool,
    /// How many commands the partition holds, of those that nobody waits for too.
    unanswered: AtomicUsize,
}

#[derive(Default)]
struct Lists {
    batch: Vec<Entry>,
    /// Those that were answered meanwhile are removed now and then.
    held: Vec<Arc<dyn OpenAsk>>,
    /// The commands that are handled because their entity has recovered.
    recovered: Vec<&'static str>,
    /// No deadline is earlier.
    earliest: Moment,
    abandoned: Option<&'static str>,
}

/// One command of a batch.
pub(crate) struct Entry {
    pub(crate) command: &'static str,
    /// `None` when nobody waits for it.
    pub(crate) ask: Option<Arc<dyn OpenAsk>>,
}

/// A handler that has run for too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlowRun {
    pub(crate) commands: String,
    pub(crate) ran_for: Duration,
}

const NOTHING: usize = usize::MAX;
const RECOVERED: usize = usize::MAX - 1;
const AFTER_COMMIT: usize = usize::MAX - 2;

/// How many waits that have ended a list may keep beyond those that have not.
const SLACK: usize = 16;

impl Taken {
    pub(crate) fn new() -> Self {
        let lists = Mutex::new(Lists { earliest: Moment::NEVER, ..Lists::default() });
        let (step, since) = (AtomicUsize::new(NOTHING), AtomicU64::new(0));
        let (warned, given_up) = (AtomicU64::new(u64::MAX), AtomicBool::new(false));
        Self { lists, step, since, warned, given_up, unanswered: AtomicUsize::new(0) }
    }

    /// Notes the commands of a turn.
    ///
    /// # Errors
    /// Why they must not be handled, if the partition was given up.
    pub(crate) fn begin(&self, batch: impl Iterator<Item = Entry>) -> Result<(), &'static str> {
        let mut lists = self.lists.lock();
        if let Some(reason) = lists.abandoned {
            return Err(reason);
        }
        let Lists { batch: noted, earliest, .. } = &mut *lists;
        noted.extend(batch.inspect(|entry| {
            if let Some(ask) = &entry.ask {
                *earliest = (*earliest).min(ask.deadline());
            }
        }));
        Ok(())
    }

    /// The command at this place of the batch is handled from now on.
    pub(crate) fn runs(&self, at: usize, now: Moment) {
        self.since.store(now.as_micros(), Ordering::Relaxed);
        self.step.store(at, Ordering::Release);
    }

    /// Commands are handled from now on whose entity has recovered.
    pub(crate) fn runs_recovered(&self, commands: &[&'static str], now: Moment) {
        commands.clone_into(&mut self.lists.lock().recovered);
        self.runs(RECOVERED, now);
    }

    /// Actions behind commits run from now on.
    pub(crate) fn runs_actions(&self, now: Moment) {
        self.runs(AFTER_COMMIT, now);
    }

    /// No code of the user's runs any more.
    pub(crate) fn rests(&self) {
        self.step.store(NOTHING, Ordering::Release);
    }

    /// Whether a run that began then has not been warned of; it counts as warned of from now on.
    pub(crate) fn is_new(&self, since: Moment) -> bool {
        self.warned.swap(since.as_micros(), Ordering::Relaxed) != since.as_micros()
    }

    /// Whether a handler runs for longer than `limit`.
    pub(crate) fn is_slow(&self, limit: Duration, now: Moment) -> bool {
        let since = Moment::from_micros(self.since.load(Ordering::Relaxed));
        self.step.load(Ordering::Acquire) != NOTHING && now.since(since) > limit
    }

    /// The handler that runs for longer than `limit`, once a run.
    pub(crate) fn slow_run(&self, limit: Duration, now: Moment) -> Option<SlowRun> {
        let step = self.step.load(Ordering::Acquire);
        let since = Moment::from_micros(self.since.load(Ordering::Relaxed));
        let ran_for = now.since(since);
        if step == NOTHING || ran_for <= limit {
            return None;
        }
        let commands = {
            let lists = self.lists.lock();
            match step {
                RECOVERED => lists.recovered.join(", "),
                AFTER_COMMIT => "after_commit".to_owned(),
                at => lists.batch.get(at)?.command.to_owned(),
            }
        };
        // it may have ended meanwhile, and then it is named when it has
        let is_same = self.step.load(Ordering::Acquire) == step
            && self.since.load(Ordering::Relaxed) == since.as_micros();
        (is_same && self.is_new(since)).then_some(SlowRun { commands, ran_for })
    }

    /// Ends the turn of the batch: keeps what is still open. Says how many waits are kept.
    pub(crate) fn end(&self, unanswered: usize) -> usize {
        let mut lists = self.lists.lock();
        let Lists { batch, held, earliest, .. } = &mut *lists;
        let open = |ask: &Arc<dyn OpenAsk>| ask.stage() != AskStage::Settled;
        held.extend(batch.drain(..).filter_map(|entry| entry.ask).filter(open));
        if is_worth_tidying(held.len(), unanswered) {
            held.retain(open);
        }
        if held.is_empty() {
            *earliest = Moment::NEVER;
        }
        held.len()
    }

    /// Ends waits whose deadline has passed.
    pub(crate) fn end_late(&self, now: Moment) {
        let mut late = Vec::new();
        {
            let mut lists = self.lists.lock();
            if lists.earliest > now {
                return;
            }
            let mut next = Moment::NEVER;
            for ask in lists.asks().filter(|ask| is_open(ask.stage())) {
                if ask.deadline() <= now {
                    late.push(Arc::clone(ask));
                } else {
                    next = next.min(ask.deadline());
                }
            }
            lists.earliest = next;
        }
        end_all(late, EarlyEnd::Late); // outside the lock: it wakes callers
    }

    /// Ends all waits, and lets no command be begun any more. Says how many commands were held and not answered, those
    /// that nobody waits for included.
    pub(crate) fn give_up(&self, reason: &'static str) -> usize {
        let mut answered = 0;
        let mut open = Vec::new();
        {
            let mut lists = self.lists.lock();
            lists.abandoned = Some(reason);
            self.given_up.store(true, Ordering::Release);
            for ask in lists.asks() {
                match ask.stage() {
                    AskStage::Settled => {}
                    AskStage::Ended => answered += 1,
                    AskStage::Waiting | AskStage::Begun => open.push(Arc::clone(ask)),
                }
            }
        }
        let held = self.unanswered.load(Ordering::Acquire);
        let ended = end_all(open, EarlyEnd::Abandoned(reason));
        ended.max(held.saturating_sub(answered))
    }

    /// How many commands the partition holds.
    pub(crate) fn set_unanswered(&self, commands: usize) {
        self.unanswered.store(commands, Ordering::Release);
    }

    /// Whether no command may be begun any more.
    pub(crate) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }

    /// Forgets everything: the commands were dropped with the partition.
    pub(crate) fn clear(&self) {
        self.rests();
        self.set_unanswered(0);
        let mut lists = self.lists.lock();
        let abandoned = lists.abandoned;
        let left = std::mem::take(&mut *lists);
        (lists.earliest, lists.abandoned) = (Moment::NEVER, abandoned);
        drop(lists);
        drop(left);
    }
}

impl Lists {
    fn asks(&self) -> impl Iterator<Item = &Arc<dyn OpenAsk>> {
        self.batch.iter().filter_map(|entry| entry.ask.as_ref()).chain(&self.held)
    }
}

/// Whether a list of `held` waits has too many among them that have ended.
pub(crate) fn is_worth_tidying(held: usize, unanswered: usize) -> bool {
    held > 2 * unanswered + SLACK || (unanswered == 0 && held > 0)
}

pub(super) fn is_open(stage: AskStage) -> bool {
    matches!(stage, AskStage::Waiting | AskStage::Begun)
}

/// Ends waits, and says how many of them had not ended meanwhile.
pub(super) fn end_all(asks: Vec<Arc<dyn OpenAsk>>, why: EarlyEnd) -> usize {
    asks.into_iter().filter(|ask| end_one(&**ask, why)).count()
}

/// A waker that panics must not keep others waiting; it is called after the answer is in its place.
fn end_one(ask: &dyn OpenAsk, why: EarlyEnd) -> bool {
    guard(|| ask.end(why)).unwrap_or(true)
}
