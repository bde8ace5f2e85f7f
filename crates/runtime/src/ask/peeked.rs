use super::{
    Asking,
    answer_slot::{AnswerSlot, Caller},
    asking::{AskState, AskingWithReceipt},
    command_span::command_span,
    command_target::CommandTarget,
    reply_to::{ReplyTo, discard},
};
use actum_host::{
    AskError, Failure, Outcome,
    cell::{Content, Decision, Envelope, Job, JobHeader, OpenAsk, Verdict},
};
use actum_model::{
    Change, CodecError, DecodeError, Entity, Metadata, Payload, SequenceNr, StoredPayload,
};
use actum_persistence::serializer::{EncodeError, Serializer};
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
        let (metadata, deadline) = (Metadata::new(), entrance.deadline(self.timeout));
        let envelope = Envelope { metadata, deadline, expected_revision: None };
        let slot = Arc::new(AnswerSlot::new(deadline));
        let reply_to = ReplyTo::caller(Arc::clone(&slot), command_span::<E>(&key, NAME));
        entrance.deliver_here(key, Box::new(Peeked { envelope, seen: None, reply_to }));
        Asking(AskingWithReceipt(AskState::Waiting(Caller::of(slot))))
    }
}

impl<E: Entity + Clone + Payload> fmt::Debug for Peek<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peek").field("from", &self.from).finish_non_exhaustive()
    }
}

const NAME: &str = "state";

/// A read of the state on its way through the entity: a command that changes nothing.
struct Peeked<E: Entity> {
    envelope: Envelope,
    seen: Option<Result<E, Failure>>,
    reply_to: ReplyTo<E, Infallible>,
}

impl<E: Entity> JobHeader for Peeked<E> {
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

impl<E: Entity + Clone + Payload> Job<E> for Peeked<E> {
    fn content(&self) -> Result<Content, CodecError> {
        unreachable!("a read of the state carries no command id")
    }

    fn handle(&mut self, _: &E, _: &E::Id, _: &E::Env, _: SequenceNr) -> Decision<E> {
        Decision::Accepted { change: Change::Nothing, after_commit: None, passivate: false }
    }

    fn conclude(&mut self, state: &E) {
        self.seen = Some(Ok(state.clone()));
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

impl<E: Entity> Drop for Peeked<E> {
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
