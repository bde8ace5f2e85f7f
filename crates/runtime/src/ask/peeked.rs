use super::{
    Asking, Entrance,
    answer_slot::{AnswerSlot, Caller},
    asked::decode,
    asking::{AskState, AskingWithReceipt},
    command_span::command_span,
    command_target::CommandTarget,
    reply_to::{ReplyTo, discard},
};
use actum_host::{
    AskError, Failure, Outcome,
    cell::{
        Content, Decision, EncodedAnswer, EncodedRequest, Envelope, Job, JobHeader, OpenAsk,
        PortableJob, Verdict,
    },
    settings::EncodeState,
};
use actum_model::{
    Change, CodecError, DecodeError, Entity, EntityKey, Metadata, Payload, SequenceNr,
    StoredPayload,
};
use actum_persistence::{
    error_chain::full_text,
    panics::guard,
    serializer::{EncodeError, Serializer},
};
use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

/// A read of the state of an entity: await it, or add a timeout first.
#[must_use = "nothing is asked unless it is awaited"]
pub struct Peek<E: Entity + Clone + Payload> {
    from: CommandTarget<E>,
    timeout: Option<Duration>,
}

impl<E: Entity + Clone + Payload> Peek<E> {
    pub(super) fn new(from: CommandTarget<E>) -> Self {
        Self { from, timeout: None }
    }

    /// Gives up waiting after `timeout`; otherwise after the engine's `ask_timeout`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl<E: Entity + Clone + Payload> IntoFuture for Peek<E> {
    type Output = Result<E, AskError<Infallible>>;
    type IntoFuture = Asking<E, Infallible>;

    fn into_future(self) -> Self::IntoFuture {
        let (key, entrance) = match self.from {
            CommandTarget::Entity { key, entrance } => (key, entrance),
            CommandTarget::Nowhere(what) => {
                return Asking(AskingWithReceipt(AskState::Refused(Some(AskError::invalid(
                    &*what,
                )))));
            }
        };
        Asking(peek(key, &entrance, self.timeout, Copied))
    }
}

/// Has the state of an entity looked at.
pub(super) fn peek<E: Entity, L: Look<E>>(
    key: EntityKey,
    entrance: &Entrance<E>,
    timeout: Option<Duration>,
    look: L,
) -> AskingWithReceipt<L::Seen, Infallible> {
    let (metadata, deadline) = (Metadata::new(), entrance.deadline(timeout));
    let envelope = Envelope { metadata, deadline, expected_revision: None };
    let slot = Arc::new(AnswerSlot::new(deadline));
    let reply_to = ReplyTo::caller(Arc::clone(&slot), command_span::<E>(&key, NAME));
    entrance.deliver(key, Box::new(Peeked { envelope, look, seen: None, reply_to }));
    AskingWithReceipt(AskState::Waiting(Caller::of(slot)))
}

/// What is taken of a state that is looked at.
pub(super) trait Look<E: Entity>: Send + Sized + 'static {
    type Seen: Send + 'static;

    /// Takes it.
    fn see(&self, state: &E) -> Result<Self::Seen, Failure>;

    /// Makes of a read what can leave the engine.
    fn portable(_: Box<Peeked<E, Self>>) -> Option<Box<dyn PortableJob>> {
        None
    }
}

/// A copy of it, which another engine can make as well.
struct Copied;

impl<E: Entity + Clone + Payload> Look<E> for Copied {
    type Seen = E;

    fn see(&self, state: &E) -> Result<E, Failure> {
        Ok(state.clone())
    }

    fn portable(read: Box<Peeked<E, Self>>) -> Option<Box<dyn PortableJob>> {
        Some(read)
    }
}

/// Its encoding, for another engine. It comes from there and goes nowhere else.
pub(super) struct Encoded<E> {
    pub(super) encode: EncodeState<E>,
    pub(super) serializer: Serializer,
}

impl<E: Entity> Look<E> for Encoded<E> {
    type Seen = StoredPayload;

