use super::reply_to::{ReplyTo, discard};
use actum_host::{
    AskError, Failure, Outcome,
    cell::{
        AfterCommit, Content, Decision, EncodedAnswer, EncodedRequest, Envelope, Job, JobHeader,
        OpenAsk, PortableJob, Verdict,
    },
};
use actum_model::{
    Codec, CodecError, Ctx, DecodeError, EffectParts, Handle, Payload, ReplyFrom, SequenceNr,
    StoredPayload,
};
use actum_persistence::{
    error_chain::full_text,
    panics::guard,
    serializer::{EncodeError, Serializer},
};
use std::sync::Arc;

/// A command of a user's on its way through its entity.
pub(crate) struct Asked<E: Handle<C>, C: Payload> {
    envelope: Envelope,
    stage: CommandStage<E, C, E::Reply, E::Rejection>,
    reply_to: ReplyTo<E::Reply, E::Rejection>,
}

enum CommandStage<E, C, R, X> {
    Command(C),
    /// The change is decided; the reply waits for the state after it.
    Deciding(ReplyFrom<E, R>),
    Answer(Result<R, AskError<X>>),
    /// The user's code was entered and did not return.
    Lost,
}

impl<E: Handle<C>, C: Payload> Asked<E, C> {
    pub(crate) fn new(
        command: C,
        envelope: Envelope,
        reply_to: ReplyTo<E::Reply, E::Rejection>,
    ) -> Self {
        Self { envelope, stage: CommandStage::Command(command), reply_to }
    }

    fn answer_with(&mut self, answer: Result<E::Reply, AskError<E::Rejection>>) {
        let before = std::mem::replace(&mut self.stage, CommandStage::Answer(answer));
        discard(|| before);
    }
}

impl<E: Handle<C>, C: Payload> JobHeader for Asked<E, C> {
    fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    fn command(&self) -> &'static str {
        C::MANIFEST
    }

    fn open_ask(&self) -> Option<Arc<dyn OpenAsk>> {
        self.reply_to.open_ask()
    }

    fn begin(&mut self) -> bool {
        self.reply_to.begin()
    }
}

impl<E: Handle<C>, C: Payload> Job<E> for Asked<E, C> {
    fn content(&self) -> Result<Content, CodecError> {
        let CommandStage::Command(command) = &self.stage else {
            unreachable!("a command is looked at before it is handled");
        };
        let fingerprint = C::Codec::fingerprint(command)?;
        Ok(Content { schema_version: C::SCHEMA_VERSION, fingerprint })
    }

    fn handle(&mut self, state: &E, id: &E::Id, env: &E::Env, at: SequenceNr) -> Decision<E> {
        let CommandStage::Command(command) = std::mem::replace(&mut self.stage, CommandStage::Lost)
        else {
            unreachable!("a command is handled once");
        };
        let _entered = self.reply_to.span().enter();
        let ctx = Ctx::new(id, env, at, &self.envelope.metadata);
        match state.handle(command, &ctx) {
            Ok(effect) => {
                let EffectParts { change, reply, after_commit, passivate } = effect.into_parts();
                self.stage = CommandStage::Deciding(reply);
                let after_commit = after_commit.map(AfterCommit::new);
                Decision::Accepted { change, after_commit, passivate }
            }
            Err(rejection) => {
                self.stage = CommandStage::Answer(Err(AskError::Rejected(rejection)));
                Decision::Rejected
            }
        }
    }

    fn conclude(&mut self, state: &E) {
        let CommandStage::Deciding(reply) = std::mem::replace(&mut self.stage, CommandStage::Lost)
        else {
            unreachable!("a command concludes once, after it was accepted");
        };
        self.stage = CommandStage::Answer(Ok(match reply {
            ReplyFrom::Value(value) => value,
            ReplyFrom::State(reply) => reply(state),
        }));
    }

    fn refuse(&mut self, failure: Failure) {
        self.answer_with(Err(failure.map_rejection(|never| match never {})));
    }

    fn recorded_reply(&self, serializer: &Serializer) -> Result<StoredPayload, EncodeError> {
        let CommandStage::Answer(Ok(reply)) = &self.stage else {
            unreachable!("a reply is recorded after it is concluded")
        };
        serializer.encode(reply)
    }

    fn replay(
        &mut self,
        serializer: &Serializer,
        recorded: &StoredPayload,
    ) -> Result<(), DecodeError> {
        self.answer_with(Ok(serializer.decode(recorded)?));
        Ok(())
    }

    fn outcome(&self) -> Outcome {
        match &self.stage {
            CommandStage::Answer(Err(AskError::Rejected(_))) => Outcome::Rejected,
            CommandStage::Answer(Err(failure)) => Outcome::Failed(failure.label()),
            _ => Outcome::Replied,
        }
    }

    fn into_portable(self: Box<Self>) -> Option<Box<dyn PortableJob>> {
        Some(self)
    }

    fn forget(&mut self) {
        self.reply_to.forget();
    }

    fn settle(mut self: Box<Self>, verdict: Verdict) {
        let answer = match verdict {
            Err(failure) => Err(failure.map_rejection(|never| match never {})),
            Ok(receipt) => match std::mem::replace(&mut self.stage, CommandStage::Lost) {
                CommandStage::Answer(answer) => answer.map(|reply| (reply, receipt)),
                _ => unreachable!("only a prepared answer becomes durable"),
            },
        };
        self.reply_to.send(answer);
    }
}

/// It was not handled here, and is answered from elsewhere.
impl<E: Handle<C>, C: Payload> PortableJob for Asked<E, C> {
    fn encode(&self) -> Result<EncodedRequest, CodecError> {
        let CommandStage::Command(command) = &self.stage else {
            unreachable!("a command that is handled here goes nowhere else");
        };
        StoredPayload::encode(command).map(EncodedRequest::Command)
    }

    fn answer(mut self: Box<Self>, answer: EncodedAnswer) {
        let answer = match answer {
            Ok((reply, receipt)) => match decode(&reply) {
                Ok(reply) => Ok((reply, receipt)),
                // the command was applied, or has seen what is stored
                Err(what) => Err(AskError::outcome_unknown(format!("the reply {what}"))),
            },
            Err(AskError::Rejected(rejection)) => Err(match decode(&rejection) {
                Ok(rejection) => AskError::Rejected(rejection),
                Err(what) => AskError::invalid(format!("the rejection {what}")),
            }),
            Err(error) => {
                Err(error.map_rejection(|_| unreachable!("a rejection is matched above")))
            }
        };
        self.reply_to.send(answer);
    }
}

/// Decodes an answer, which is the user's code; says why it cannot.
pub(super) fn decode<T: Payload>(answer: &StoredPayload) -> Result<T, String> {
    match guard(|| answer.decode()) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(format!("cannot be decoded: {}", full_text(&error))),
        Err(panic) => Err(format!("cannot be decoded: its codec panicked: {panic}")),
    }
}

impl<E: Handle<C>, C: Payload> Drop for Asked<E, C> {
    /// Only a partition that goes down drops a command without an answer: its caller gets a failure. What is left of the user's
    /// may panic when it is dropped, and does so alone.
    fn drop(&mut self) {
        if self.reply_to.is_open() {
            self.reply_to.send(Err(match self.stage {
                CommandStage::Command(_) => {
                    AskError::unavailable("the entity's partition went down")
                }
                _ => AskError::outcome_unknown("the entity's partition went down"),
            }));
        }
        let left = std::mem::replace(&mut self.stage, CommandStage::Lost);
        discard(|| left);
    }
}
