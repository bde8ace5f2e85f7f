//! The messages of `actum.storage.v1`: written from the values of the model, read into them.

use super::{
    CommandMark, MetadataError, RecentCommand, RecentCommands, RecordedReply, Uptime,
    wire::{
        Sink, WireMessage, bytes, fixed64, message, number, optional_number, packed_fixed64,
        packed_numbers,
    },
};
use crate::store::Incarnation;
use actum_model::{
    CodecError, CommandId, Metadata, SequenceNr, StoredPayload, Timestamp, TraceContext,
};
use actum_proto::storage::v1;
use bytes::Bytes;
use prost::Message;
use std::borrow::Cow;

/// An `EventMetadata`.
pub(super) struct EventMetadata<'a> {
    pub(super) metadata: &'a Metadata,
    pub(super) reply: Option<&'a RecordedReply>,
}

struct Header<'a>(&'a str, &'a str);

impl WireMessage for EventMetadata<'_> {
    fn put<S: Sink>(&self, sink: &mut S) {
        let metadata = self.metadata;
        bytes(sink, 1, metadata.command_id().map_or("", CommandId::as_str).as_bytes());
        bytes(sink, 2, metadata.correlation_id().unwrap_or_default().as_bytes());
        bytes(sink, 3, metadata.causation_id().unwrap_or_default().as_bytes());
        if let Some(trace) = metadata.trace() {
            bytes(sink, 4, trace.traceparent().as_bytes());
            bytes(sink, 5, trace.tracestate().unwrap_or_default().as_bytes());
        }
        metadata.headers().for_each(|(name, value)| message(sink, 6, &Header(name, value)));
        if let Some(reply) = self.reply {
            message(sink, 7, reply);
        }
    }
}

impl WireMessage for Header<'_> {
    fn put<S: Sink>(&self, sink: &mut S) {
        bytes(sink, 1, self.0.as_bytes());
        bytes(sink, 2, self.1.as_bytes());
    }
}

impl WireMessage for RecordedReply {
    fn put<S: Sink>(&self, sink: &mut S) {
        bytes(sink, 1, self.command_manifest.as_bytes());
        message(sink, 2, &self.payload);
        self.command_fingerprint.into_iter().for_each(|hash| fixed64(sink, 3, hash));
        number(sink, 4, u64::from(self.command_schema_version));
        optional_number(sink, 5, self.uptime_seconds.map(u64::from));
    }
}

impl WireMessage for StoredPayload {
    fn put<S: Sink>(&self, sink: &mut S) {
        bytes(sink, 1, self.codec.as_bytes());
        bytes(sink, 2, self.manifest.as_bytes());
        number(sink, 3, u64::from(self.schema_version));
        bytes(sink, 4, &self.bytes);
    }
}

impl WireMessage for RecentCommands {
    fn put<S: Sink>(&self, sink: &mut S) {
        let marks = || self.marks.iter();
        number(sink, 2, self.forgotten_to.get());
        packed_fixed64(sink, 3, marks().map(|mark| mark.id_hash));
        packed_numbers(sink, 4, || {
            let mut before = 0;
            marks().map(move |mark| {
                let nr = mark.sequence_nr.get();
                nr.wrapping_sub(std::mem::replace(&mut before, nr))
            })
        });
        packed_numbers(sink, 5, || marks().map(|mark| u64::from(mark.age_seconds)));
        number(sink, 6, self.made_at.incarnation.get());
        number(sink, 7, u64::from(self.made_at.seconds));
    }
}

pub(super) fn read_metadata(
    bytes: &Bytes,
) -> Result<(Metadata, Option<RecordedReply>), MetadataError> {
    const MESSAGE: &str = "event metadata";
    let stored: v1::EventMetadata = read(bytes, MESSAGE)?;
    let mut metadata = Metadata::new();
    if !stored.command_id.is_empty() {
        metadata = metadata.with_command_id(read_command_id(&stored.command_id, MESSAGE)?);
    }
    if !stored.correlation_id.is_empty() {
        metadata = metadata.with_correlation_id(stored.correlation_id);
    }
    if !stored.causation_id.is_empty() {
        metadata = metadata.with_causation_id(stored.causation_id);
    }
    if !stored.traceparent.is_empty() {
        metadata = metadata.with_trace(read_trace(&stored.traceparent, stored.tracestate)?);
    }
    for header in stored.headers {
        metadata = metadata.with_header(header.name, header.value);
    }
    Ok((metadata, stored.reply.map(read_reply).transpose()?))
}

