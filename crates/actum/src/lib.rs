//! **Actum** is an event-sourced entity runtime: each aggregate is an actor that handles its commands one at a time,
//! turns them into events, persists the events in batches, and is there whenever it is addressed.
//!
//! # Example
//! ```
//! use actum::{Ctx, Effect, Engine, Entity, EventSourced, Handle, Json, MemoryStore};
//! use serde::{Deserialize, Serialize};
//!
//! /// What happens to an account. Stored for ever.
//! #[derive(Clone, Debug, Serialize, Deserialize)]
//! enum AccountEvent {
//!     Deposited(u64),
//!     Withdrawn(u64),
//! }
//!
//! /// What it is asked to do, and why it may refuse.
//! #[derive(Serialize, Deserialize)]
//! struct Deposit(u64);
//! #[derive(Serialize, Deserialize)]
//! struct Withdraw(u64);
//! #[derive(Debug, Serialize, Deserialize, thiserror::Error)]
//! #[error("short by {short_by}")]
//! struct Insufficient { short_by: u64 }
//!
//! actum::payload!(Json:
//!     AccountEvent = "account-event", Deposit = "deposit", Withdraw = "withdraw", Insufficient = "insufficient");
//!
//! /// The state: folded from the events, one value an account.
//! struct Account { balance: u64 }
//!
//! impl Entity for Account {
//!     const KIND: &'static str = "account";
//!     type Id = String;
//!     type Env = ();
//!     type Event = AccountEvent;
//!     type Commands = (Deposit, Withdraw);
//!     fn initial(_: &String) -> Self { Account { balance: 0 } }
//! }
//!
//! impl EventSourced for Account {
//!     fn apply(&mut self, event: &AccountEvent) {
//!         match event {
//!             AccountEvent::Deposited(amount) => self.balance += amount,
//!             AccountEvent::Withdrawn(amount) => self.balance -= amount,
//!         }
//!     }
//! }
//!
//! impl Handle<Deposit> for Account {
//!     type Reply = u64;
//!     type Rejection = std::convert::Infallible;
//!     fn handle(&self, Deposit(amount): Deposit, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Self::Rejection> {
//!         Ok(Effect::persist(AccountEvent::Deposited(amount)).reply_with(|account: &Account| account.balance))
//!     }
//! }
//!
//! impl Handle<Withdraw> for Account {
//!     type Reply = u64;
//!     type Rejection = Insufficient;
//!     fn handle(&self, Withdraw(amount): Withdraw, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Insufficient> {
//!         self.balance.checked_sub(amount).ok_or(Insufficient { short_by: amount.saturating_sub(self.balance) })?;
//!         Ok(Effect::persist(AccountEvent::Withdrawn(amount)).reply_with(|account: &Account| account.balance))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::builder("bank").store(MemoryStore::new()).entity::<Account>(()).start().await?;
//!
//! let account = engine.entity::<Account>("acc-1");
//! assert_eq!(account.ask(Deposit(100)).await?, 100);
//! assert_eq!(account.ask(Withdraw(30)).command_id("request-7").await?, 70);
//! // the same intention again, for example after a timeout: applied once, answered the same
//! assert_eq!(account.ask(Withdraw(30)).command_id("request-7").await?, 70);
//!
//! let refused = account.ask(Withdraw(500)).await.unwrap_err();
//! assert_eq!(refused.rejection().map(|rejection| rejection.short_by), Some(430));
//!
//! assert!(engine.shutdown().await.is_clean());
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//! * What you implement: [`Entity`], [`EventSourced`] or [`DurableState`], [`Handle`], [`Payload`].
//! * What you call: [`Engine`], [`EntityRef`], [`Ask`], [`AskError`].
//! * What you set: [`settings`].
//! * Where it is kept: [`MemoryStore`], `SqliteStore` with the feature `sqlite`, `PostgresStore` with the feature
//!   `postgres`, [`store`] for stores of your own.
//!
//! # ractor
//! Entities run on [ractor](https://docs.rs/ractor) actors, which stay out of sight: no ractor type is in this API and no
//! name in ractor's registry. One thing shows: ractor's feature `cluster` is on, which takes its blanket `impl Message`
//! away in the whole build. A program with ractor actors of its own writes `impl ractor::Message for MyMessage {}` for
//! each of their message types.
//!
//! # Panics
//! A handler that panics fails its command with [`AskError::Panicked`] and nobody else's. That takes unwinding: in a
//! program built with `panic = "abort"` it ends the process, as any panic does.
//!
//! # Features
//! * `sqlite`: the SQLite store, `SqliteStore`.
//! * `postgres`: the PostgreSQL store, `PostgresStore`; its settings, errors and migrations are in the module `postgres`.
//!
//! Each of the two takes a C compiler to build.

mod builder;
mod engine;

pub use actum_model::{
    Change, Codec, CodecError, CommandId, CommandSet, CommandVisitor, Ctx, DecodeError,
    DurableState, Effect, Entity, EntityId, EntityKey, EventSourced, Handle, InvalidCommandId,
    InvalidId, InvalidKey, InvalidTraceContext, Lane, LaneCount, Lists, Metadata, NoEvents, Offset,
    Partition, PartitionCount, Payload, Position, Revision, SequenceNr, StoredPayload, Timestamp,
    TraceContext, payload,
};
pub use actum_persistence::{
    codec::{Cbor, Json, Prost},
    serializer::MetadataError,
    store,
};
pub use actum_runtime::{
    Ask, AskError, AskWithReceipt, Asking, AskingWithReceipt, Bound, EntityRef, Failing, Failure,
    Health, HealthState, LeaseHealth, ModelConflict, PartitionHealth, Peek, Receipt,
    ShutdownReport, StartError, StateModel, StoreHealth, TellError, Usage,
};
pub use actum_store_memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use actum_store_postgres::{self as postgres, PostgresStore};
#[cfg(feature = "sqlite")]
pub use actum_store_sqlite::{OpenError, SqliteSettings, SqliteStore};
pub use builder::EngineBuilder;
pub use engine::Engine;

/// How engines and their entities behave.
pub mod settings {
    pub use actum_persistence::{
        group_commit::GroupCommitSettings, serializer::SizeLimits, store::PageLimit,
    };
    pub use actum_runtime::settings::{
        Batching, CommandWindow, EntitySettings, JournalWait, RuntimeSettings, SnapshotSettings,
    };
}
