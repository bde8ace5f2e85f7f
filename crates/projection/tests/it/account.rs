//! An entity whose events have been stored in two schema versions.

use actum_model::{Ctx, DecodeError, Effect, Entity, EventSourced, Handle, Payload, StoredPayload};
use actum_persistence::codec::Json;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deposited {
    pub(crate) cents: u64,
}

/// What version 1 stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct DepositedV1 {
    pub(crate) euros: u64,
}

actum_model::payload!(Json: DepositedV1 = "account.deposited");

impl Payload for Deposited {
    type Codec = Json;
    const MANIFEST: &'static str = "account.deposited";
    const SCHEMA_VERSION: u32 = 2;
    fn upcast(stored: &StoredPayload) -> Result<Self, DecodeError> {
        match stored.schema_version {
            1 => {
                let DepositedV1 { euros } = stored.decode_as::<DepositedV1, Json>()?;
                Ok(Self { cents: euros * 100 })
            }
            _ => Err(stored.unreadable::<Self>()),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Deposit;

actum_model::payload!(Json: Deposit = "account.deposit");

pub(crate) struct Account;

impl Entity for Account {
    const KIND: &'static str = "account";
    type Id = String;
    type Env = ();
    type Event = Deposited;
    type Commands = (Deposit,);
    fn initial(_: &String) -> Self {
        Self
    }
}

impl EventSourced for Account {
    fn apply(&mut self, _: &Deposited) {}
}

impl Handle<Deposit> for Account {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, _: Deposit, _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Infallible> {
        Ok(Effect::persist(Deposited { cents: 1 }).reply(()))
    }
}
