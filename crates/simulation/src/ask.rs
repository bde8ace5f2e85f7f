use super::{Log, Note};
use actum_host::{
    Moment,
    cell::{AskStage, EarlyEnd, OpenAsk},
};
use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed},
};

/// The wait of a client for the answer to its command, which can be ended from outside.
pub(crate) struct SimAsk {
    nr: u32,
    deadline: Moment,
    stage: AtomicU8,
    log: Log,
    /// How many of the waits of one inbox are in memory.
    waits: Arc<AtomicUsize>,
}

const STAGES: [AskStage; 4] =
    [AskStage::Waiting, AskStage::Begun, AskStage::Ended, AskStage::Settled];

impl SimAsk {
    pub(crate) fn new(nr: u32, deadline: Moment, log: Log, waits: Arc<AtomicUsize>) -> Self {
        waits.fetch_add(1, Relaxed);
        Self { nr, deadline, stage: AtomicU8::new(AskStage::Waiting as u8), log, waits }
    }

    /// Marks the command as begun, unless its wait has ended.
    pub(crate) fn begin(&self) -> bool {
        let has_ended = self.stage() == AskStage::Ended;
        if !has_ended {
            self.set(AskStage::Begun);
        }
        !has_ended
    }

    /// Marks the command as answered; says whether its wait had ended before.
    pub(crate) fn settle(&self) -> bool {
        let had_ended = self.stage() == AskStage::Ended;
        self.set(AskStage::Settled);
        had_ended
    }

    fn set(&self, stage: AskStage) {
        self.stage.store(stage as u8, Relaxed);
    }
}

impl OpenAsk for SimAsk {
    fn deadline(&self) -> Moment {
        self.deadline
    }

    fn stage(&self) -> AskStage {
        STAGES[usize::from(self.stage.load(Relaxed))]
    }

    fn end(&self, why: EarlyEnd<'_>) -> bool {
        let begun = match self.stage() {
            AskStage::Waiting => false,
            AskStage::Begun => true,
            AskStage::Ended | AskStage::Settled => return false,
        };
        self.set(AskStage::Ended);
        self.log.write(Note::EndedEarly { nr: self.nr, failure: Box::new(why.failure(begun)) });
        true
    }
}

impl Drop for SimAsk {
    fn drop(&mut self) {
        self.waits.fetch_sub(1, Relaxed);
    }
}
