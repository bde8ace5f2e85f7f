//! Bytes that no one encoded: anything may come back but a panic.

use crate::{
    account::{Balance, Deposited, Opened, balance, deposited, opened},
    metadata::{full_metadata, reply},
    recent_commands::commands,
    seed,
};
use actum_model::StoredPayload;
use actum_persistence::serializer::Serializer;
use bytes::Bytes;

const ROUNDS: usize = 20_000;

fn read_as_everything(serializer: &Serializer, bytes: Vec<u8>) {
    let bytes = Bytes::from(bytes);
    let payload = |codec, manifest| StoredPayload {
        codec,
        manifest,
        schema_version: 1,
        bytes: bytes.clone(),
    };
    let _ = serializer.decode::<Opened>(&payload("json".into(), "account.opened".into()));
    let _ = serializer.decode::<Balance>(&payload("cbor".into(), "account.balance".into()));
    let _ = serializer.decode::<Deposited>(&payload("prost".into(), "account.deposited".into()));
    let _ = serializer.decode::<Vec<Opened>>(&payload("each".into(), "list".into()));
    let _ = serializer.decode_metadata(&bytes);
    let _ = serializer.decode_recent_commands(&bytes);
}

#[test]
fn random_bytes_never_panic() {
    let (mut random, serializer) = (seed::random(), Serializer::default());
    for _ in 0..ROUNDS {
        let length = random.usize(..64);
        let bytes = std::iter::repeat_with(|| random.u8(..)).take(length).collect();
        read_as_everything(&serializer, bytes);
    }
}

#[test]
fn damaged_encodings_never_panic() {
    let (mut random, serializer) = (seed::random(), Serializer::default());
    let valid = [
        serializer.encode(&opened()).unwrap().bytes,
        serializer.encode(&balance()).unwrap().bytes,
        serializer.encode(&deposited()).unwrap().bytes,
        serializer.encode(&vec![opened(), opened()]).unwrap().bytes,
        serializer.encode_metadata(&full_metadata(), Some(&reply())).unwrap(),
        serializer.encode_recent_commands(&commands()),
    ];
    for _ in 0..ROUNDS {
        let mut bytes = valid[random.usize(..valid.len())].to_vec();
        for _ in 0..random.usize(1..4) {
            damage(&mut bytes, &mut random);
        }
        read_as_everything(&serializer, bytes);
    }
}

fn damage(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    let at = random.usize(..=bytes.len());
    match random.u8(..4) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, random.u8(..)),
        2 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
        _ => bytes.extend_from_within(..at),
    }
}
