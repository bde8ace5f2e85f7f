//! How a kind is kept cannot be changed by registering it in another way.

use crate::{
    account::Deposit,
    note::{self, Note, Write, note, notes},
    rig::{Rig, account, accounts, assert_is},
};
use actum_model::{Ctx, DurableState, Effect, Entity, EventSourced, Handle, NoEvents};
use actum_persistence::{codec::Json, store::StoreError};
use actum_runtime::{
    Registration, StartError, StateModel,
    settings::{EntitySettings, RuntimeSettings},
};
use actum_testkit::{Fault, Operation};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// The kind of [`Account`](crate::account::Account), kept as durable states.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct AccountState {
    balance: u64,
}

/// The kind of [`Note`], kept as events.
#[derive(Clone, Debug, Default)]
struct NoteOfEvents;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Written;

actum_model::payload! { Json: AccountState = "account.state", Written = "written" }

impl Entity for AccountState {
    const KIND: &'static str = "account";
    type Id = String;
    type Env = ();
    type Event = NoEvents;
    type Commands = (Deposit,);
    fn initial(_: &String) -> Self {
        Self::default()
    }
}

impl DurableState for AccountState {}

impl Handle<Deposit> for AccountState {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(
        &self,
        Deposit(amount): Deposit,
        _: &Ctx<'_, Self>,
    ) -> Result<Effect<Self, ()>, Infallible> {
        Ok(Effect::replace(Self { balance: self.balance + amount }).reply(()))
    }
}

impl Entity for NoteOfEvents {
    const KIND: &'static str = Note::KIND;
    type Id = String;
    type Env = ();
    type Event = Written;
    type Commands = (note::Erase,);
    fn initial(_: &String) -> Self {
        Self
    }
}

impl EventSourced for NoteOfEvents {
    fn apply(&mut self, _: &Written) {}
}

impl Handle<note::Erase> for NoteOfEvents {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, _: note::Erase, _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Infallible> {
        Ok(Effect::persist(Written).reply(()))
    }
}

fn exchanged() -> Vec<Registration> {
    vec![
        Registration::durable_state::<AccountState>((), EntitySettings::default()),
        Registration::event_sourced::<NoteOfEvents>((), EntitySettings::default()),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_stored_in_the_other_model_is_refused_and_named() {
    let rig = Rig::new();
    let engine = rig.start_with(vec![accounts(), notes()], RuntimeSettings::default()).await;
    account(&engine, "a").ask(Deposit(1)).await.unwrap();
    note(&engine, "n").ask(Write("text".into())).await.unwrap();
    assert!(engine.shutdown().await.is_clean());

    let refused = rig.try_start("bank", exchanged(), RuntimeSettings::default()).await;
    let Err(StartError::OtherModel { conflicts }) = refused else { panic!("{refused:?}") };
    let found: Vec<_> =
        conflicts.iter().map(|c| (c.kind.as_str(), c.registered, c.stored)).collect();
    assert_eq!(
        found,
        [
            ("account", StateModel::DurableState, StateModel::EventSourced),
            ("note", StateModel::EventSourced, StateModel::DurableState),
        ]
    );
    // the slot was given back, and an engine with the right kinds starts at once
    let engine = rig.start_with(vec![accounts(), notes()], RuntimeSettings::default()).await;
    assert_eq!(account(&engine, "a").ask(Deposit(1)).await.unwrap(), 2);
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn kinds_without_entities_may_be_registered_in_either_model() {
    let rig = Rig::new();
    let engine = rig.start_with(vec![accounts(), notes()], RuntimeSettings::default()).await;
    assert!(engine.shutdown().await.is_clean());
    let engine = rig.start_with(exchanged(), RuntimeSettings::default()).await;
    engine.entity::<AccountState>("a").ask(Deposit(1)).await.unwrap();
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_say_how_a_kind_is_kept_lets_no_engine_start() {
    for operation in [Operation::HasEventsOf, Operation::HasStatesOf] {
        let rig = Rig::new();
        rig.faults.next(operation, Fault::unavailable());
        let kinds = || vec![accounts(), notes()];
        let refused = rig.try_start("bank", kinds(), RuntimeSettings::default()).await;
        assert_is!(refused, Err(StartError::Store(StoreError::Unavailable { .. })));
        rig.start_with(kinds(), RuntimeSettings::default()).await;
    }
}
