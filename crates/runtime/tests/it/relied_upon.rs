//! Events are deleted only behind a snapshot that was read back from the store and decoded.

use crate::{
    account::{Account, Balance, Deposit, DepositAll},
    listener::Listener,
    rig::{Rig, account, all_wait, key},
};
use actum_model::{
    Codec, CodecError, Ctx, Effect, Entity, EventSourced, Handle, LaneCount, Offset, Payload,
    Position, SequenceNr,
};
use actum_persistence::{codec::Json, store::SnapshotStore};
use actum_runtime::{
    JournalReaders, Registration, Runtime,
    settings::{EntitySettings, RuntimeSettings, SnapshotSettings},
};
use actum_testkit::{Damage, Fault, Operation};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use tracing::Level;

fn deleting(keep: u32) -> EntitySettings<Account> {
    let snapshots = SnapshotSettings::every(5).with_snapshots_kept(keep).with_events_deleted(true);
    EntitySettings::default().with_snapshots(snapshots)
}

async fn deposit(engine: &Runtime, times: usize) {
    for _ in 0..times {
        account(engine, "a").ask(Deposit(1)).await.unwrap();
    }
    all_wait().await;
}

/// The number of the first event of `a` that is left, and the numbers of its snapshots.
async fn left(rig: &Rig, kind: &'static str) -> (Option<u64>, Vec<u64>) {
    let first = rig.stored(kind, "a").await.first().map(|event| event.sequence_nr.get());
    let newest = SequenceNr::new(u64::MAX);
    let limit = 9.try_into().unwrap();
    let kept = rig.memory.reopen().list(&key(kind, "a"), newest, limit).await.unwrap();
    (first, kept.into_iter().map(SequenceNr::get).collect())
}

const DAMAGES: [Damage; 6] = [
    Damage::Bytes,
    Damage::Manifest,
    Damage::NewerSchema,
    Damage::Codec,
    Damage::Metadata,
    Damage::Missing,
];