    fn see(&self, state: &E) -> Result<StoredPayload, Failure> {
        match guard(|| (self.encode)(&self.serializer, state)) {
            Ok(Ok(encoded)) => Ok(encoded),
            Ok(Err(error)) => {
                let error = full_text(&error);
                Err(AskError::invalid(format!("the state cannot be encoded: {error}")))
            }
            Err(message) => Err(AskError::Panicked { command: NAME, message }),
        }
    }
}

impl<E: Entity + Clone + Payload> fmt::Debug for Peek<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peek").field("from", &self.from).finish_non_exhaustive()
    }
}

const NAME: &str = "state";

/// A read of the state on its way through the entity: a command that changes nothing.
pub(super) struct Peeked<E: Entity, L: Look<E>> {
    envelope: Envelope,
    look: L,
    seen: Option<Result<L::Seen, Failure>>,
    reply_to: ReplyTo<L::Seen, Infallible>,
}

impl<E: Entity, L: Look<E>> JobHeader for Peeked<E, L> {
    fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    fn command(&self) -> &'static str {
        NAME
    }

    fn open_ask(&self) -> Option<Arc<dyn OpenAsk>> {
        self.reply_to.open_ask()
    }

    fn begin(&mut self) -> bool {
        self.reply_to.begin()
    }
}

impl<E: Entity, L: Look<E>> Job<E> for Peeked<E, L> {
    fn content(&self) -> Result<Content, CodecError> {
        unreachable!("a read of the state carries no command id")
    }

    fn handle(&mut self, _: &E, _: &E::Id, _: &E::Env, _: SequenceNr) -> Decision<E> {
        Decision::Accepted { change: Change::Nothing, after_commit: None, passivate: false }
    }

    fn conclude(&mut self, state: &E) {
        self.seen = Some(self.look.see(state));
    }

    fn refuse(&mut self, failure: Failure) {
        let before = self.seen.replace(Err(failure));
        discard(|| before);
    }

    fn recorded_reply(&self, _: &Serializer) -> Result<StoredPayload, EncodeError> {
        unreachable!("a read of the state carries no command id")
    }

    fn replay(&mut self, _: &Serializer, _: &StoredPayload) -> Result<(), DecodeError> {
        unreachable!("a read of the state carries no command id")
    }

    fn outcome(&self) -> Outcome {
        match &self.seen {
            Some(Err(failure)) => Outcome::Failed(failure.label()),
            _ => Outcome::Replied,
        }
    }

    fn into_portable(self: Box<Self>) -> Option<Box<dyn PortableJob>> {
        L::portable(self)
    }

    fn forget(&mut self) {
        self.reply_to.forget();
    }

    fn settle(mut self: Box<Self>, verdict: Verdict) {
        let answer = match verdict {
            Err(failure) => Err(failure),
            Ok(receipt) => {
                let seen = self.seen.take().expect("only a prepared answer becomes durable");
                seen.map(|state| (state, receipt))
            }
        };
        self.reply_to.send(answer);
    }
}

/// It was not looked at here, and is answered from elsewhere.
impl<E: Entity + Clone + Payload> PortableJob for Peeked<E, Copied> {
    fn reads_state(&self) -> bool {
        true
    }

    fn encode(&self) -> Result<EncodedRequest, CodecError> {
        Ok(EncodedRequest::State)
    }

    fn answer(mut self: Box<Self>, answer: EncodedAnswer) {
        let answer = match answer {
            Ok((state, receipt)) => match decode(&state) {
                Ok(state) => Ok((state, receipt)),
                Err(what) => Err(AskError::invalid(format!("the state {what}"))),
            },
            Err(error) => Err(match error {
                AskError::Rejected(_) => AskError::invalid("a read of the state was rejected"),
                error => error.map_rejection(|_| unreachable!("a rejection is matched above")),
            }),
        };
        self.reply_to.send(answer);
    }
}

impl<E: Entity, L: Look<E>> Drop for Peeked<E, L> {
    /// Only a partition that goes down drops a read without an answer: its caller gets a failure. The state that was seen may
    /// panic when it is dropped, and does so alone.
    fn drop(&mut self) {
        if self.reply_to.is_open() {
            self.reply_to.send(Err(AskError::unavailable("the entity's partition went down")));
        }
        let seen = self.seen.take();
        discard(|| seen);
    }
}
