use super::{Aggregate, KindContext, Mark, Memory, Progress, Read, SureClock};
use crate::{Failure, failure::full_text};
use actum_model::{EntityKey, EventSourced, SequenceNr};
use actum_persistence::{
    serializer::Uptime,
    store::{EntityPage, StoredEvent},
};

/// The ids that an entity remembers beyond those its snapshot lists: read from the events, whose payloads are not.
#[derive(Default)]
pub struct OlderIds {
    /// Up to where ids are forgotten, and the oldest that the snapshot lists.
    gap: Option<(SequenceNr, SequenceNr)>,
    reading: Option<Reading>,
}

struct Reading {
    after: SequenceNr,
    before: SequenceNr,
    clock: SureClock,
    marks: Vec<Mark>,
}

impl OlderIds {
    /// A snapshot lists ids from `oldest` on; those up to `forgotten_to` are forgotten.
    pub(super) fn behind_snapshot(forgotten_to: SequenceNr, oldest: Option<SequenceNr>) -> Self {
        let gap = oldest.filter(|oldest| *oldest > forgotten_to.next());
        Self { gap: gap.map(|oldest| (forgotten_to, oldest)), reading: None }
    }

    pub(super) fn is_reading(&self) -> bool {
        self.reading.is_some()
    }

    /// Begins to read what is missing, if anything is: none once the oldest listed id is forgotten too.
    pub(super) fn begin<E: EventSourced>(
        &mut self,
        entity: &EntityKey,
        aggregate: &Aggregate<E>,
    ) -> Progress {
        match self.gap.take() {
            Some((after, before)) if aggregate.ids.oldest() == Some(before) => {
                let (clock, marks) = (SureClock::default(), Vec::new());
                self.reading = Some(Reading { after, before, clock, marks });
                Progress::More(Read::Page { entity: entity.clone(), after })
            }
            _ => Progress::Done,
        }
    }

    /// Takes a page of events.
    pub(super) fn take<E: EventSourced>(
        &mut self,
        entity: &EntityKey,
        aggregate: &mut Aggregate<E>,
        page: &EntityPage,
        kind: &KindContext<E>,
    ) -> Result<Progress, Failure> {
        let Some(reading) = &mut self.reading else { return Ok(Progress::Done) };
        for event in &page.events {
            if event.sequence_nr < reading.before
                && let Some((hash, moment)) = command_of(entity, event, kind)?
            {
                moment.map(|moment| reading.clock.move_to(moment));
                let (sequence_nr, at) = (event.sequence_nr, reading.clock.now());
                reading.marks.push(Mark { hash, sequence_nr, at });
            }
        }
        match page.events.last() {
            Some(last) if last.sequence_nr.next() < reading.before => {
                reading.after = last.sequence_nr;
                Ok(Progress::More(Read::Page { entity: entity.clone(), after: reading.after }))
            }
            _ => {
                let marks = std::mem::take(&mut reading.marks);
                self.reading = None;
                aggregate.ids.put_before(marks, &memory(kind));
                Ok(Progress::Done)
            }
        }
    }
}

/// The hash of the id of the command whose last event this is, and when it was handled.
pub(super) fn command_of<E: EventSourced>(
    entity: &EntityKey,
    event: &StoredEvent,
    kind: &KindContext<E>,
) -> Result<Option<(u64, Option<Uptime>)>, Failure> {
    if event.metadata.is_empty() {
        return Ok(None);
    }
    let (metadata, reply) = kind.serializer.decode_metadata(&event.metadata).map_err(|error| {
        let nr = event.sequence_nr;
        Failure::corrupt(format!("{entity}: event {nr}: {}", full_text(&error)))
    })?;
    let (Some(id), Some(reply)) = (metadata.command_id(), reply) else { return Ok(None) };
    let incarnation = event.event_id.incarnation;
    let moment = reply.uptime_seconds.map(|seconds| Uptime { incarnation, seconds });
    Ok(Some(((kind.hash_id)(id), moment)))
}

/// What decides how long ids are remembered that are read back: all of them are durable.
pub(super) fn memory<E: actum_model::Entity>(kind: &KindContext<E>) -> Memory<'_> {
    let durable = SequenceNr::new(u64::MAX);
    let window = &kind.settings.command_window;
    Memory { window, budget: &kind.ids, durable, reads_back: true }
}