#[tokio::test(start_paused = true)]
async fn behind_a_snapshot_that_does_not_come_back_readable_nothing_is_deleted() {
    for damage in DAMAGES {
        let (listener, _guard) = Listener::listen(Level::WARN);
        let rig = Rig::new();
        let engine = rig.start_accounts(deleting(1)).await;
        deposit(&engine, 5).await;
        assert_eq!(left(&rig, "account").await, (None, vec![5]));
        rig.faults.next(Operation::LoadSnapshot, Fault::damaged_snapshot(damage));
        deposit(&engine, 5).await;
        assert_eq!(rig.faults.left(), 0);
        // the good snapshot and the events behind it are still there, the bad one is not
        assert_eq!(left(&rig, "account").await, (Some(6), vec![5]), "{damage:?}");
        let said = listener.saying("snapshot unreadable, it is deleted and its events are kept");
        assert_eq!(said.len(), 1, "{damage:?}: {}", listener.text());
        assert_eq!(said[0].field("entity"), Some("account/a"));
        assert_eq!(said[0].field("sequence_nr"), Some("10"));
        deposit(&engine, 5).await;
        assert_eq!(left(&rig, "account").await, (None, vec![15]), "{damage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_oldest_snapshot_that_is_kept_is_read_back_before_its_events_go() {
    for damage in DAMAGES {
        let rig = Rig::new();
        let engine = rig.start_accounts(deleting(2)).await;
        deposit(&engine, 10).await;
        assert_eq!(left(&rig, "account").await, (Some(6), vec![10, 5]));
        // 15 comes back as it was, 10 does not
        rig.faults.next(Operation::LoadSnapshot, Fault::none());
        rig.faults.next(Operation::LoadSnapshot, Fault::damaged_snapshot(damage));
        deposit(&engine, 5).await;
        assert_eq!(left(&rig, "account").await, (Some(6), vec![15, 5]), "{damage:?}");
        deposit(&engine, 5).await;
        assert_eq!(left(&rig, "account").await, (Some(16), vec![20, 15]), "{damage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn until_as_many_snapshots_are_there_as_are_kept_no_event_goes() {
    let rig = Rig::new();
    let engine = rig.start_accounts(deleting(3)).await;
    deposit(&engine, 14).await;
    assert_eq!(left(&rig, "account").await, (Some(1), vec![10, 5]));
    deposit(&engine, 1).await;
    assert_eq!(left(&rig, "account").await, (Some(6), vec![15, 10, 5]));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_while_a_snapshot_is_read_back_deletes_nothing() {
    let rig = Rig::new();
    let engine = rig.start_accounts(deleting(1)).await;
    for operation in [Operation::LoadSnapshot, Operation::ReadEntities, Operation::ListSnapshots] {
        rig.faults.next(operation, Fault::unavailable());
        deposit(&engine, 5).await;
        assert_eq!(rig.faults.left(), 0);
        assert_eq!(left(&rig, "account").await.0, Some(1), "{operation:?}");
    }
    assert_eq!(left(&rig, "account").await, (Some(1), vec![15, 10, 5]));
    deposit(&engine, 5).await;
    assert_eq!(left(&rig, "account").await, (None, vec![20]));
}

#[tokio::test(start_paused = true)]
async fn without_deleted_events_nothing_is_read_back() {
    let rig = Rig::new();
    let snapshots = EntitySettings::default().with_snapshots(SnapshotSettings::every(5));
    let engine = rig.start_accounts(snapshots).await;
    deposit(&engine, 50).await;
    assert_eq!(left(&rig, "account").await, (Some(1), vec![50, 45]));
    assert_eq!(rig.faults.calls(Operation::LoadSnapshot), 0);
    assert_eq!(rig.faults.calls(Operation::ReadEntities), 0);
}

/// Adds up ones; its snapshots of 5 to 9, of 15 to 19 and so on can be written and not read.
#[derive(Clone, Debug, Default)]
struct Lossy {
    sum: u64,
}

struct LossyCodec;

impl Codec<Lossy> for LossyCodec {
    const NAME: &'static str = "lossy";
    fn encode(value: &Lossy, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend_from_slice(&value.sum.to_le_bytes());
        Ok(())
    }
    fn decode(bytes: &[u8]) -> Result<Lossy, CodecError> {
        let sum = u64::from_le_bytes(bytes.try_into().map_err(CodecError::new)?);
        match sum % 10 {
            5 => Err(CodecError::new("half of ten")),
            6..=9 => panic!("more than half of ten"),
            _ => Ok(Lossy { sum }),
        }
    }
}

impl Payload for Lossy {
    type Codec = LossyCodec;
    const MANIFEST: &'static str = "lossy.state";
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct One;

actum_model::payload! { Json: One = "one" }

impl Entity for Lossy {
    const KIND: &'static str = "lossy";
    type Id = String;
    type Env = ();
    type Event = One;
    type Commands = (Deposit, Balance);
    fn initial(_: &String) -> Self {
        Self::default()
    }
}

impl EventSourced for Lossy {
    fn apply(&mut self, _: &One) {
        self.sum += 1;
    }
}

type Answer = Result<Effect<Lossy, u64>, Infallible>;

impl Handle<Deposit> for Lossy {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, _: Deposit, _: &Ctx<'_, Self>) -> Answer {
        Ok(Effect::persist(One).reply_with(|lossy: &Self| lossy.sum))
    }
}

impl Handle<Balance> for Lossy {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, _: Balance, _: &Ctx<'_, Self>) -> Answer {
        Ok(Effect::none().reply(self.sum))
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_that_its_own_codec_cannot_read_back_costs_no_event_and_no_snapshot() {
    for (every, delete) in [(5, true), (5, false), (7, true)] {
        let (listener, _guard) = Listener::listen(Level::WARN);
        let rig = Rig::new();
        let policy = SnapshotSettings::every(every).with_snapshots_kept(1);
        let policy = policy.with_events_deleted(delete);
        let settings = EntitySettings::<Lossy>::default().with_snapshots(policy);
        for sum in 1..=42 {
            let kinds = vec![Registration::event_sourced::<Lossy>((), settings.clone())];
            let engine = rig.start_with(kinds, RuntimeSettings::default()).await;
            assert_eq!(engine.entity::<Lossy>("a").ask(Deposit(1)).await.unwrap(), sum);
            all_wait().await;
            assert!(engine.shutdown().await.is_clean());
            let (_, kept) = left(&rig, "lossy").await;
            assert!(kept.len() <= 1 && kept.iter().all(|nr| nr % 10 < 5), "{kept:?}");
        }
        let said = listener.saying("snapshot not saved, it cannot be decoded");
        assert!(said.len() >= 2, "{}", listener.text());
        assert!(said.iter().all(|said| said.field("entity") == Some("lossy/a")));
        let (first, kept) = left(&rig, "lossy").await;
        assert_eq!(first, Some(if delete { kept[0] + 1 } else { 1 }));
    }
}

#[tokio::test(start_paused = true)]
async fn no_event_goes_that_a_reader_of_the_journal_has_not_read() {
    let rig = Rig::new();
    let readers = JournalReaders::new();
    let offset = |position| Offset::of_positions([Position::new(position)]);
    let beginning = Offset::beginning(LaneCount::default());
    let reader = readers.enter_at("a projection", beginning).unwrap();
    let settings = RuntimeSettings::default().with_journal_readers(Some(readers));
    let accounts = Registration::event_sourced((), deleting(1));
    let engine = rig.start_with(vec![accounts], settings).await;
    deposit(&engine, 10).await;
    assert_eq!(left(&rig, "account").await, (Some(1), vec![10]), "it has read nothing");
    reader.has_read(&offset(7));
    deposit(&engine, 5).await;
    assert_eq!(left(&rig, "account").await, (Some(8), vec![15]));
    let fast = engine.readers().enter_at("another", Offset::beginning(LaneCount::default()));
    fast.as_ref().unwrap().has_read(&offset(100));
    deposit(&engine, 5).await;
    assert_eq!(left(&rig, "account").await, (Some(8), vec![20]), "the slowest decides");
    reader.has_read(&offset(18));
    reader.has_read(&offset(9)); // it reads again
    deposit(&engine, 5).await;
    assert_eq!(left(&rig, "account").await, (Some(10), vec![25]));
    drop(reader);
    deposit(&engine, 5).await;
    assert_eq!(left(&rig, "account").await, (None, vec![30]));
}

#[tokio::test(start_paused = true)]
async fn what_many_snapshots_make_superfluous_goes_in_one_call() {
    let rig = Rig::new();
    let engine = rig.start_accounts(deleting(1)).await;
    let saving = rig.hold_next(Operation::SaveSnapshots);
    for n in 0..20 {
        account(&engine, &n.to_string()).ask(DepositAll(vec![1; 5])).await.unwrap();
    }
    saving.held(1).await;
    let before = rig.faults.calls(Operation::DeleteEvents);
    saving.open();
    all_wait().await;
    // the first was saved alone, while the others came
    assert_eq!(rig.faults.calls(Operation::DeleteEvents) - before, 2);
    for n in 0..20 {
        assert_eq!(rig.stored("account", &n.to_string()).await, []);
    }
}

#[tokio::test(start_paused = true)]
async fn readers_of_an_engine_that_has_ended_are_refused() {
    let rig = Rig::new();
    let settings = RuntimeSettings::default().with_journal_readers(Some(JournalReaders::new()));
    let start = || rig.try_start("bank", vec![crate::rig::accounts()], settings.clone());
    assert!(start().await.unwrap().shutdown().await.is_clean());
    let error = start().await.unwrap_err().to_string();
    assert!(error.contains("`journal_readers` are those of an engine that has ended"), "{error}");
}
