use crate::metadata::old_reply;
use actum_model::{CommandId, SequenceNr, Timestamp};
use actum_persistence::{
    serializer::{CommandMark, RecentCommand, RecentCommands, Serializer, Uptime},
    store::Incarnation,
};
use actum_proto::storage::v1;
use bytes::Bytes;
use proptest::{
    prelude::{Strategy, any, prop},
    prop_assert_eq, proptest,
};
use prost::Message;

pub(crate) fn commands() -> RecentCommands {
    let mark = |id: &str, nr, age_seconds| CommandMark {
        id_hash: CommandId::new(id).unwrap().hash64(),
        sequence_nr: SequenceNr::new(nr),
        age_seconds,
    };
    RecentCommands {
        forgotten_to: SequenceNr::new(2),
        marks: vec![mark("order-7", 3, 86_400), mark("Auftrag-8", u64::MAX, 0)],
        made_at: Uptime { incarnation: Incarnation::new(17), seconds: 4_000_000_000 },
        commands: Vec::new(),
    }
}

/// As schema version 1 stored them.
pub(crate) fn whole_commands() -> RecentCommands {
    let command = |id: &str, nr, micros| RecentCommand {
        command_id: CommandId::new(id).unwrap(),
        sequence_nr: SequenceNr::new(nr),
        timestamp: Timestamp::from_micros(micros),
        reply: old_reply(),
    };
    let commands =
        vec![command("order-7", 3, 1_795_000_000_000_000), command("Auftrag-8", u64::MAX, -1)];
    RecentCommands { commands, ..RecentCommands::default() }
}

fn error_of(list: &v1::RecentCommands) -> String {
    let bytes = list.encode_to_vec().into();
    Serializer::default().decode_recent_commands(&bytes).unwrap_err().to_string()
}

fn error_of_one(stored: v1::RecentCommand) -> String {
    error_of(&v1::RecentCommands { commands: vec![stored], ..Default::default() })
}

#[test]
fn no_commands_are_no_bytes_and_no_allocation() {
    let (serializer, none) = (Serializer::default(), RecentCommands::default());
    let used = allocation_counter::measure(|| {
        let bytes = serializer.encode_recent_commands(&none);
        assert!(bytes.is_empty());
        assert_eq!(serializer.decode_recent_commands(&bytes).unwrap(), none);
    });
    assert_eq!(used.count_total, 0);
}

#[test]
fn a_thousand_commands_take_about_twelve_kilobytes() {
    let mark = |nr: u64| CommandMark {
        id_hash: CommandId::new(format!("id-{nr}")).unwrap().hash64(),
        sequence_nr: SequenceNr::new(1_000_000 + 3 * nr),
        age_seconds: 600,
    };
    let marks = (0..1000_u64).map(mark).collect();
    let list = RecentCommands { marks, ..RecentCommands::default() };
    let bytes = Serializer::default().encode_recent_commands(&list).len();
    assert!(bytes < 12_000, "{bytes}");
}

#[test]
fn a_command_that_lacks_something_is_damage() {
    let reply =
        || Some(v1::RecordedReply { payload: Some(v1::Payload::default()), ..Default::default() });
    let whole = v1::RecentCommand { command_id: "a".into(), reply: reply(), ..Default::default() };
    let anonymous = v1::RecentCommand { command_id: String::new(), ..whole.clone() };
    assert_eq!(error_of_one(anonymous), "the stored recent command has an invalid command id");
    let silent = v1::RecentCommand { reply: None, ..whole.clone() };
    assert_eq!(error_of_one(silent), "the stored recent command lacks its reply");
    let empty = v1::RecentCommand { reply: Some(v1::RecordedReply::default()), ..whole };
    assert_eq!(error_of_one(empty), "the stored recorded reply lacks its payload");
    let error = Serializer::default().decode_recent_commands(&Bytes::from_static(b"\x0a\x7f"));
    assert_eq!(error.unwrap_err().to_string(), "the stored list of recent commands is damaged");
}

#[test]
fn a_list_that_cannot_be_right_is_damage() {
    let whole = v1::RecentCommands {
        id_hashes: vec![1, 2],
        sequence_nr_steps: vec![5, 1],
        ages_seconds: vec![0, 0],
        ..Default::default()
    };
    let wrong = [
        v1::RecentCommands { id_hashes: vec![1], ..whole.clone() },
        v1::RecentCommands { ages_seconds: vec![0; 3], ..whole.clone() },
        v1::RecentCommands { sequence_nr_steps: vec![5, 0], ..whole.clone() },
        v1::RecentCommands { sequence_nr_steps: vec![u64::MAX, 1], ..whole },
    ];
    for list in wrong {
        assert_eq!(error_of(&list), "the stored list of recent commands is damaged");
    }
}

#[test]
fn commands_of_version_1_are_read_whole() {
    let reply = old_reply();
    let stored = v1::RecordedReply {
        command_manifest: reply.command_manifest.into_owned(),
        payload: Some(v1::Payload {
            codec: reply.payload.codec.into_owned(),
            manifest: reply.payload.manifest.into_owned(),
            schema_version: reply.payload.schema_version,
            bytes: reply.payload.bytes,
        }),
        ..Default::default()
    };
    let command = |id: &str, sequence_nr, timestamp_micros| v1::RecentCommand {
        command_id: id.into(),
        sequence_nr,
        timestamp_micros,
        reply: Some(stored.clone()),
    };
    let commands =
        vec![command("order-7", 3, 1_795_000_000_000_000), command("Auftrag-8", u64::MAX, -1)];
    let list = v1::RecentCommands { commands, ..Default::default() };
    let read = Serializer::default().decode_recent_commands(&list.encode_to_vec().into()).unwrap();
    assert_eq!(read, whole_commands());
}

fn any_commands() -> impl Strategy<Value = RecentCommands> {
    let marks = prop::collection::btree_map(1_u64.., (any::<u64>(), any::<u32>()), 0..8);
    (any::<u64>(), marks, any::<u64>(), any::<u32>()).prop_map(
        |(forgotten_to, marks, incarnation, seconds)| {
            let mark = |(nr, (id_hash, age_seconds))| CommandMark {
                id_hash,
                sequence_nr: SequenceNr::new(nr),
                age_seconds,
            };
            let marks: Vec<_> = marks.into_iter().map(mark).collect();
            let forgotten_to = SequenceNr::new(forgotten_to);
            if marks.is_empty() && forgotten_to == SequenceNr::ZERO {
                return RecentCommands::default();
            }
            let made_at = Uptime { incarnation: Incarnation::new(incarnation), seconds };
            RecentCommands { forgotten_to, marks, made_at, commands: Vec::new() }
        },
    )
}

proptest! {
    #[test]
    fn recent_commands_come_back_as_they_went_in(commands in any_commands()) {
        let serializer = Serializer::default();
        let bytes = serializer.encode_recent_commands(&commands);
        prop_assert_eq!(serializer.decode_recent_commands(&bytes).unwrap(), commands);
    }

    #[test]
    fn recent_commands_are_written_as_the_schema_has_them(commands in any_commands()) {
        let bytes = Serializer::default().encode_recent_commands(&commands);
        let message = v1::RecentCommands::decode(bytes.clone()).unwrap();
        prop_assert_eq!(message.encode_to_vec(), bytes);
    }
}
