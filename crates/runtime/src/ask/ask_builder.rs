use super::{
    Asking, AskingWithReceipt, TellError,
    answer_slot::{AnswerSlot, Caller},
    asked::Asked,
    asking::AskState,
    command_span::command_span,
    command_target::CommandTarget,
    reply_to::ReplyTo,
};
use actum_host::{AskError, cell::Envelope};
use actum_model::{CommandId, Handle, Metadata, Payload, Revision};
use std::{fmt, sync::Arc, time::Duration};

/// A command about to be sent: await it, or add to it first. `.await` sends it, and so does
/// [`into_future`](IntoFuture::into_future), which `tokio::spawn` and `join!` need: it is sent before that future is polled.
#[must_use = "nothing is sent unless it is awaited"]
pub struct Ask<E: Handle<C>, C: Payload> {
    to: CommandTarget<E>,
    command: C,
    timeout: Option<Duration>,
    expected_revision: Option<Revision>,
    metadata: Metadata,
    command_id: Option<CommandId>,
    cause: Option<String>,
    /// Why the command id that was given last is not valid.
    invalid: Option<String>,
}

/// As [`Ask`], and its future also says where the command left the entity.
#[must_use = "nothing is sent unless it is awaited"]
pub struct AskWithReceipt<E: Handle<C>, C: Payload>(Ask<E, C>);

impl<E: Handle<C>, C: Payload> Ask<E, C> {
    pub(super) fn new(to: CommandTarget<E>, command: C) -> Self {
        Self {
            to,
            command,
            timeout: None,
            expected_revision: None,
            metadata: Metadata::new(),
            command_id: None,
            cause: None,
            invalid: None,
        }
    }

    /// Gives up waiting after `timeout`; otherwise after the engine's `ask_timeout`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Names the caller's intention: sent again with the same id, also after a crash, the command is not
    /// applied again, and gets the reply it got the first time: for as long as the entity remembers the id, see
    /// [`CommandWindow`](crate::settings::CommandWindow). By default that is in any case the last 100 ids, and those of
    /// the last 10 minutes unless 100,000 others come meanwhile or the engine's memory for ids is full.
    ///
    /// This holds for commands that changed their entity. One that changed nothing, such as a query, a command that is
    /// rejected, or one that stores no event, is not remembered: sent again, it is decided again, on the state as it is
    /// then, and may take effect then.
    ///
    /// The content of the command counts too: another one under the same id ends in [`AskError::CommandIdReused`]. With the
    /// codecs for serde, a command that holds a sequence without an order, such as a `HashSet`, looks like another one each
    /// time; use a `BTreeSet`. The order of a `HashMap` does not matter, and a field that is `None` does not count: an
    /// `Option` may be added to a command. Any other change of a command's fields wants a new `SCHEMA_VERSION`.
    ///
    /// An id that is not a [`CommandId`] ends in [`AskError::Invalid`]; of several ids the last one counts.
    pub fn command_id(mut self, id: impl AsRef<str>) -> Self {
        match CommandId::new(id) {
            Ok(id) => (self.command_id, self.invalid) = (Some(id), None),
            Err(error) => self.invalid = Some(error.to_string()),
        }
        self
    }

