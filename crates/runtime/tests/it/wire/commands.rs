//! Commands on a real engine.

use super::{
    caller::{ask, envelope, with_metadata},
    owner::serve,
};
use crate::{
    account::{Account, AccountEvent, Balance, Deposit, Insufficient, Withdraw},
    fragile::{Actions, At, Fail, Fragile, registered},
    note::{Note, Read, Write, notes},
    rig::{Gate, Rig, account, accounts, assert_is, send},
};
use actum_model::{CommandId, Metadata, Revision, TraceContext};
use actum_persistence::serializer::Serializer;
use actum_proto::{storage::v1::Payload, wire::v1::CommandEnvelope};
use actum_runtime::{AskError, Runtime};
use actum_testkit::{Damage, Fault, Operation};
use prost::Message;

async fn start(rig: &Rig) -> Runtime {
    let kinds = vec![accounts(), notes(), registered(&Actions::default())];
    rig.start_with(kinds, Default::default()).await
}

#[tokio::test(start_paused = true)]
async fn a_command_goes_as_bytes_and_its_reply_comes_back_typed() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    let deposit = |amount| envelope::<Account, _, _>("a", &Deposit(amount));
    assert_eq!(ask::<Account, Deposit>(&engine, deposit(5)).await.unwrap(), (5, 1));
    assert_eq!(ask::<Account, Deposit>(&engine, deposit(7)).await.unwrap(), (12, 2));
    let balance = envelope::<Account, _, _>("a", &Balance);
    assert_eq!(ask::<Account, Balance>(&engine, balance).await.unwrap(), (12, 2));
    let write = envelope::<Note, _, _>("n", &Write("x".into()));
    assert_eq!(ask::<Note, Write>(&engine, write).await.unwrap(), (String::new(), 1));
    let read = envelope::<Note, _, _>("n", &Read);
    assert_eq!(ask::<Note, Read>(&engine, read).await.unwrap(), ("x".to_owned(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_rejection_comes_back_typed() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    let withdraw = envelope::<Account, _, _>("a", &Withdraw(3));
    let error = ask::<Account, Withdraw>(&engine, withdraw).await.unwrap_err();
    assert_eq!(error.rejection(), Some(&Insufficient { short_by: 3 }));
}

#[tokio::test(start_paused = true)]
async fn metadata_travels_along_and_a_retry_gets_the_first_reply() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    let trace =
        TraceContext::new("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
    let metadata = Metadata::new()
        .with_command_id(CommandId::new("request-7").unwrap())
        .with_correlation_id("order-1")
        .with_trace(trace.with_tracestate("a=b"))
        .with_header("by", "Ada");
    let deposit = || with_metadata(envelope::<Account, _, _>("a", &Deposit(5)), &metadata);
    assert_eq!(ask::<Account, Deposit>(&engine, deposit()).await.unwrap(), (5, 1));
    account(&engine, "a").ask(Deposit(1)).await.unwrap();
    assert_eq!(ask::<Account, Deposit>(&engine, deposit()).await.unwrap().0, 5);
    let stored = rig.stored("account", "a").await;
    assert_eq!(stored.len(), 2);
    assert_eq!(stored[0].decode_metadata().unwrap(), metadata);
    assert_eq!(stored[1].decode_metadata().unwrap(), Metadata::new());
    let (with_reply, _) = Serializer::default().decode_metadata(&stored[0].metadata).unwrap();
    assert_eq!(with_reply, metadata);
}

#[tokio::test(start_paused = true)]
async fn a_command_for_which_no_one_waits_is_applied_and_not_answered() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    let told = CommandEnvelope { deadline_ms: None, ..envelope::<Account, _, _>("a", &Deposit(5)) };
    assert_eq!(serve(&engine, &told.encode_to_vec()).await, None);
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 5);
    assert_eq!(rig.events("a").await, [AccountEvent::Deposited(5)]);
}

async fn failure(
    engine: &Runtime,
    envelope: CommandEnvelope,
) -> AskError<std::convert::Infallible> {
    let error = ask::<Account, Deposit>(engine, envelope).await.map(drop).unwrap_err();
    error.map_rejection(|_| unreachable!("a deposit is not refused"))
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_decoded_is_invalid_and_says_why() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    let sent = || envelope::<Account, _, _>("a", &Deposit(5));
    let with = |change: fn(&mut Payload)| {
        let mut envelope = sent();
        change(envelope.command.as_mut().unwrap());
        envelope
    };
    for (envelope, expected) in [
        (
            with(|command| command.manifest = "close".into()),
            "the command `close` is not listed, the entity handles `deposit`, `",
        ),
        (
            with(|command| command.schema_version = 2),
            "`deposit` is stored in schema version 2, this program knows up to 1",
        ),
        (
            with(|command| command.bytes = "x".into()),
            "`deposit`, schema version 1, is not valid json: ",
        ),
        (CommandEnvelope { kind: "ship".into(), ..sent() }, "no entity of kind `ship` runs here"),
        (CommandEnvelope { command: None, ..sent() }, "the envelope has no command"),
        (CommandEnvelope { id: String::new(), ..sent() }, "an entity id must not be empty"),
    ] {
        let error = failure(&engine, envelope).await;
        assert_is!(&error, AskError::Invalid { what } if what.starts_with(expected));
        assert!(!error.maybe_applied());
    }
    assert_eq!(rig.events("a").await, []);
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_with_a_command_comes_back_as_what_it_was() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    account(&engine, "stored").ask(Deposit(1)).await.unwrap();
    assert!(engine.shutdown().await.is_clean());
    let engine = start(&rig).await;
    let sent = |id: &str| envelope::<Account, _, _>(id, &Deposit(5));

    rig.faults.next(Operation::Recover, Fault::damaged_event(Damage::Bytes));
    let error = failure(&engine, sent("stored")).await;
    assert_is!(&error, AskError::Corrupt { what } if what.starts_with("account/stored: event 1: "));
    let outdated = CommandEnvelope { expected_sequence_nr: Some(4), ..sent("stored") };
    let error = failure(&engine, outdated).await;
    let (four, one) = (Revision::new(4), Revision::new(1));
    assert_is!(error, AskError::RevisionMismatch { expected, actual } if (expected, actual) == (four, one));
    rig.faults.next(Operation::Append, Fault::unavailable());
    let error = failure(&engine, sent("away")).await;
    assert_is!(&error, AskError::Unavailable { .. });
    rig.faults.next(Operation::Append, Fault::foreign_writer());
    let error = failure(&engine, sent("overtaken")).await;
    assert_is!(&error, AskError::Conflict { .. });

    let panicking = envelope::<Fragile, _, _>("f", &Fail(At::Handle));
    let error = ask::<Fragile, Fail>(&engine, panicking).await.map(drop).unwrap_err();
    assert_is!(&error, AskError::Panicked { command: "fail", message } if message.contains(": in handle"));

    let gate = Gate::closed();
    rig.faults.next(Operation::Append, Fault::none().held_before(&gate));
    let late = CommandEnvelope { deadline_ms: Some(20), ..sent("late") };
    let error = failure(&engine, late).await;
    assert_is!(error, AskError::Timeout { maybe_applied: true });
    gate.open();
    let after = send(account(&engine, "late").ask(Balance));
    assert_eq!(after.await.unwrap().unwrap(), 5);
}
