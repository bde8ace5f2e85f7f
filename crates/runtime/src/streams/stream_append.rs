use super::Expected;
use actum_host::cell::CHANGE_BYTES;
use actum_model::{EntityKey, Lane, Partition, SequenceNr};
use actum_persistence::store::{EntityAppend, NewEvent};

/// Events on their way to a stream.
#[derive(Clone, Debug)]
pub(super) struct StreamAppend {
    pub(super) stream: EntityKey,
    pub(super) partition: Partition,
    pub(super) lane: Lane,
    pub(super) expected: Expected,
    /// Where the stream was seen last, for an append that goes wherever it is.
    pub(super) seen_at: SequenceNr,
    /// At least one.
    pub(super) events: Vec<NewEvent>,
}

impl StreamAppend {
    /// What its events take in memory until they are written.
    pub(super) fn room(&self) -> usize {
        let bytes: usize = self.events.iter().map(NewEvent::bytes).sum();
        bytes + self.events.len() * CHANGE_BYTES
    }

    /// Takes what is to be written, of a stream that is at `at` as far as is known. An append that goes wherever the stream
    /// is keeps a copy: that may be wrong.
    pub(super) fn take_write(&mut self, at: Option<SequenceNr>) -> EntityAppend {
        let (expected, events) = match self.expected {
            Expected::Nr(expected) => (expected, std::mem::take(&mut self.events)),
            Expected::Any => (at.unwrap_or(self.seen_at), self.events.clone()),
        };
        let (entity, partition) = (self.stream.clone(), self.partition);
        EntityAppend { entity, partition, owned_as: None, expected, first_event_nr: 0, events }
    }
}
