use super::{
    AskingWithReceipt, EntityRef, TellError,
    entrance::Entrance,
    peeked::{Encoded, peek},
    reply_to::discard,
};
use actum_host::{AskError, Failure, cell::EncodedAnswer, settings::EncodeState};
use actum_model::{
    CommandSet, CommandVisitor, Entity, EntityId, EntityKey, Handle, Lists, Metadata, Payload,
    Revision, StoredPayload,
};
use actum_persistence::{error_chain::full_text, panics::guard, serializer::Serializer};
use std::{fmt, pin::Pin, sync::Arc, time::Duration};

/// A kind of entity that was found by its name, for what brings commands as bytes: the gateway of a cluster's node. Cheap to
/// clone.
///
/// Commands that come this way are served here or not at all: where the partition of their entity is not open in this
/// engine they end in [`AskError::Unavailable`], and go nowhere else.
#[derive(Clone)]
pub struct KindRef(Arc<dyn NamedKind>);

/// A command as bytes, with what comes with it.
#[derive(Clone, Debug)]
pub struct EncodedCommand {
    /// The command; its type is found by its manifest.
    pub payload: StoredPayload,
    /// What is stored with its events, its command id included.
    pub metadata: Metadata,
    /// How long to wait for the answer; the engine's `ask_timeout` if none is given.
    pub timeout: Option<Duration>,
    /// The revision the entity must be at, if the caller minds.
    pub expected_revision: Option<Revision>,
}

/// Waits for the answer to a command that came as bytes. The command has been sent.
///
/// # Cancel safety
/// Dropping it does not take the command back: it may still be applied.
pub type EncodedAsking = Pin<Box<dyn Future<Output = EncodedAnswer> + Send>>;

impl KindRef {
    /// States are read through it where it is known how they are encoded.
    pub(crate) fn new<E: Entity>(
        entrance: Arc<Entrance<E>>,
        serializer: Serializer,
        encode_state: Option<EncodeState<E>>,
    ) -> Self {
        Self(Arc::new(Served { entrance, serializer, encode_state }))
    }

    /// The name of the kind.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// Sends a command to the entity of this id; its reply or rejection comes back encoded.
    ///
    /// # Errors
    /// The future ends in an [`AskError`]: the encoded rejection, or what went wrong. It is [`AskError::Invalid`] when the id
    /// can name no entity, or the command cannot be decoded.
    pub fn ask(&self, id: &str, command: EncodedCommand) -> EncodedAsking {
        self.0.ask(id, command)
    }

    /// Reads the state of the entity of this id within `timeout`, or the engine's `ask_timeout`; it comes back encoded.
    ///
    /// # Errors
    /// The future ends in an [`AskError`], never a rejection. It is [`AskError::Invalid`] when the id can name no entity, or
    /// the kind does not say how its state is encoded.
    pub fn state(&self, id: &str, timeout: Option<Duration>) -> EncodedAsking {
        self.0.state(id, timeout)
    }

    /// Sends a command and does not wait, see [`EntityRef::tell`].
    ///
    /// # Errors
    /// [`TellError`] when the command was not even taken.
    pub fn tell(&self, id: &str, command: EncodedCommand) -> Result<(), TellError> {
        self.0.tell(id, command)
    }
}

impl fmt::Debug for KindRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KindRef").field(&self.name()).finish()
    }
}

trait NamedKind: Send + Sync {
    fn name(&self) -> &'static str;
    fn ask(&self, id: &str, command: EncodedCommand) -> EncodedAsking;
    fn state(&self, id: &str, timeout: Option<Duration>) -> EncodedAsking;
    fn tell(&self, id: &str, command: EncodedCommand) -> Result<(), TellError>;
}

struct Served<E: Entity> {
    entrance: Arc<Entrance<E>>,
    serializer: Serializer,
    encode_state: Option<EncodeState<E>>,
}

impl<E: Entity> Served<E> {
    fn key(id: &str) -> Result<EntityKey, String> {
        let key = EntityKey::new(E::KIND, id).map_err(|error| full_text(&error))?;
        match E::Id::from_text(id) {
            Ok(_) => Ok(key),
            Err(error) => Err(full_text(&error)),
        }
    }

    fn entity(&self, id: &str) -> EntityRef<E> {
        match Self::key(id) {
            Ok(key) => EntityRef::new(key, Arc::clone(&self.entrance)),
            Err(what) => EntityRef::nowhere(&what),
        }
    }

    /// Decodes a command, which is the user's code, and hands it to `visitor`.
    fn visit<V: CommandVisitor<E>>(
        &self,
        payload: &StoredPayload,
        visitor: V,
    ) -> Result<V::Output, Failure> {
        match guard(|| <E::Commands as CommandSet<E>>::decode(payload, visitor)) {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => Err(AskError::invalid(full_text(&error))),
            Err(panic) => Err(AskError::invalid(format!("decoding the command panicked: {panic}"))),
        }
    }
}

