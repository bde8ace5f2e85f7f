use super::{
    AppendError, AppendOptions, Expected,
    append_room::AppendRoom,
    stream_append::StreamAppend,
    stream_appends::{AppendAnswer, StreamAppends, TakenAppend},
};
use crate::{
    clock::Clock,
    settings::CallerContext,
    term::{Term, lapsed},
};
use actum_host::Failure;
use actum_model::{EntityKey, Lane, Payload, SequenceNr};
use actum_persistence::{
    error_chain::full_text,
    serializer::Serializer,
    store::{EntityRead, EventStore, NewEvent, PageLimit, bounds::NUMBER_MAX},
};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// Where appends to streams enter an engine.
pub(crate) struct StreamEntrance {
    pub(crate) appends: Arc<StreamAppends>,
    pub(crate) events: Arc<dyn EventStore>,
    pub(crate) serializer: Serializer,
    pub(crate) clock: Clock,
    pub(crate) term: Arc<Term>,
    pub(crate) ask_timeout: Duration,
    pub(crate) caller_context: Option<CallerContext>,
}

/// How far away a deadline is that is too far to be counted: 30 years.
const FAR_AWAY: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

impl StreamEntrance {
    /// When a wait ends that begins now.
    pub(super) fn deadline(&self, timeout: Option<Duration>) -> Instant {
        let now = Instant::now();
        now.checked_add(timeout.unwrap_or(self.ask_timeout)).unwrap_or_else(|| now + FAR_AWAY)
    }

    pub(super) fn lane_of(&self, stream: &EntityKey) -> Lane {
        self.events.layout().lane_of(stream)
    }

    /// Waits for what an append or a decision about one needs: until the deadline, and as long as appends are taken.
    pub(super) async fn while_open<T>(
        &self,
        deadline: Instant,
        needed: impl Future<Output = T>,
    ) -> Result<T, AppendError> {
        // in this order: an engine that appends nothing any more says so at once
        tokio::select! {
            biased;
            failure = self.appends.refused() => Err(failure.into()),
            outcome = timeout_at(deadline, needed) => outcome.map_err(|_| late()),
        }
    }

    /// Turns events into what is stored, within the limits for one append.
    pub(super) fn encode<E: Payload>(
        &self,
        events: &[E],
        options: &AppendOptions,
    ) -> Result<Vec<NewEvent>, AppendError> {
        let limits = self.serializer.limits();
        let (count, max) = (events.len(), limits.append_events_max);
        if count == 0 {
            return Err(AppendError::invalid(
                "an append stores at least one event, this one has none",
            ));
        }
        if count > max {
            let what = format!("one append may store at most {max} events, this one has {count}");
            return Err(AppendError::invalid(what));
        }
        let mut metadata = options.metadata.clone();
        if let Some(context) = &self.caller_context {
            metadata = context.add_to(metadata);
        }
        if let Some(cause) = &options.cause {
            metadata = metadata.with_causation_id(cause.as_str());
        }
        let refused = |error| AppendError::invalid(full_text(&error));
        let metadata = self.serializer.encode_metadata(&metadata, None).map_err(refused)?;
        let (timestamp, mut bytes) = (self.clock.wall(), 0);
        let mut encoded = Vec::with_capacity(count);
        for event in events {
            let payload = self.serializer.encode(event).map_err(refused)?;
            let event = NewEvent { timestamp, payload, metadata: metadata.clone() };
            bytes += event.bytes();
            encoded.push(event);
        }
        let max = limits.append_bytes_max;
        if bytes > max {
            let what = format!("one append may store at most {max} bytes, this one has {bytes}");
            return Err(AppendError::invalid(what));
        }
        Ok(encoded)
    }

    /// Appends to a stream what was admitted; ends at the deadline.
    pub(super) async fn append(
        &self,
        stream: &EntityKey,
        expected: Expected,
        events: Vec<NewEvent>,
        deadline: Instant,
        room: AppendRoom,
    ) -> AppendAnswer {
        let seen_at = match expected {
            Expected::Nr(nr) => nr,
            Expected::Any => self.while_open(deadline, self.head(stream)).await??,
        };
        if seen_at.get().checked_add(events.len() as u64).is_none_or(|last| last > NUMBER_MAX) {
            let what = format!("{stream}: its sequence numbers would pass 2^63 - 1");
            return Err(AppendError::invalid(what));
        }
        if Instant::now() >= deadline {
            return Err(late());
        }
        if self.term.is_over_at(self.clock.now()) {
            return Err(lapsed::<Infallible>().into());
        }
        let partition = stream.partition(self.events.layout().partitions);
        let lane = self.lane_of(stream);
        let append =
            StreamAppend { stream: stream.clone(), partition, lane, expected, seen_at, events };
        let mut waiting = AppendWait::enter(&self.appends, append, room)?;
        let answer = timeout_at(deadline, &mut waiting.taken.answer).await;
        match answer {
            Ok(answer) => answer.unwrap_or_else(|_| Err(unanswered())),
            Err(_) => waiting.end(),
        }
    }

    /// Where a stream is.
    async fn head(&self, stream: &EntityKey) -> Result<SequenceNr, AppendError> {
        let read = EntityRead { entity: stream.clone(), after: SequenceNr::new(NUMBER_MAX) };
        let pages = self.events.read_entities(&[read], PageLimit::one_event()).await;
        let pages = pages.map_err(Failure::of_read)?;
        Ok(pages.first().map_or(SequenceNr::ZERO, |page| page.head))
    }
}

/// The wait for an append; dropped, it lets one that was not sent be forgotten.
struct AppendWait<'a> {
    appends: &'a StreamAppends,
    stream: EntityKey,
    taken: TakenAppend,
}

impl<'a> AppendWait<'a> {
    fn enter(
        appends: &'a StreamAppends,
        append: StreamAppend,
        room: AppendRoom,
    ) -> Result<Self, Failure> {
        let stream = append.stream.clone();
        Ok(Self { appends, stream, taken: appends.enter(append, room)? })
    }

    /// Ends it at its deadline: with the answer that has come meanwhile, if one has.
    fn end(mut self) -> AppendAnswer {
        let was_waiting = self.appends.leave(&self.stream, self.taken.nr);
        let answer = self.taken.answer.try_recv();
        answer.unwrap_or(Err(AppendError::Timeout { maybe_appended: !was_waiting }))
    }
}

impl Drop for AppendWait<'_> {
    fn drop(&mut self) {
        self.appends.leave(&self.stream, self.taken.nr);
    }
}

fn late() -> AppendError {
    AppendError::Timeout { maybe_appended: false }
}

/// All appends are answered before an engine goes; this is for one that was dropped with the lines it stood in.
fn unanswered() -> AppendError {
    Failure::outcome_unknown("the engine has ended").into()
}
