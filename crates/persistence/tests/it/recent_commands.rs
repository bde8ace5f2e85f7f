use crate::metadata::{any_reply, reply};
use actum_model::{CommandId, SequenceNr, Timestamp};
use actum_persistence::serializer::{RecentCommand, Serializer};
use actum_proto::storage::v1;
use bytes::Bytes;
use proptest::{
    prelude::{Strategy, any, prop},
    prop_assert_eq, proptest,
};
use prost::Message;

pub(crate) fn commands() -> Vec<RecentCommand> {
    let command = |id: &str, nr, micros| RecentCommand {
        command_id: CommandId::new(id).unwrap(),
        sequence_nr: SequenceNr::new(nr),
        timestamp: Timestamp::from_micros(micros),
        reply: reply(),
    };
    vec![command("order-7", 3, 1_795_000_000_000_000), command("Auftrag-8", u64::MAX, -1)]
}

fn error_of(stored: v1::RecentCommand) -> String {
    let list = v1::RecentCommands { commands: vec![stored] };
    let bytes = list.encode_to_vec().into();
    Serializer::default().decode_recent_commands(&bytes).unwrap_err().to_string()
}

#[test]
fn no_commands_are_no_bytes_and_no_allocation() {
    let serializer = Serializer::default();
    let used = allocation_counter::measure(|| {
        let bytes = serializer.encode_recent_commands(&[]);
        assert!(bytes.is_empty());
        assert!(serializer.decode_recent_commands(&bytes).unwrap().is_empty());
    });
    assert_eq!(used.count_total, 0);
}

#[test]
fn commands_come_back_in_their_order() {
    let serializer = Serializer::default();
    let bytes = serializer.encode_recent_commands(&commands());
    assert_eq!(serializer.decode_recent_commands(&bytes).unwrap(), commands());
}

#[test]
fn a_command_that_lacks_something_is_damage() {
    let reply =
        || Some(v1::RecordedReply { payload: Some(v1::Payload::default()), ..Default::default() });
    let whole = v1::RecentCommand { command_id: "a".into(), reply: reply(), ..Default::default() };
    let anonymous = v1::RecentCommand { command_id: String::new(), ..whole.clone() };
    assert_eq!(error_of(anonymous), "the stored recent command has an invalid command id");
    let silent = v1::RecentCommand { reply: None, ..whole.clone() };
    assert_eq!(error_of(silent), "the stored recent command lacks its reply");
    let empty = v1::RecentCommand { reply: Some(v1::RecordedReply::default()), ..whole };
    assert_eq!(error_of(empty), "the stored recorded reply lacks its payload");
    let error = Serializer::default().decode_recent_commands(&Bytes::from_static(b"\x0a\x7f"));
    assert_eq!(error.unwrap_err().to_string(), "the stored list of recent commands is damaged");
}

fn any_command() -> impl Strategy<Value = RecentCommand> {
    ("[^\0]{1,32}", any::<u64>(), any::<i64>(), any_reply()).prop_map(|(id, nr, micros, reply)| {
        RecentCommand {
            command_id: CommandId::new(id).unwrap(),
            sequence_nr: SequenceNr::new(nr),
            timestamp: Timestamp::from_micros(micros),
            reply,
        }
    })
}

proptest! {
    #[test]
    fn recent_commands_come_back_as_they_went_in(commands in prop::collection::vec(any_command(), 0..5)) {
        let serializer = Serializer::default();
        let bytes = serializer.encode_recent_commands(&commands);
        prop_assert_eq!(serializer.decode_recent_commands(&bytes).unwrap(), commands);
    }

    #[test]
    fn recent_commands_are_written_as_the_schema_has_them(commands in prop::collection::vec(any_command(), 0..5)) {
        let bytes = Serializer::default().encode_recent_commands(&commands);
        let message = v1::RecentCommands::decode(bytes.clone()).unwrap();
        prop_assert_eq!(message.encode_to_vec(), bytes);
    }
}
