use crate::session::Statement;
use actum_persistence::store::{EntityAppend, NewEvent, integer};

/// What is stored of events, as arrays with an entry for each.
#[derive(Default)]
pub(crate) struct EventColumns<'a> {
    sequence_nrs: Vec<i64>,
    event_nrs: Vec<i64>,
    timestamps: Vec<i64>,
    codecs: Vec<&'a str>,
    manifests: Vec<&'a str>,
    schema_versions: Vec<i64>,
    payloads: Vec<&'a [u8]>,
    metadata: Vec<&'a [u8]>,
}

impl<'a> EventColumns<'a> {
    pub(crate) fn with_capacity(events: usize) -> Self {
        Self {
            sequence_nrs: Vec::with_capacity(events),
            event_nrs: Vec::with_capacity(events),
            timestamps: Vec::with_capacity(events),
            codecs: Vec::with_capacity(events),
            manifests: Vec::with_capacity(events),
            schema_versions: Vec::with_capacity(events),
            payloads: Vec::with_capacity(events),
            metadata: Vec::with_capacity(events),
        }
    }

    /// Adds an event, by its index in an append.
    pub(crate) fn add(&mut self, append: &EntityAppend, index: u64, event: &'a NewEvent) {
        self.sequence_nrs.push(sequence_nr(append, index));
        self.event_nrs.push(event_nr(append, index));
        self.timestamps.push(event.timestamp.as_micros());
        self.codecs.push(&event.payload.codec);
        self.manifests.push(&event.payload.manifest);
        self.schema_versions.push(event.payload.schema_version.into());
        self.payloads.push(&event.payload.bytes);
        self.metadata.push(&event.metadata);
    }

    pub(crate) fn bind<'q>(&'q self, query: Statement<'q>) -> Statement<'q> {
        query
            .bind(&self.sequence_nrs)
            .bind(&self.event_nrs)
            .bind(&self.timestamps)
            .bind(&self.codecs)
            .bind(&self.manifests)
            .bind(&self.schema_versions)
            .bind(&self.payloads)
            .bind(&self.metadata)
    }
}

/// The sequence number of an event, by its index in an append.
pub(crate) fn sequence_nr(append: &EntityAppend, index: u64) -> i64 {
    integer::bound(append.expected.get() + index + 1)
}

/// The number of an event of its incarnation, by its index in an append.
pub(crate) fn event_nr(append: &EntityAppend, index: u64) -> i64 {
    (append.first_event_nr + index).cast_signed()
}
