use super::{
    Answer, Flaw, Log, Note, Order, Reply, SimAsk, Subject, Tally, Wish, command_id,
    compact::blow_up, reply::Trouble,
};
use actum_host::{
    Failure, Moment, Outcome,
    cell::{AfterCommit, Content, Decision, Envelope, Job, JobHeader, OpenAsk, Verdict},
};
use actum_model::{CodecError, DecodeError, Metadata, Revision, SequenceNr, StoredPayload};
use actum_persistence::serializer::{EncodeError, Serializer};
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

/// A command on its way. It keeps to what a job of a real caller keeps to, and notes everything that is done with it.
pub(crate) struct SimJob {
    order: Order,
    envelope: Envelope,
    stage: Stage,
    /// None when no caller waits.
    ask: Option<Arc<SimAsk>>,
    log: Log,
    tally: Arc<Tally>,
}

#[derive(Debug)]
enum Stage {
    Command,
    /// Accepted; what it saw.
    Deciding(u64),
    Answer(Answer),
    /// The user's code was entered and did not return.
    Lost,
    Settled,
}

impl SimJob {
    /// An order as it comes to a process, whose clock shows `deadline` when its caller stops waiting.
    pub(crate) fn new(
        order: Order,
        deadline: Moment,
        ask: Option<Arc<SimAsk>>,
        log: Log,
        tally: Arc<Tally>,
    ) -> Self {
        tally.came();
        let mut metadata = Metadata::new();
        if let Some(id) = order.id {
            metadata = metadata.with_command_id(command_id(id));
        }
        if order.plan.flaw == Flaw::MetadataTooLarge {
            metadata = metadata.with_header("large", "x".repeat(100));
        }
        let expected_revision = order.expected_revision.map(Revision::new);
        let envelope = Envelope { metadata, deadline, expected_revision };
        Self { order, envelope, stage: Stage::Command, ask, log, tally }
    }

    fn misused(&self, how: &'static str) {
        self.log.write(Note::Misused { nr: self.order.nr, how });
    }

    fn move_on(&mut self) -> Stage {
        std::mem::replace(&mut self.stage, Stage::Lost)
    }
}

impl JobHeader for SimJob {
    fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    fn command(&self) -> &'static str {
        self.order.command
    }

    fn open_ask(&self) -> Option<Arc<dyn OpenAsk>> {
        self.ask.clone().map(|ask| ask as Arc<dyn OpenAsk>)
    }

    fn begin(&mut self) -> bool {
        self.ask.as_ref().is_none_or(|ask| ask.begin())
    }
}

impl<E: Subject> Job<E> for SimJob {
    #[expect(clippy::disallowed_types, reason = "no value of it outlives the run")]
    fn content(&self) -> Result<Content, CodecError> {
        match self.order.plan.flaw {
            Flaw::FingerprintFails => {
                return Err(CodecError::new("this command has no encoding"));
            }
            Flaw::FingerprintPanics => blow_up("taking a fingerprint"),
            _ => {}
        }
        let mut hasher = std::hash::DefaultHasher::new();
        self.order.plan.hash(&mut hasher);
        Ok(Content { schema_version: 1, fingerprint: hasher.finish() })
    }

    fn handle(&mut self, state: &E, _: &u64, (): &(), at: SequenceNr) -> Decision<E> {
        let Order { nr, plan, .. } = self.order;
        if !matches!(self.move_on(), Stage::Command) {
            self.misused("handled twice");
        }
        self.tally.handled_one();
        self.log.write(Note::Handled { nr, at: at.get(), seen: state.digest() });
        if plan.flaw == Flaw::HandlerPanics {
            blow_up("handling");
        }
        if plan.wish == Wish::Reject {
            self.stage = Stage::Answer(Answer::Rejection);
            return Decision::Rejected;
        }
        self.stage = Stage::Deciding(state.digest());
        let log = self.log.clone();
        Decision::Accepted {
            change: state.change(nr, &plan),
            after_commit: plan
                .acts
                .then(|| AfterCommit::new(Box::new(move || log.write(Note::Acted { nr })))),
            passivate: plan.passivates,
        }
    }

    fn conclude(&mut self, state: &E) {
        let Order { nr, plan, .. } = self.order;
        let Stage::Deciding(seen) = self.move_on() else {
            self.misused("concluded without a decision");
            return;
        };
        if plan.flaw == Flaw::ConcludingPanics {
            blow_up("concluding");
        }
        self.log.write(Note::Concluded { nr, digest: state.digest() });
        let trouble = match plan.flaw {
            Flaw::RecordingFails => Trouble::Fails,
            Flaw::RecordingPanics => Trouble::Panics,
            _ => Trouble::None,
        };
        let digest = if plan.replies_from_state { state.digest() } else { seen };
        self.stage = Stage::Answer(Answer::Reply(Reply { nr, digest, trouble }));
    }

    fn refuse(&mut self, failure: Failure) {
        self.log.write(Note::Refused { nr: self.order.nr });
        self.stage = Stage::Answer(Answer::Failure(failure));
    }

    fn recorded_reply(&self, serializer: &Serializer) -> Result<StoredPayload, EncodeError> {
        match &self.stage {
            Stage::Answer(Answer::Reply(reply)) => serializer.encode(reply),
            _ => {
                self.misused("recorded without a reply");
                blow_up("misused");
            }
        }
    }

    fn replay(
        &mut self,
        serializer: &Serializer,
        recorded: &StoredPayload,
    ) -> Result<(), DecodeError> {
        let nr = self.order.nr;
        if !matches!(self.move_on(), Stage::Command) {
            self.misused("replayed after it was handled");
        }
        let reply: Reply = serializer.decode(recorded)?;
        self.log.write(Note::Replayed { nr, reply });
        match self.order.plan.flaw {
            Flaw::ReplayPanics => blow_up("replaying"),
            Flaw::ReplayFails => {
                let source = CodecError::new("this reply cannot be read");
                let manifest = recorded.manifest.clone();
                return Err(DecodeError::Damaged {
                    manifest,
                    version: 1,
                    codec: "compact",
                    source,
                });
            }
            _ => self.stage = Stage::Answer(Answer::Recorded(reply)),
        }
        Ok(())
    }

    fn outcome(&self) -> Outcome {
        match &self.stage {
            Stage::Answer(Answer::Rejection) => Outcome::Rejected,
            Stage::Answer(Answer::Failure(failure)) => Outcome::Failed(failure.label()),
            _ => Outcome::Replied,
        }
    }

    fn forget(&mut self) {
        self.stage = Stage::Settled;
    }

    fn settle(mut self: Box<Self>, verdict: Verdict) {
        let nr = self.order.nr;
        let answer = match std::mem::replace(&mut self.stage, Stage::Settled) {
            Stage::Answer(answer) => answer,
            _ => Answer::Nothing,
        };
        self.tally.answered_one();
        let had_ended = self.ask.as_ref().is_some_and(|ask| ask.settle());
        self.log.write(if had_ended {
            Note::Released { nr }
        } else {
            Note::Settled { nr, answer: Box::new((answer, verdict)) }
        });
    }
}

impl Drop for SimJob {
    fn drop(&mut self) {
        self.tally.went();
        if !matches!(self.stage, Stage::Settled) {
            // no one can wait for a job that is gone
            let had_ended = self.ask.as_ref().is_some_and(|ask| ask.settle());
            let nr = self.order.nr;
            self.log.write(if had_ended { Note::Released { nr } } else { Note::Dropped { nr } });
        }
    }
}