impl<E: Entity> NamedKind for Served<E> {
    fn name(&self) -> &'static str {
        E::KIND
    }

    fn ask(&self, id: &str, command: EncodedCommand) -> EncodedAsking {
        let EncodedCommand { payload, metadata, timeout, expected_revision } = command;
        let sending = Sending { to: self.entity(id), metadata, timeout, expected_revision };
        let asking = AskEncoded { sending, serializer: self.serializer };
        self.visit(&payload, asking).unwrap_or_else(refused)
    }

    fn state(&self, id: &str, timeout: Option<Duration>) -> EncodedAsking {
        let key = match Self::key(id) {
            Ok(key) => key,
            Err(what) => return refused(AskError::invalid(what)),
        };
        let Some(encode) = self.encode_state else {
            return refused(AskError::invalid(format!(
                "the state of `{}` cannot be read from another node: register the kind with `EntitySettings::\
                 with_remote_state`, or with snapshots",
                E::KIND
            )));
        };
        let look = Encoded { encode, serializer: self.serializer };
        let asking = peek(key, &self.entrance, timeout, look);
        Box::pin(async {
            asking.await.map_err(|error| error.map_rejection(|never| match never {}))
        })
    }

    fn tell(&self, id: &str, command: EncodedCommand) -> Result<(), TellError> {
        let EncodedCommand { payload, metadata, timeout, expected_revision } = command;
        let sending = Sending { to: self.entity(id), metadata, timeout, expected_revision };
        self.visit(&payload, Telling(sending)).unwrap_or_else(|failure| Err(TellError(failure)))
    }
}

/// What was not even asked.
fn refused(failure: Failure) -> EncodedAsking {
    Box::pin(std::future::ready(Err(failure.map_rejection(|never| match never {}))))
}

/// Where a command goes, and with what.
struct Sending<E: Entity> {
    to: EntityRef<E>,
    metadata: Metadata,
    timeout: Option<Duration>,
    expected_revision: Option<Revision>,
}

impl<E: Entity> Sending<E> {
    fn ask<C, I>(self, command: C) -> super::Ask<E, C>
    where
        E: Handle<C>,
        C: Payload,
        E::Commands: Lists<C, I>,
    {
        let Self { to, metadata, timeout, expected_revision } = self;
        let ask = to.ask(command).metadata(metadata);
        let ask = if let Some(timeout) = timeout { ask.timeout(timeout) } else { ask };
        if let Some(expected) = expected_revision { ask.expect_revision(expected) } else { ask }
    }
}

struct AskEncoded<E: Entity> {
    sending: Sending<E>,
    serializer: Serializer,
}

impl<E: Entity> CommandVisitor<E> for AskEncoded<E> {
    type Output = EncodedAsking;

    fn visit<C, I>(self, command: C) -> EncodedAsking
    where
        E: Handle<C>,
        C: Payload,
        E::Commands: Lists<C, I>,
    {
        let asking = self.sending.ask(command).with_receipt().into_future();
        Box::pin(encoded(asking, self.serializer))
    }
}

struct Telling<E: Entity>(Sending<E>);

impl<E: Entity> CommandVisitor<E> for Telling<E> {
    type Output = Result<(), TellError>;

    fn visit<C, I>(self, command: C) -> Self::Output
    where
        E: Handle<C>,
        C: Payload,
        E::Commands: Lists<C, I>,
    {
        self.0.ask(command).tell()
    }
}

/// Encodes the reply or the rejection of an ask.
async fn encoded<R: Payload, X: Payload>(
    asking: AskingWithReceipt<R, X>,
    serializer: Serializer,
) -> EncodedAnswer {
    match asking.await {
        Ok((reply, receipt)) => match encode(&serializer, &reply) {
            Ok(payload) => {
                discard(|| reply);
                Ok((payload, receipt))
            }
            // the command was applied, or has seen what is stored
            Err(what) => {
                Err(AskError::outcome_unknown(format!("the reply cannot be encoded: {what}")))
            }
        },
        Err(AskError::Rejected(rejection)) => Err(match encode(&serializer, &rejection) {
            Ok(payload) => AskError::Rejected(payload),
            Err(what) => AskError::invalid(format!("the rejection cannot be encoded: {what}")),
        }),
        Err(error) => Err(error.map_rejection(|_| unreachable!("a rejection is matched above"))),
    }
}

fn encode<T: Payload>(serializer: &Serializer, value: &T) -> Result<StoredPayload, String> {
    guard(|| serializer.encode(value))
        .and_then(|encoded| encoded.map_err(|error| full_text(&error)))
}