    /// Applies the command only if the entity is at this revision: the number of its events, or writes. Otherwise the
    /// future ends in [`AskError::RevisionMismatch`]. Takes a [`Revision`], the [`SequenceNr`](actum_model::SequenceNr)
    /// of an event, or the [`Receipt`](actum_host::Receipt) of an earlier ask.
    pub fn expect_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.expected_revision = Some(revision.into());
        self
    }

    /// Sends this along, to be stored with every event of the command, in place of metadata given before. What was given
    /// by [`command_id`](Self::command_id) and [`caused_by`](Self::caused_by) stays, before and after: it counts more than
    /// the command id and the cause in `metadata`.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Sends the command as caused by `cause`, the id of an event or a command.
    pub fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Asks for a [`Receipt`](actum_host::Receipt) with the reply: where the command left the entity.
    pub fn with_receipt(self) -> AskWithReceipt<E, C> {
        AskWithReceipt(self)
    }

    /// Sends the command and does not wait, see [`EntityRef::tell`](super::EntityRef::tell).
    ///
    /// # Errors
    /// [`TellError`] when the command was not even taken.
    pub fn tell(self) -> Result<(), TellError> {
        if let Some(what) = self.invalid {
            return Err(TellError(AskError::invalid(what)));
        }
        match &self.to {
            CommandTarget::Nowhere(what) => Err(TellError(AskError::invalid(&**what))),
            CommandTarget::Entity { key, entrance } => {
                let (deadline, expected_revision) =
                    (entrance.deadline(self.timeout), self.expected_revision);
                let metadata = entrance.metadata(self.metadata);
                let metadata = with_ids(metadata, self.command_id, self.cause);
                let envelope = Envelope { metadata, deadline, expected_revision };
                let job = Box::new(Asked::<E, C>::new(
                    self.command,
                    envelope,
                    ReplyTo::log(
                        C::MANIFEST,
                        Arc::clone(entrance.tells()),
                        command_span::<E>(key, C::MANIFEST),
                    ),
                ));
                entrance.try_deliver(key.clone(), job).map_err(|(mut job, failure)| {
                    job.forget(); // its caller gets the failure here
                    TellError(failure)
                })
            }
        }
    }

    fn send(self) -> AskingWithReceipt<E::Reply, E::Rejection> {
        if let Some(what) = self.invalid {
            return AskingWithReceipt(AskState::Refused(Some(AskError::invalid(what))));
        }
        let (key, entrance) = match self.to {
            CommandTarget::Entity { key, entrance } => (key, entrance),
            CommandTarget::Nowhere(what) => {
                return AskingWithReceipt(AskState::Refused(Some(AskError::invalid(&*what))));
            }
        };
        let (deadline, expected_revision) =
            (entrance.deadline(self.timeout), self.expected_revision);
        let metadata = entrance.metadata(self.metadata);
        let metadata = with_ids(metadata, self.command_id, self.cause);
        let envelope = Envelope { metadata, deadline, expected_revision };
        let slot = Arc::new(AnswerSlot::new(deadline));
        let reply_to = ReplyTo::caller(Arc::clone(&slot), command_span::<E>(&key, C::MANIFEST));
        entrance.deliver(key, Box::new(Asked::<E, C>::new(self.command, envelope, reply_to)));
        AskingWithReceipt(AskState::Waiting(Caller::of(slot)))
    }
}

impl<E: Handle<C>, C: Payload> IntoFuture for Ask<E, C> {
    type Output = Result<E::Reply, AskError<E::Rejection>>;
    type IntoFuture = Asking<E::Reply, E::Rejection>;

    fn into_future(self) -> Self::IntoFuture {
        Asking(self.send())
    }
}

impl<E: Handle<C>, C: Payload> IntoFuture for AskWithReceipt<E, C> {
    type Output = Result<(E::Reply, actum_host::Receipt), AskError<E::Rejection>>;
    type IntoFuture = AskingWithReceipt<E::Reply, E::Rejection>;

    fn into_future(self) -> Self::IntoFuture {
        self.0.send()
    }
}

impl<E: Handle<C>, C: Payload> fmt::Debug for Ask<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask")
            .field("to", &self.to)
            .field("command", &C::MANIFEST)
            .finish_non_exhaustive()
    }
}

impl<E: Handle<C>, C: Payload> fmt::Debug for AskWithReceipt<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What was given one by one counts more than what is in the metadata.
fn with_ids(metadata: Metadata, id: Option<CommandId>, cause: Option<String>) -> Metadata {
    let metadata = match id {
        Some(id) => metadata.with_command_id(id),
        None => metadata,
    };
    match cause {
        Some(cause) => metadata.with_causation_id(cause),
        None => metadata,
    }
}
