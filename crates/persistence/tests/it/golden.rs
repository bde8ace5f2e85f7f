//! What was stored once is read for ever: the files under `tests/golden` are never changed, only added to.

use crate::{
    account::{Balance, Deposited, Opened, balance, deposited, opened},
    metadata::{full_metadata, old_reply, reply},
    recent_commands::{commands, whole_commands},
};
use actum_model::{Payload, StoredPayload};
use actum_persistence::serializer::Serializer;
use bytes::Bytes;
use std::{fmt::Debug, fs, path::Path};

/// The bytes of a golden file. One that does not exist yet is written from `today`, if `ACTUM_BLESS=1` asks for it.
fn golden(name: &str, today: &Bytes) -> Bytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let bless = std::env::var_os("ACTUM_BLESS").is_some_and(|value| value == "1");
    if bless && !path.exists() {
        fs::write(&path, to_hex(today)).unwrap();
    }
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    of_hex(&text)
}

fn to_hex(bytes: &[u8]) -> String {
    let line = |chunk: &[u8]| chunk.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    bytes.chunks(32).map(|chunk| line(chunk) + "\n").collect()
}

fn of_hex(text: &str) -> Bytes {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn assert_payload<T: Payload + PartialEq + Debug>(name: &str, codec: &'static str, value: &T) {
    let serializer = Serializer::default();
    let today = serializer.encode(value).unwrap();
    let stored = StoredPayload {
        codec: codec.into(),
        manifest: T::MANIFEST.into(),
        schema_version: 1,
        bytes: golden(name, &today.bytes),
    };
    assert_eq!(serializer.decode::<T>(&stored).unwrap(), *value, "{name}");
    assert_eq!(today, stored, "{name}: today's encoding differs, older programs may not read it");
}

#[test]
fn payloads_of_each_codec_are_read_for_ever() {
    assert_payload::<Opened>("opened.json.hex", "json", &opened());
    assert_payload::<Balance>("balance.cbor.hex", "cbor", &balance());
    assert_payload::<Deposited>("deposited.prost.hex", "prost", &deposited());
}

#[test]
fn metadata_is_read_for_ever() {
    let serializer = Serializer::default();
    let old = golden("event_metadata.hex", &Bytes::new());
    let expected = (full_metadata(), Some(old_reply()));
    assert_eq!(serializer.decode_metadata(&old).unwrap(), expected);
    let today = serializer.encode_metadata(&full_metadata(), Some(&reply())).unwrap();
    let stored = golden("event_metadata_2.hex", &today);
    let expected = (full_metadata(), Some(reply()));
    assert_eq!(serializer.decode_metadata(&stored).unwrap(), expected);
    assert_eq!(today, stored, "today's encoding differs, older programs may not read it");
}

#[test]
fn recent_commands_are_read_for_ever() {
    let serializer = Serializer::default();
    let old = golden("recent_commands.hex", &Bytes::new());
    assert_eq!(serializer.decode_recent_commands(&old).unwrap(), whole_commands());
    let today = serializer.encode_recent_commands(&commands());
    let stored = golden("recent_commands_2.hex", &today);
    assert_eq!(serializer.decode_recent_commands(&stored).unwrap(), commands());
    assert_eq!(today, stored, "today's encoding differs, older programs may not read it");
}
