//! Payloads, metadata and what one command stores have limits; beyond them a command is invalid as a whole.

use crate::{
    account::{Deposit, DepositAll},
    note::{Add, Read, Write, note, notes},
    rig::{Rig, account, accounts, assert_is},
};
use actum_model::Metadata;
use actum_persistence::serializer::SizeLimits;
use actum_runtime::{AskError, Runtime, settings::RuntimeSettings};

/// An engine with small limits.
async fn start_small(rig: &Rig) -> Runtime {
    let limits = SizeLimits::default()
        .with_payload_bytes_max(100)
        .with_metadata_bytes_max(50)
        .with_append_bytes_max(500)
        .with_append_events_max(20);
    let settings = RuntimeSettings::default().with_size_limits(limits);
    rig.start_with(vec![accounts(), notes()], settings).await
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_is_too_large_is_invalid_and_nothing_of_it_is_seen() {
    let rig = Rig::new();
    let engine = start_small(&rig).await;
    let a = note(&engine, "a");
    a.ask(Write("x".repeat(89))).await.unwrap(); // {"text":"…"}
    let error = a.ask(Write("y".repeat(90))).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid: `note.state` has 101 bytes, a payload may have at most 100"
    );
    assert_eq!(a.ask(Write(String::new())).await.unwrap(), "x".repeat(89));
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_too_large_to_be_recorded_is_invalid_and_its_change_is_undone() {
    let rig = Rig::new();
    let engine = rig.start_with(vec![notes()], limited_to(60)).await;
    let a = note(&engine, "a");
    a.ask(Write("x".repeat(40))).await.unwrap();
    // one that only the limit of replies is too small for
    let limits = SizeLimits::default().with_reply_bytes_max(20);
    let sparing = Rig::new();
    let sparing = sparing
        .start_with(vec![notes()], RuntimeSettings::default().with_size_limits(limits))
        .await;
    let error = note(&sparing, "a").ask(Add("z".repeat(21))).command_id("c").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid: the reply cannot be recorded: it has 21 bytes, at most 20 are allowed with a command id"
    );
    assert_eq!(note(&sparing, "a").ask(Add("z".repeat(21))).await.unwrap().len(), 21);
    let add = |more: usize| Add("y".repeat(more));
    let error = a.ask(add(9)).command_id("c").await;
    assert_eq!(error.unwrap().len(), 49, "that much can be recorded");
    let error = a.ask(add(20)).command_id("d").await.unwrap_err();
    assert_is!(&error, AskError::Invalid { .. });
    assert_eq!(a.ask(Read).await.unwrap().len(), 49);
}

fn limited_to(payload_bytes: usize) -> RuntimeSettings {
    let limits = SizeLimits::default().with_payload_bytes_max(payload_bytes);
    RuntimeSettings::default().with_size_limits(limits)
}

#[tokio::test(start_paused = true)]
async fn metadata_that_is_too_large_is_invalid() {
    let rig = Rig::new();
    let engine = start_small(&rig).await;
    let a = account(&engine, "a");
    let with = |bytes: usize| Metadata::new().with_correlation_id("x".repeat(bytes));
    assert_eq!(a.ask(Deposit(1)).metadata(with(48)).await.unwrap(), 1);
    let error = a.ask(Deposit(1)).metadata(with(49)).await.unwrap_err();
    assert_eq!(error.to_string(), "invalid: the metadata has 51 bytes, it may have at most 50");
    assert_eq!(a.ask(Deposit(1)).await.unwrap(), 2);
    assert_eq!(rig.events("a").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_command_of_too_many_events_or_bytes_is_invalid_as_a_whole() {
    let rig = Rig::new();
    let engine = start_small(&rig).await;
    let a = account(&engine, "a");
    let error = a.ask(DepositAll(vec![1; 21])).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid: one command may store at most 20 events, this one has 21"
    );
    // 19 events of 27 bytes
    let error = a.ask(DepositAll(vec![1_000_000_000_000; 19])).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid: one command may store at most 500 bytes, this one has 513"
    );
    assert_eq!(a.ask(DepositAll(vec![1; 20])).await.unwrap(), 20);
    assert_eq!(rig.events("a").await.len(), 20);
    // just as many as are allowed: 20 events of 25 bytes
    a.ask(DepositAll(vec![10_000_000_000; 20])).await.unwrap();
    assert_eq!(rig.events("a").await.len(), 40);
}
