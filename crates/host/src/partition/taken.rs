use crate::{
    Moment,
    cell::{AskStage, EarlyEnd, OpenAsk},
};
use actum_persistence::panics::guard;
use std::sync::Arc;

/// The commands of one kind that a partition has taken out of its inbox, as far as others must know them while the
/// partition is stuck in the user's code.
///
/// ```text
///   batch: taken at last, in order     held: taken before, and not answered when the next ones were taken
/// ```
/// It lies beside the inbox, under the same lock: what is taken is noted in the same step. Waits that have ended stay in
/// it for a while, so that a turn needs no lock at its end.
#[derive(Default)]
pub(super) struct Taken {
    /// The first of the batch has its place here: mostly it is the only one.
    first: Option<Entry>,
    more: Vec<Entry>,
    held: Vec<Arc<dyn OpenAsk>>,
    /// The commands that are handled because their entity has recovered, in order.
    pub(super) resumed: Vec<&'static str>,
    /// No deadline of an open wait is earlier.
    earliest: Moment,
}

/// One command of a batch.
pub(super) struct Entry {
    pub(super) command: &'static str,
    /// `None` when no caller waits for it.
    pub(super) ask: Option<Arc<dyn OpenAsk>>,
}

/// Waits that have ended. They are dropped outside of the lock: mostly nothing else holds them any more.
pub(super) type Ended = Vec<Arc<dyn OpenAsk>>;

/// How many waits that have ended are kept beyond those that have not.
pub const WAITS_SLACK: usize = 16;

impl Taken {
    pub(super) fn new() -> Self {
        Self { earliest: Moment::NEVER, ..Self::default() }
    }

    /// Notes the commands of a turn, of which no deadline is before `earliest`. The partition held `unanswered` before.
    pub(super) fn note(
        &mut self,
        batch: impl Iterator<Item = Entry>,
        earliest: Moment,
        unanswered: usize,
        ended: &mut Ended,
    ) {
        self.tidy(unanswered, ended);
        self.earliest = self.earliest.min(earliest);
        for entry in batch {
            if self.first.is_none() {
                self.first = Some(entry);
            } else {
                self.more.push(entry);
            }
        }
    }

    /// Hands over waits that have ended, those of the last batch for certain.
    pub(super) fn tidy(&mut self, unanswered: usize, ended: &mut Ended) {
        let Self { first, more, held, earliest, .. } = self;
        let batch = first.take().into_iter().chain(more.drain(..)).filter_map(|entry| entry.ask);
        if unanswered == 0 {
            // all of them, without a check of each
            ended.extend(batch);
            ended.append(held);
            *earliest = Moment::NEVER;
            return;
        }
        for ask in batch {
            if is_held(&ask) { held.push(ask) } else { ended.push(ask) }
        }
        if held.len() > 2 * unanswered + WAITS_SLACK {
            ended.extend(held.extract_if(.., |ask| !is_held(ask)));
        }
    }

    /// How many waits are noted.
    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len() + self.held.len()
    }

    /// The command at this place of the batch.
    pub(super) fn command(&self, at: usize) -> Option<&'static str> {
        let entry = if at == 0 { self.first.as_ref() } else { self.more.get(at - 1) };
        entry.map(|entry| entry.command)
    }

    /// The open waits whose deadline has passed.
    pub(super) fn late(&mut self, now: Moment) -> Vec<Arc<dyn OpenAsk>> {
        let mut late = Vec::new();
        if self.earliest > now {
            return late;
        }
        let mut next = Moment::NEVER;
        for ask in self.asks().filter(|ask| is_open(ask.stage())) {
            if ask.deadline() <= now {
                late.push(Arc::clone(ask));
            } else {
                next = next.min(ask.deadline());
            }
        }
        self.earliest = next;
        late
    }

    /// The waits whose commands are held.
    pub(super) fn asks(&self) -> impl Iterator<Item = &Arc<dyn OpenAsk>> {
        let batch = self.first.iter().chain(&self.more).filter_map(|entry| entry.ask.as_ref());
        batch.chain(&self.held).filter(|ask| is_held(ask))
    }
}

fn is_held(ask: &Arc<dyn OpenAsk>) -> bool {
    ask.stage() != AskStage::Settled
}

pub(super) fn is_open(stage: AskStage) -> bool {
    matches!(stage, AskStage::Waiting | AskStage::Begun)
}

/// Ends waits, and says how many of them had not ended meanwhile. To be called outside of locks: it wakes callers.
pub(super) fn end_all(asks: &[Arc<dyn OpenAsk>], why: EarlyEnd<'_>) -> usize {
    // a waker that panics must not keep others waiting; it is called after the answer is in its place
    let ended = |ask: &Arc<dyn OpenAsk>| guard(|| ask.end(why)).unwrap_or(true);
    asks.iter().filter(|ask| ended(ask)).count()
}