pub(super) fn read_recent_commands(bytes: &Bytes) -> Result<RecentCommands, MetadataError> {
    const MESSAGE: &str = "list of recent commands";
    let stored: v1::RecentCommands = read(bytes, MESSAGE)?;
    let commands: Result<Vec<_>, _> =
        stored.commands.into_iter().map(read_recent_command).collect();
    let count = stored.id_hashes.len();
    if stored.sequence_nr_steps.len() != count || stored.ages_seconds.len() != count {
        return Err(damaged(MESSAGE, "its columns have different lengths"));
    }
    let mut sequence_nr = SequenceNr::ZERO;
    let mut marks = Vec::with_capacity(count);
    let steps = stored.sequence_nr_steps.into_iter().zip(stored.ages_seconds);
    for (id_hash, (step, age_seconds)) in stored.id_hashes.into_iter().zip(steps) {
        let next = sequence_nr.get().checked_add(step).filter(|_| step > 0);
        let next = next.ok_or_else(|| damaged(MESSAGE, "its numbers do not grow"))?;
        sequence_nr = SequenceNr::new(next);
        marks.push(CommandMark { id_hash, sequence_nr, age_seconds });
    }
    Ok(RecentCommands {
        forgotten_to: SequenceNr::new(stored.forgotten_to),
        marks,
        made_at: Uptime {
            incarnation: Incarnation::new(stored.incarnation),
            seconds: stored.uptime_seconds,
        },
        commands: commands?,
    })
}

fn damaged(message: &'static str, what: &'static str) -> MetadataError {
    MetadataError::Damaged { message, source: CodecError::new(what) }
}

fn read_recent_command(stored: v1::RecentCommand) -> Result<RecentCommand, MetadataError> {
    const MESSAGE: &str = "recent command";
    let reply = stored.reply.ok_or(MetadataError::Missing { message: MESSAGE, field: "reply" })?;
    Ok(RecentCommand {
        command_id: read_command_id(&stored.command_id, MESSAGE)?,
        sequence_nr: SequenceNr::new(stored.sequence_nr),
        timestamp: Timestamp::from_micros(stored.timestamp_micros),
        reply: read_reply(reply)?,
    })
}

fn read_reply(stored: v1::RecordedReply) -> Result<RecordedReply, MetadataError> {
    let missing = MetadataError::Missing { message: "recorded reply", field: "payload" };
    let payload = stored.payload.ok_or(missing)?;
    Ok(RecordedReply {
        command_manifest: Cow::Owned(stored.command_manifest),
        command_schema_version: stored.command_schema_version,
        command_fingerprint: stored.command_fingerprint,
        uptime_seconds: stored.uptime_seconds,
        payload: StoredPayload {
            codec: Cow::Owned(payload.codec),
            manifest: Cow::Owned(payload.manifest),
            schema_version: payload.schema_version,
            bytes: payload.bytes,
        },
    })
}

fn read_trace(traceparent: &str, tracestate: String) -> Result<TraceContext, MetadataError> {
    let trace = TraceContext::new(traceparent)
        .map_err(|source| MetadataError::TraceContext { message: "event metadata", source })?;
    Ok(if tracestate.is_empty() { trace } else { trace.with_tracestate(tracestate) })
}

fn read_command_id(text: &str, message: &'static str) -> Result<CommandId, MetadataError> {
    CommandId::new(text).map_err(|source| MetadataError::CommandId { message, source })
}

fn read<M: Message + Default>(bytes: &Bytes, message: &'static str) -> Result<M, MetadataError> {
    // from `Bytes`, so that payloads share the buffer instead of being copied out of it
    M::decode(bytes.clone())
        .map_err(|error| MetadataError::Damaged { message, source: CodecError::new(error) })
}
