use super::{payload_of_wire, payload_to_wire};
use actum_model::{EntityKey, Metadata, Revision, StoredPayload};
use actum_persistence::{error_chain::full_text, serializer::Serializer};
use actum_proto::{storage::v1::EventMetadata, wire::v1::CommandEnvelope};
use actum_runtime::{AskError, EncodedCommand, Failure};
use prost::Message;
use std::time::Duration;

/// A command on its way to another node.
#[derive(Clone, Debug)]
pub(crate) struct SentCommand {
    envelope: CommandEnvelope,
}

impl SentCommand {
    /// That of this number, for this entity.
    ///
    /// # Errors
    /// What to answer where its metadata cannot be sent.
    pub(crate) fn new(
        call_nr: u64,
        key: &EntityKey,
        command: StoredPayload,
        metadata: &Metadata,
        expected: Option<Revision>,
    ) -> Result<Self, Failure> {
        let envelope = CommandEnvelope {
            call_nr,
            kind: key.kind().to_owned(),
            id: key.id().to_owned(),
            command: Some(payload_to_wire(command)),
            metadata: metadata_to_wire(metadata)?,
            deadline_ms: None,
            expected_sequence_nr: expected.map(Revision::get),
        };
        Ok(Self { envelope })
    }

    /// Its envelope, to be answered within this time.
    pub(crate) fn envelope(&self, time_left: Duration) -> CommandEnvelope {
        let time_left = u64::try_from(time_left.as_millis()).unwrap_or(u64::MAX).max(1);
        CommandEnvelope { deadline_ms: Some(time_left), ..self.envelope.clone() }
    }
}

/// A command that has come from another node.
#[derive(Debug)]
pub(crate) struct ReceivedCommand {
    pub(crate) call_nr: u64,
    pub(crate) key: EntityKey,
    pub(crate) command: EncodedCommand,
}

impl ReceivedCommand {
    /// What an envelope holds.
    ///
    /// # Errors
    /// The number of the command, and what to answer, where that makes no sense.
    pub(crate) fn of_envelope(envelope: CommandEnvelope) -> Result<Self, (u64, Failure)> {
        let call_nr = envelope.call_nr;
        Self::read(envelope).map_err(|what| (call_nr, AskError::invalid(what)))
    }

    fn read(envelope: CommandEnvelope) -> Result<Self, String> {
        let call_nr = envelope.call_nr;
        let payload = envelope.command.ok_or("the envelope has no command")?;
        let key = EntityKey::new(envelope.kind, envelope.id).map_err(|error| full_text(&error))?;
        let command = EncodedCommand {
            payload: payload_of_wire(payload),
            metadata: metadata_of_wire(envelope.metadata)?,
            timeout: envelope.deadline_ms.map(Duration::from_millis),
            expected_revision: envelope.expected_sequence_nr.map(Revision::new),
        };
        Ok(Self { call_nr, key, command })
    }
}

fn metadata_to_wire(metadata: &Metadata) -> Result<Option<EventMetadata>, Failure> {
    let refused = |what: String| AskError::invalid(format!("the metadata cannot be sent: {what}"));
    let bytes = Serializer::default().encode_metadata(metadata, None);
    let bytes = bytes.map_err(|error| refused(full_text(&error)))?;
    if bytes.is_empty() {
        return Ok(None);
    }
    EventMetadata::decode(bytes).map(Some).map_err(|error| refused(full_text(&error)))
}

fn metadata_of_wire(sent: Option<EventMetadata>) -> Result<Metadata, String> {
    let Some(sent) = sent else { return Ok(Metadata::new()) };
    let bytes = sent.encode_to_vec().into();
    let decoded = Serializer::default().decode_metadata(&bytes);
    decoded.map(|(metadata, _)| metadata).map_err(|error| full_text(&error))
}
