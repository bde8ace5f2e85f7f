use crate::TransactError;
use actum_model::{EntityKey, InvalidKey, Metadata, Payload, Position, SequenceNr};
use actum_projection::{History, Journal, ReadError};
use actum_runtime::{AppendError, AppendOptions, Expected, Receipt, Runtime, StreamWriter};
use std::{borrow::Cow, fmt, marker::PhantomData, num::NonZeroU32, time::Duration};
use tokio::time::Instant;

/// How many attempts a transaction makes unless set otherwise.
const ATTEMPTS_MAX: NonZeroU32 = NonZeroU32::new(10).expect("10 is not 0");

/// One stream of events in the journal, for code that wants no actor: a kind and an id of its own. Cheap to clone, and never
/// dead; nothing is read or written before it is asked to.
///
/// A stream is what the events of an entity are in the journal, without the entity: numbered from 1, in a lane, committed in
/// the same batches, announced in the same way, and read by the same readers. There is no state in memory, no command and no
/// deduplication of retries; what is decided on is read, by [`transact`](Self::transact), or by the caller, who then says
/// where the stream is [expected](Expected).
///
/// The events are [projected and published](crate::Projection::from_streams), and
/// [subscribed to](crate::Subscription::from_streams), as those of entities are.
///
/// A kind that the engine runs as entities is refused: their owner is the only writer. What another engine runs it does not
/// know: give streams kinds of their own. An engine may run [no entities at all](crate::EngineBuilder::streams_only).
/// Any engine that holds the writer slot of the journal may append, whatever partitions are open in it. Should two of them
/// believe so, the journal refuses the older one, and events that another engine has appended are conflicts.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actum::{AppendError, Engine, Expected, Json, MemoryStore, Stream, TransactError};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize)]
/// struct Booked(i64);
/// actum::payload!(Json: Booked = "booked");
///
/// #[derive(Debug, thiserror::Error)]
/// #[error("the ledger has only {0}")]
/// struct Insufficient(i64);
///
/// let engine = Engine::builder("bank").store(MemoryStore::new()).streams_only().start().await?;
/// let ledger: Stream<Booked> = engine.stream("ledger", "2026-11");
/// let receipt = ledger.append(Expected::NEW, [Booked(100), Booked(-30)]).await?;
/// assert_eq!(receipt.sequence_nr.get(), 2);
/// let outdated = ledger.append(Expected::NEW, [Booked(1)]).await;
/// assert!(matches!(outdated, Err(AppendError::Conflict { .. })));
///
/// // reads the stream, decides, appends; and again with what is new if others have appended meanwhile
/// let withdraw = async |amount: i64| {
///     let apply = |balance: &mut i64, booked: &Booked| *balance += booked.0;
///     let decide = |balance: &i64| {
///         if *balance < amount { Err(Insufficient(*balance)) } else { Ok(vec![Booked(-amount)]) }
///     };
///     ledger.transact(0, apply, decide).await
/// };
/// let (balance, receipt) = withdraw(50).await?;
/// assert_eq!((balance, receipt.sequence_nr.get()), (20, 3));
/// assert!(matches!(withdraw(50).await, Err(TransactError::Rejected(Insufficient(20)))));
///
/// let mut history = ledger.history();
/// let mut total = 0;
/// while let Some(recorded) = history.next().await? {
///     total += recorded.event.0;
/// }
/// assert_eq!(total, 20);
/// # assert!(engine.shutdown().await.is_clean());
/// # Ok(())
/// # }
/// ```
pub struct Stream<E> {
    key: Result<EntityKey, InvalidKey>,
    writer: StreamWriter,
    journal: Journal,
    options: AppendOptions,
    attempts_max: NonZeroU32,
    events: PhantomData<fn() -> E>,
}

impl<E: Payload> Stream<E> {
    pub(crate) fn new(
        runtime: &Runtime,
        kind: impl Into<Cow<'static, str>>,
        id: impl Into<Box<str>>,
    ) -> Self {
        let key = EntityKey::new(kind, id);
        Self {
            writer: runtime.stream_writer(key.clone()),
            journal: Journal::new(runtime.stores().clone()),
            key,
            options: AppendOptions::default(),
            attempts_max: ATTEMPTS_MAX,
            events: PhantomData,
        }
    }

    /// The same stream; what is appended through it carries this metadata, in place of what was given before. The engine's
    /// [`caller_context`](crate::EngineBuilder::caller_context) adds to it as it does for commands. A command id in it is
    /// stored, and no retry is found by it.
    #[must_use]
    pub fn with_metadata(&self, metadata: Metadata) -> Self {
        let mut stream = self.clone();
        stream.options.metadata = metadata;
        stream
    }

    /// The same stream; what is appended through it was caused by `cause`, the id of an event or a command.
    #[must_use]
    pub fn caused_by(&self, cause: impl fmt::Display) -> Self {
        let mut stream = self.clone();
        stream.options.cause = Some(cause.to_string());
        stream
    }

