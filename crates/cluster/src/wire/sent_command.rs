use super::{payload_of_wire, payload_to_wire};
use actum_model::{EntityKey, Metadata, Revision};
use actum_persistence::{error_chain::full_text, serializer::Serializer};
use actum_proto::{storage::v1::EventMetadata, wire::v1::CommandEnvelope};
use actum_runtime::{AskError, EncodedCommand, EncodedRequest, Failure};
use prost::Message;
use std::time::Duration;

/// A command, or a read of the state, on its way to another node.
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
        request: EncodedRequest,
        metadata: &Metadata,
        expected: Option<Revision>,
    ) -> Result<Self, Failure> {
        let (command, reads_state) = match request {
            EncodedRequest::Command(command) => (Some(payload_to_wire(command)), false),
            EncodedRequest::State => (None, true),
        };
        let envelope = CommandEnvelope {
            call_nr,
            kind: key.kind().to_owned(),
            id: key.id().to_owned(),
            command,
            metadata: metadata_to_wire(metadata)?,
            deadline_ms: None,
            expected_sequence_nr: expected.map(Revision::get),
            reads_state,
        };
        Ok(Self { envelope })
    }

    /// Its envelope, to be answered within this time.
    pub(crate) fn envelope(&self, time_left: Duration) -> CommandEnvelope {
        let time_left = u64::try_from(time_left.as_millis()).unwrap_or(u64::MAX).max(1);
        CommandEnvelope { deadline_ms: Some(time_left), ..self.envelope.clone() }
    }
}

/// A command, or a read of the state, that has come from another node.
#[derive(Debug)]
pub(crate) struct ReceivedCommand {
    pub(crate) call_nr: u64,
    pub(crate) key: EntityKey,
    pub(crate) request: ReceivedRequest,
}

/// What a node is asked for.
#[derive(Debug)]
pub(crate) enum ReceivedRequest {
    Command(EncodedCommand),
    /// The state, within this time.
    State(Option<Duration>),
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
        let key = EntityKey::new(envelope.kind, envelope.id).map_err(|error| full_text(&error))?;
        let timeout = envelope.deadline_ms.map(Duration::from_millis);
        if envelope.reads_state {
            return Ok(Self { call_nr, key, request: ReceivedRequest::State(timeout) });
        }
        let payload = envelope.command.ok_or("the envelope has no command")?;
        let command = EncodedCommand {
            payload: payload_of_wire(payload),
            metadata: metadata_of_wire(envelope.metadata)?,
            timeout,
            expected_revision: envelope.expected_sequence_nr.map(Revision::new),
        };
        Ok(Self { call_nr, key, request: ReceivedRequest::Command(command) })
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

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::{CommandId, StoredPayload};

    fn key() -> EntityKey {
        EntityKey::new("account", "a").unwrap()
    }

    fn sent(request: EncodedRequest, metadata: &Metadata) -> CommandEnvelope {
        let command = SentCommand::new(7, &key(), request, metadata, Some(Revision::new(3)));
        let envelope = command.unwrap().envelope(Duration::from_micros(1_500));
        CommandEnvelope::decode(&envelope.encode_to_vec()[..]).unwrap()
    }

    fn command() -> EncodedRequest {
        EncodedRequest::Command(StoredPayload {
            codec: "json".into(),
            manifest: "deposit".into(),
            schema_version: 1,
            bytes: "5".into(),
        })
    }

    #[test]
    fn a_command_arrives_as_it_was_sent() {
        let id = CommandId::new("request-7").unwrap();
        let metadata = Metadata::new().with_command_id(id).with_header("by", "Ada");
        let received = ReceivedCommand::of_envelope(sent(command(), &metadata)).unwrap();
        assert_eq!((received.call_nr, received.key), (7, key()));
        let ReceivedRequest::Command(got) = received.request else { panic!("a command was sent") };
        assert_eq!(EncodedRequest::Command(got.payload), command());
        assert_eq!((got.metadata, got.expected_revision), (metadata, Some(Revision::new(3))));
        assert_eq!(got.timeout, Some(Duration::from_millis(1)));
    }

    #[test]
    fn a_read_of_the_state_arrives_as_one() {
        let received = sent(EncodedRequest::State, &Metadata::new());
        let ReceivedCommand { request, .. } = ReceivedCommand::of_envelope(received).unwrap();
        assert!(matches!(request, ReceivedRequest::State(Some(_))), "{request:?}");
    }

    #[test]
    fn what_makes_no_sense_is_invalid_and_says_why() {
        let sent = || sent(command(), &Metadata::new());
        for (envelope, expected) in [
            (CommandEnvelope { command: None, ..sent() }, "the envelope has no command"),
            (CommandEnvelope { id: String::new(), ..sent() }, "an entity id must not be empty"),
            (
                CommandEnvelope { kind: String::new(), ..sent() },
                "`` cannot name a kind of entity: it needs 1 to 64 bytes without NUL",
            ),
        ] {
            let (call_nr, failure) = ReceivedCommand::of_envelope(envelope).unwrap_err();
            let AskError::Invalid { what } = failure else { panic!("{failure}") };
            assert_eq!((call_nr, &*what), (7, expected));
        }
    }
}
