use super::{
    AppendError, AppendOptions, Expected, StreamTurn, stream_entrance::StreamEntrance,
    stream_turns::StreamTurns,
};
use actum_host::Receipt;
use actum_model::{EntityKey, Lane, Payload};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Appends events to one stream: a kind and an id that no entity of the engine has. Cheap to clone, and never dead.
#[derive(Clone)]
pub struct StreamWriter {
    /// The stream, or why there is none.
    stream: Result<EntityKey, Arc<str>>,
    entrance: Arc<StreamEntrance>,
    turns: Arc<StreamTurns>,
}

impl StreamWriter {
    pub(crate) fn new(
        stream: Result<EntityKey, Arc<str>>,
        entrance: Arc<StreamEntrance>,
        turns: Arc<StreamTurns>,
    ) -> Self {
        Self { stream, entrance, turns }
    }

    /// The moment at which a wait ends that begins now and has this timeout.
    #[must_use]
    pub fn deadline(&self, timeout: Option<Duration>) -> Instant {
        self.entrance.deadline(timeout)
    }

    /// The lane of the stream.
    ///
    /// # Errors
    /// [`AppendError::Invalid`] when there is no such stream.
    pub fn lane(&self) -> Result<Lane, AppendError> {
        Ok(self.entrance.lane_of(self.stream()?))
    }

    /// Appends events, all or none, if the stream is where it is expected to be.
    ///
    /// # Errors
    /// [`AppendError`]: each variant says what the caller can do.
    ///
    /// # Cancel safety
    /// Dropping the future does not take the append back: the events may still be appended.
    pub async fn append<E: Payload>(
        &self,
        expected: Expected,
        events: &[E],
        options: &AppendOptions,
    ) -> Result<Receipt, AppendError> {
        let (stream, deadline) = (self.stream()?, self.deadline(options.timeout));
        let room = self.entrance.appends.admit()?;
        let events = self.entrance.encode(events, options)?;
        self.entrance.append(stream, expected, events, deadline, room).await
    }

    /// Waits until no one else of this engine who asks for it is about to decide what is appended.
    ///
    /// # Errors
    /// As [`while_open`](Self::while_open); and [`AppendError::Invalid`] when there is no such stream.
    ///
    /// # Cancel safety
    /// Dropping the future gives the place in the order up.
    pub async fn turn(&self, deadline: Instant) -> Result<StreamTurn, AppendError> {
        self.while_open(deadline, self.turns.take(self.stream()?)).await
    }

    /// Waits for what a decision about an append needs: until the deadline, and as long as the engine takes appends.
    ///
    /// # Errors
    /// [`AppendError::Timeout`] at the deadline; and why the engine takes none any more.
    ///
    /// # Cancel safety
    /// That of `needed`.
    pub async fn while_open<T>(
        &self,
        deadline: Instant,
        needed: impl Future<Output = T>,
    ) -> Result<T, AppendError> {
        self.entrance.while_open(deadline, needed).await
    }

    fn stream(&self) -> Result<&EntityKey, AppendError> {
        self.stream.as_ref().map_err(|what| AppendError::invalid(&**what))
    }
}

impl fmt::Debug for StreamWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamWriter").field(&self.stream).finish()
    }
}