    /// The same stream; an append or a transaction through it, all of its attempts together, gives up waiting after
    /// `timeout`; otherwise after the engine's `ask_timeout`.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let mut stream = self.clone();
        stream.options.timeout = Some(timeout);
        stream
    }

    /// The same stream; a transaction through it makes at most this many attempts, otherwise 10.
    #[must_use]
    pub fn with_attempts_max(&self, attempts: NonZeroU32) -> Self {
        Self { attempts_max: attempts, ..self.clone() }
    }

    /// The events of the stream, the oldest first. One that was never written has none. A name that no stream can have is
    /// an error of the first [`next`](History::next).
    pub fn history(&self) -> History<E> {
        self.journal.history_as(self.key.clone())
    }

    /// Appends events, all or none, if the stream is where it is [expected](Expected) to be. The receipt says where that has
    /// left the stream.
    ///
    /// # Errors
    /// [`AppendError`]: each variant says what the caller can do. [`AppendError::Invalid`] is for a name that no stream can have,
    /// a kind that the engine runs as entities, no events, and events beyond the engine's
    /// [`SizeLimits`](crate::settings::SizeLimits).
    ///
    /// # Cancel safety
    /// Dropping the future does not take the append back: the events may still be appended.
    ///
    /// # Panics
    /// When the codec of the events or the caller's context panics, or outside of a tokio runtime.
    pub async fn append(
        &self,
        expected: impl Into<Expected>,
        events: impl IntoIterator<Item = E>,
    ) -> Result<Receipt, AppendError> {
        let (expected, events) = (expected.into(), Vec::from_iter(events));
        self.writer.append(expected, &events, &self.options).await
    }

    /// Reads the stream, decides, and appends what was decided on; if others have appended meanwhile, reads what is new and
    /// decides again, a [bounded](Self::with_attempts_max) number of times.
    ///
    /// `state` is the state of a stream without events, `apply` folds an event into it, and `decide` says which events to
    /// append, or why none. Both may be called again, and do nothing but that. The state comes back with all events
    /// applied, those that were appended included, and with where the stream is then. A decision for no events appends
    /// nothing.
    ///
    /// Transactions of one stream in one engine take turns, in the order they came, so as not to be in conflict with each
    /// other; plain appends do not. One whose future is neither polled nor dropped holds up the others, until their
    /// deadlines.
    ///
    /// # Errors
    /// [`TransactError::Rejected`] is what `decide` has returned; [`TransactError::TooManyConflicts`] that each attempt was in
    /// conflict; [`TransactError::Append`] and [`TransactError::Read`] what went wrong. When it is unknown whether the events
    /// were appended, that is the answer, and they are not appended again.
    ///
    /// # Cancel safety
    /// Dropping the future does not take back what was decided on: the events may still be appended.
    ///
    /// # Panics
    /// When `apply`, `decide`, the codec of the events or the caller's context panics, or outside of a tokio runtime.
    pub async fn transact<S, R>(
        &self,
        state: S,
        mut apply: impl FnMut(&mut S, &E),
        mut decide: impl FnMut(&S) -> Result<Vec<E>, R>,
    ) -> Result<(S, Receipt), TransactError<R>> {
        let deadline = self.writer.deadline(self.options.timeout);
        let _turn = self.writer.turn(deadline).await?;
        let mut folded = Folded { state, at: SequenceNr::ZERO, position: None };
        for _ in 0..self.attempts_max.get() {
            let reading = self.read_on(&mut folded, &mut apply);
            self.writer.while_open(deadline, reading).await??;
            let events = decide(&folded.state).map_err(TransactError::Rejected)?;
            let Folded { state, at, position } = &mut folded;
            if events.is_empty() {
                let receipt = Receipt::new(*at, self.writer.lane()?, *position);
                return Ok((folded.state, receipt));
            }
            let options = AppendOptions {
                timeout: Some(deadline.saturating_duration_since(Instant::now())),
                ..self.options.clone()
            };
            match self.writer.append(Expected::Nr(*at), &events, &options).await {
                Ok(receipt) => {
                    events.iter().for_each(|event| apply(state, event));
                    return Ok((folded.state, receipt));
                }
                Err(AppendError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(TransactError::TooManyConflicts { attempts: self.attempts_max.get() })
    }

    /// Folds the events behind those that were folded before.
    async fn read_on<S>(
        &self,
        folded: &mut Folded<S>,
        apply: &mut impl FnMut(&mut S, &E),
    ) -> Result<(), ReadError> {
        let mut history = self.history().from(folded.at.next());
        while let Some(recorded) = history.next().await? {
            let (entity, nr) = (recorded.entity, recorded.sequence_nr);
            if nr != folded.at.next() {
                return Err(ReadError::Deleted { entity, up_to: nr.previous() });
            }
            apply(&mut folded.state, &recorded.event);
            folded.at = nr;
            folded.position = Some(recorded.position);
        }
        Ok(())
    }
}

/// A state, and how far the stream was folded into it.
struct Folded<S> {
    state: S,
    at: SequenceNr,
    position: Option<Position>,
}

impl<E> Clone for Stream<E> {
    fn clone(&self) -> Self {
        let Self { key, writer, journal, options, attempts_max, events } = self;
        Self {
            key: key.clone(),
            writer: writer.clone(),
            journal: journal.clone(),
            options: options.clone(),
            attempts_max: *attempts_max,
            events: *events,
        }
    }
}

impl<E> fmt::Debug for Stream<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stream").field(&self.key).finish()
    }
}
