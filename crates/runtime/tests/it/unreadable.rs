//! What is stored may be unreadable: recovery says so, stops at that entity, and tries again when it is asked again.

use crate::{
    account::{Account, AccountEvent, Balance, Deposit, DepositAll},
    note::{Write, note, notes},
    rig::{Rig, account, accounts, all_wait, assert_is, key, send},
};
use actum_model::{Ctx, DecodeError, Effect, Entity, EventSourced, Handle, Payload, StoredPayload};
use actum_persistence::{
    codec::Json,
    store::{PageLimit, StoreError},
};
use actum_runtime::{
    AskError, Registration, Runtime,
    settings::{EntitySettings, RuntimeSettings},
};
use actum_testkit::{Damage, Fault, Operation};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// A journal with three events of `a` and one of `b`, and an engine that has not read them.
async fn with_history(rig: &Rig) -> Runtime {
    let engine = rig.start().await;
    account(&engine, "a").ask(DepositAll(vec![1, 2, 3])).command_id("c").await.unwrap();
    account(&engine, "b").ask(Deposit(1)).await.unwrap();
    assert!(engine.shutdown().await.is_clean());
    rig.start().await
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_read_is_corrupt_until_it_can() {
    for (damage, said) in [
        (Damage::Bytes, "account/a: event 1: `account`, schema version 1, is not valid json"),
        (Damage::Manifest, "account/a: event 1: the stored manifest is `no-such-manifest`"),
        (
            Damage::NewerSchema,
            "account/a: event 1: `account` is stored in schema version 4294967295",
        ),
        (Damage::Codec, "account/a: event 1: `account` is stored with the codec `no-such-codec`"),
        (Damage::Metadata, "account/a: event 1: the stored event metadata is damaged"),
        (Damage::Missing, "account/a: expected event 1, the journal has 2"),
    ] {
        let rig = Rig::of_one_partition();
        let engine = with_history(&rig).await;
        let a = account(&engine, "a");
        rig.faults.next(Operation::Recover, Fault::damaged_event(damage));
        let waiting: Vec<_> = (0..3).map(|_| send(a.ask(Deposit(1)))).collect();
        for asking in waiting {
            let error = asking.await.unwrap().unwrap_err();
            assert_is!(&error, AskError::Corrupt { what } if what.starts_with(said));
        }
        assert_eq!(engine.usage().entities, 0);
        assert_eq!(account(&engine, "b").ask(Balance).await.unwrap(), 1);
        // it was read wrong, not stored wrong: no one has to start the entity again by hand
        assert_eq!(a.ask(Deposit(1)).await.unwrap(), 7, "{damage:?}");
        assert_eq!(rig.faults.left(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_missing_at_the_end_is_noticed_too() {
    let rig = Rig::new();
    let engine = with_history(&rig).await;
    rig.faults.next(Operation::Recover, Fault::damaged_event(Damage::Missing));
    let error = account(&engine, "b").ask(Balance).await.unwrap_err();
    assert_eq!(error.to_string(), "corrupt: account/b: events 1 to 1 are missing");
    assert_eq!(account(&engine, "b").ask(Balance).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_damaged_entity_keeps_no_other_out_that_is_read_with_it() {
    let rig = Rig::new();
    let engine = with_history(&rig).await;
    let reading = rig.hold_next(Operation::Recover);
    let first = send(account(&engine, "first").ask(Balance));
    reading.held(1).await;
    // these are read together, and the store refuses the read as a whole, and then one of them alone
    rig.faults.next_n(Operation::Recover, 2, Fault::fail(StoreError::corrupt("page 7 is torn")));
    let (a, b) =
        (send(account(&engine, "a").ask(Balance)), send(account(&engine, "b").ask(Balance)));
    all_wait().await;
    reading.open();
    assert_eq!(first.await.unwrap().unwrap(), 0);
    let answers = [a.await.unwrap(), b.await.unwrap()];
    let corrupt = |answer: &&Result<u64, _>| matches!(answer, Err(AskError::Corrupt { .. }));
    let refused = answers.iter().filter(corrupt).count();
    assert!(refused <= 2 && answers.iter().all(|answer| answer.is_ok() || corrupt(&answer)));
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 6);
    assert_eq!(account(&engine, "b").ask(Balance).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_while_an_entity_recovers_is_unavailable_and_does_no_harm() {
    for fault in [Fault::unavailable(), Fault::panic(), Fault::unknown_committed()] {
        let rig = Rig::new();
        let engine = with_history(&rig).await;
        rig.faults.next(Operation::Recover, fault);
        let a = account(&engine, "a");
        assert_is!(a.ask(Deposit(1)).await, Err(AskError::Unavailable { .. }));
        assert_eq!(a.ask(Deposit(1)).await.unwrap(), 7);
    }
}

#[tokio::test(start_paused = true)]
async fn an_entity_of_many_pages_is_read_page_by_page() {
    let rig = Rig::new();
    let engine = with_history(&rig).await;
    let a = account(&engine, "a");
    a.ask(DepositAll(vec![1; 100])).await.unwrap();
    assert!(engine.shutdown().await.is_clean());
    for page in [
        PageLimit::default().with_events(7.try_into().unwrap()),
        PageLimit::default().with_bytes(100),
    ] {
        let settings = RuntimeSettings::default().with_page(page);
        let engine = rig.start_with(vec![accounts()], settings).await;
        rig.faults.reset_counts();
        assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 106);
        assert_eq!(rig.faults.counts().events_read, 103, "none is read twice");
        assert!(rig.faults.calls(Operation::ReadEntities) >= 14);
        rig.faults.next(Operation::ReadEntities, Fault::damaged_event(Damage::Missing));
        assert!(engine.shutdown().await.is_clean());
        // a hole behind the first page
        let settings = RuntimeSettings::default().with_page(page);
        let engine = rig.start_with(vec![accounts()], settings).await;
        let error = account(&engine, "a").ask(Balance).await.unwrap_err();
        assert_is!(error, AskError::Corrupt { .. });
        assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 106);
        assert!(engine.shutdown().await.is_clean());
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_apply_refuses_by_a_panic_is_corrupt() {
    let rig = Rig::of_one_partition();
    let engine = with_history(&rig).await;
    let overdraft = StoredPayload::encode(&AccountEvent::Withdrawn(1_000)).unwrap();
    rig.faults.next(Operation::Append, Fault::foreign_writer_of(overdraft));
    let a = account(&engine, "a");
    assert_is!(a.ask(Deposit(1)).await, Err(AskError::Conflict { .. }));
    let error = a.ask(Balance).await.unwrap_err();
    assert_is!(
        error,
        AskError::Corrupt { what }
        if what.starts_with("account/a: event 4: applying it panicked: attempt to subtract")
    );
    assert_eq!(account(&engine, "b").ask(Balance).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_recorded_reply_that_cannot_be_read_fails_its_retry_only() {
    let rig = Rig::new();
    let engine = with_history(&rig).await;
    let kinds = vec![Registration::event_sourced::<Renamed>((), EntitySettings::default())];
    assert!(engine.shutdown().await.is_clean());
    let engine = rig.start_with(kinds, RuntimeSettings::default()).await;
    let a = engine.entity::<Renamed>("a");
    let error = a.ask(DepositAll(vec![1, 2, 3])).command_id("c").await.unwrap_err();
    assert_is!(
        error,
        AskError::Corrupt { what } if what.starts_with("the recorded reply cannot be read: ")
    );
    assert_eq!(a.ask(DepositAll(vec![])).await.unwrap(), "6 in 3 events");
}

#[tokio::test(start_paused = true)]
async fn old_events_are_lifted_when_an_entity_recovers() {
    let rig = Rig::new();
    let engine = with_history(&rig).await;
    assert!(engine.shutdown().await.is_clean());
    let kinds = vec![Registration::event_sourced::<Renamed>((), EntitySettings::default())];
    let engine = rig.start_with(kinds, RuntimeSettings::default()).await;
    let a = engine.entity::<Renamed>("a");
    assert_eq!(a.ask(DepositAll(vec![10])).await.unwrap(), "16 in 4 events");
    let stored = rig.stored("account", "a").await;
    assert_eq!((stored[0].payload.schema_version, stored[3].payload.schema_version), (1, 2));
    assert!(engine.shutdown().await.is_clean());

    // who goes back to the old program meets what it cannot know
    let engine = rig.start().await;
    let error = account(&engine, "a").ask(Balance).await.unwrap_err();
    assert_is!(
        error,
        AskError::Corrupt { what }
        if what == "account/a: event 4: `account` is stored in schema version 2, this program knows up to 1"
    );
    assert_eq!(rig.stored("account", "a").await.len(), 4);
    assert_eq!(account(&engine, "b").ask(Balance).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_state_and_events_of_one_kind_and_id_are_two_things() {
    let rig = Rig::new();
    let engine = rig.start_with(vec![accounts(), notes()], RuntimeSettings::default()).await;
    account(&engine, "x").ask(Deposit(1)).await.unwrap();
    note(&engine, "x").ask(Write("y".into())).await.unwrap();
    assert_ne!(key("account", "x"), key("note", "x"));
    assert_eq!(account(&engine, "x").state().await.unwrap(), Account { balance: 1 });
    assert_eq!(note(&engine, "x").state().await.unwrap().text, "y");
}

/// [`Account`] in a later version of its program: events have another form, and replies are text.
#[derive(Default)]
struct Renamed {
    balance: u64,
    events: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Moved {
    by: i128,
}

impl Payload for Moved {
    type Codec = Json;
    const MANIFEST: &'static str = "account";
    const SCHEMA_VERSION: u32 = 2;

    fn upcast(stored: &StoredPayload) -> Result<Self, DecodeError> {
        if stored.schema_version != 1 || stored.manifest != AccountEvent::MANIFEST {
            return Err(stored.unreadable::<Self>());
        }
        Ok(match stored.decode_as::<AccountEvent, Json>()? {
            AccountEvent::Deposited(amount) => Self { by: amount.into() },
            AccountEvent::Withdrawn(amount) => Self { by: -i128::from(amount) },
        })
    }
}

impl Entity for Renamed {
    const KIND: &'static str = "account";
    type Id = String;
    type Env = ();
    type Event = Moved;
    type Commands = (DepositAll,);

    fn initial(_: &String) -> Self {
        Self::default()
    }
}

impl EventSourced for Renamed {
    fn apply(&mut self, event: &Moved) {
        self.balance = u64::try_from(i128::from(self.balance) + event.by).unwrap();
        self.events += 1;
    }
}

impl Handle<DepositAll> for Renamed {
    type Reply = String;
    type Rejection = Infallible;
    fn handle(
        &self,
        DepositAll(amounts): DepositAll,
        _: &Ctx<'_, Self>,
    ) -> Result<Effect<Self, String>, Infallible> {
        let events = amounts.into_iter().map(|amount| Moved { by: amount.into() });
        let text = |state: &Self| format!("{} in {} events", state.balance, state.events);
        Ok(Effect::persist_all(events).reply_with(text))
    }
}

#[tokio::test(start_paused = true)]
async fn a_format_that_has_changed_without_a_new_version_says_what_to_do() {
    let rig = Rig::new();
    let engine = with_history(&rig).await;
    rig.faults.next(Operation::Recover, Fault::damaged_event(Damage::Bytes));
    let error = account(&engine, "a").ask(Balance).await.unwrap_err();
    let advice = "; if the format of `account` has changed, raise its `SCHEMA_VERSION` and write `upcast` for version 1";
    assert!(error.to_string().ends_with(advice), "{error}");
    // another codec is not a matter of the format
    rig.faults.next(Operation::Recover, Fault::damaged_event(Damage::Codec));
    let error = account(&engine, "a").ask(Balance).await.unwrap_err();
    assert!(!error.to_string().contains("raise"), "{error}");
}
