//! **Actum** is an event-sourced entity runtime: each aggregate is an actor that handles its commands one at a time,
//! turns them into events, persists the events in batches, and is there whenever it is addressed.
//!
//! # Example
//! ```
//! use actum::{
//!     Ctx, Effect, Engine, Entity, EventSourced, Handle, Json, MemoryStore,
//! };
//! use serde::{Deserialize, Serialize};
//! use std::convert::Infallible;
//!
//! /// What happens to an account. Stored for ever.
//! #[derive(Clone, Debug, Serialize, Deserialize)]
//! enum AccountEvent {
//!     Deposited(u64),
//!     Withdrawn(u64),
//! }
//! use AccountEvent::{Deposited, Withdrawn};
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
//!     AccountEvent = "account-event",
//!     Deposit = "deposit",
//!     Withdraw = "withdraw",
//!     Insufficient = "insufficient",
//! );
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
//!             Deposited(amount) => self.balance += amount,
//!             Withdrawn(amount) => self.balance -= amount,
//!         }
//!     }
//! }
//!
//! impl Handle<Deposit> for Account {
//!     type Reply = u64;
//!     type Rejection = Infallible;
//!     fn handle(
//!         &self,
//!         Deposit(amount): Deposit,
//!         ctx: &Ctx<'_, Self>,
//!     ) -> Result<Effect<Self, u64>, Infallible> {
//!         let effect = ctx.persist(Deposited(amount));
//!         Ok(effect.reply_with(|account| account.balance))
//!     }
//! }
//!
//! impl Handle<Withdraw> for Account {
//!     type Reply = u64;
//!     type Rejection = Insufficient;
//!     fn handle(
//!         &self,
//!         Withdraw(amount): Withdraw,
//!         ctx: &Ctx<'_, Self>,
//!     ) -> Result<Effect<Self, u64>, Insufficient> {
//!         if amount > self.balance {
//!             return Err(Insufficient { short_by: amount - self.balance });
//!         }
//!         let effect = ctx.persist(Withdrawn(amount));
//!         Ok(effect.reply_with(|account| account.balance))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::builder("bank")
//!     .store(MemoryStore::new())
//!     .entity::<Account>(())
//!     .start()
//!     .await?;
//!
//! let account = engine.entity::<Account>("acc-1");
//! assert_eq!(account.ask(Deposit(100)).await?, 100);
//! assert_eq!(account.ask(Withdraw(30)).command_id("request-7").await?, 70);
//! // the same intention again, for example after a timeout: applied once
//! assert_eq!(account.ask(Withdraw(30)).command_id("request-7").await?, 70);
//!
//! let refused = account.ask(Withdraw(500)).await.unwrap_err();
//! assert_eq!(refused.rejection().map(|why| why.short_by), Some(430));
//!
//! assert!(engine.shutdown().await.is_clean());
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//! * What you implement: [`Entity`], [`EventSourced`] or [`DurableState`], [`Handle`], [`Payload`].
//! * What you call: [`Engine`], [`EntityRef`], [`Ask`], [`AskError`].
//! * What you append where no entity is wanted: [`Stream`], below.
//! * What you set: [`settings`].
//! * Where it is kept: [`MemoryStore`], `SqliteStore` with the feature `sqlite`, `PostgresStore` with the feature
//!   `postgres`, [`store`] for stores of your own.
//! * What counts and measures: an [`Observer`](observe::Observer), below.
//! * What reads beside an engine: [`Projection`] and [`Journal`], below; [`commits`] says what was just committed, and [`JournalReaders`] ends readers in time.
//!
//! # What handlers may do
//! A handler is a synchronous, pure function: it runs on the turn of its partition, and may run twice for one command.
//! What has to be looked up, or asked of a service, is fetched before the command is sent, and comes with it:
//! ```
//! # use actum::{Entity, EntityRef, Handle, Json, Lists};
//! # struct Rates;
//! # impl Rates { async fn of(&self, _: &str) -> Result<u64, std::io::Error> { Ok(1) } }
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # struct Convert { amount: u64, rate: u64 }
//! # actum::payload!(Json: Convert = "convert");
//! # async fn example<Account, Place>(account: EntityRef<Account>, rates: Rates)
//! # -> Result<(), Box<dyn std::error::Error>>
//! # where
//! #     Account: Handle<Convert>,
//! #     Account::Commands: Lists<Convert, Place>,
//! # {
//! let rate = rates.of("EUR").await?;
//! account.ask(Convert { amount: 100, rate }).await?;
//! # Ok(())
//! # }
//! ```
//! A clock, a source of ids and policies come in through [`Entity::Env`], which says what they may be used for. Work
//! that follows a change, such as sending a message, is started by [`Effect::after_commit`].
//!
//! # Reading the journal
//! [`Engine::journal`] reads what is committed, through the same codecs and upcasts as entities do:
//! ```
//! # use actum::{Ctx, Effect, Engine, Entity, EventSourced, Handle, MemoryStore};
//! # struct Account;
//! # impl Entity for Account {
//! #     const KIND: &'static str = "account";
//! #     type Id = String;
//! #     type Env = ();
//! #     type Event = u64;
//! #     type Commands = (u64,);
//! #     fn initial(_: &String) -> Self { Account }
//! # }
//! # impl EventSourced for Account {
//! #     fn apply(&mut self, _: &u64) {}
//! # }
//! # impl Handle<u64> for Account {
//! #     type Reply = ();
//! #     type Rejection = std::convert::Infallible;
//! #     fn handle(&self, amount: u64, _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Self::Rejection> {
//! #         Ok(Effect::persist(amount).reply(()))
//! #     }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let engine = Engine::builder("bank").store(MemoryStore::new()).entity::<Account>(()).start().await?;
//! # for id in ["acc-1", "acc-2", "acc-1"] {
//! #     engine.entity::<Account>(id).ask(5).await?;
//! # }
//! let journal = engine.journal();
//! // what happened to one entity, the newest first
//! let mut history = journal.history::<Account>("acc-1").backward().limit(10);
//! while let Some(recorded) = history.next().await? {
//!     println!("{}: {:?}", recorded.sequence_nr, recorded.event);
//! }
//! // all accounts whose id begins with `acc-`
//! let mut accounts = journal.entities(Account::KIND).prefix("acc-");
//! while let Some(listed) = accounts.next().await? {
//!     println!("{} has {} events", listed.entity, listed.head);
//! }
//! // what happened to any of them, each lane in the order of its commits; the offset goes on from there another time
//! let mut events = journal.events_of::<Account>();
//! let mut total = 0;
//! while let Some(recorded) = events.next().await? {
//!     total += recorded.event;
//! }
//! let offset = events.offset().clone();
//! # assert_eq!(total, 15);
//! # engine.entity::<Account>("acc-2").ask(7).await?;
//! let mut later = journal.events_of::<Account>().after(offset);
//! # assert_eq!(later.next().await?.map(|recorded| recorded.event), Some(7));
//! # assert!(later.next().await?.is_none());
//! # assert!(engine.shutdown().await.is_clean());
//! # Ok(())
//! # }
//! ```
//!
//! # Streams
//! Where no actor is wanted, a [`Stream`] takes events of a kind of its own, behind the number that the caller expects, and
//! [`Stream::transact`] reads, decides and appends, again if others were faster:
//! ```
//! # use actum::{Engine, Stream};
//! # use std::convert::Infallible;
//! # async fn example(engine: Engine) -> Result<(), Box<dyn std::error::Error>> {
//! let numbers: Stream<u64> = engine.stream("numbers", "invoices");
//! let next = |last: &u64| Ok::<_, Infallible>(vec![last + 1]);
//! let (invoice, receipt) = numbers.transact(0, |last, number| *last = *number, next).await?;
//! # Ok(())
//! # }
//! ```
//!
#![doc = include_str!("projections.md")]
//!
#![doc = include_str!("subscriptions.md")]
//!
#![doc = include_str!("publishers.md")]
//!
//! # The tokio runtime
//! An engine runs on the tokio runtime it is started in; any flavor will do. On a multi-threaded one under load, set
//! `global_queue_interval` to 2: how often a worker takes a task from the queue that all workers share. Left alone tokio
//! makes it a hundred and more, and a task in that queue waits while workers wake each other's: of 1,000 callers in a
//! closed loop on two cores one in a hundred waited over 30 milliseconds for an answer that most had in less than one,
//! and 3 milliseconds with the setting, at the same rate or a better one.
//! ```
//! # fn main() -> std::io::Result<()> {
//! let mut builder = tokio::runtime::Builder::new_multi_thread();
//! let runtime = builder.enable_all().global_queue_interval(2).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # The allocator
//! An engine leaves the allocator to the program, and the choice counts: on two cores under its own load the bank of the
//! repository answered about 10 % more commands with mimalloc, and about 20 % more with jemalloc, than with the allocator
//! of glibc. Either is one `#[global_allocator]` in the program; measure with your own commands.
//!
//! # Spans and logs
//! Each command has a span `command` of the target `actum::command` at level `TRACE`, with the fields `kind`,
//! `command` (its manifest), `entity` (its id) and `outcome`: `replied`, `rejected`, or the kind of [`AskError`].
//! Handlers run inside of it, so what they log can be assigned to it. It costs next to nothing while no one listens to that
//! target. Everything else is logged under the targets `actum_runtime`, `actum_host`, `actum_persistence`,
//! `actum_store_sqlite` and `actum_store_postgres`. Payloads and metadata are never logged; the text of a rejection is, at `DEBUG`, when its command
//! was sent by `tell`.
//!
//! # Trace context
//! What ties a command to the request it is part of goes with it as [`Metadata`], is seen by its handler and stored with its
//! events. [`caller_context`](EngineBuilder::caller_context) adds it to every command, where it is sent:
//! ```
//! # use actum::{Ctx, Effect, Engine, Entity, EventSourced, Handle, MemoryStore, Metadata, TraceContext};
//! # struct Traced;
//! # impl Entity for Traced {
//! #     const KIND: &'static str = "traced";
//! #     type Id = String;
//! #     type Env = ();
//! #     type Event = u64;
//! #     type Commands = (u64,);
//! #     fn initial(_: &String) -> Self { Traced }
//! # }
//! # impl EventSourced for Traced {
//! #     fn apply(&mut self, _: &u64) {}
//! # }
//! # impl Handle<u64> for Traced {
//! #     type Reply = String;
//! #     type Rejection = std::convert::Infallible;
//! #     fn handle(&self, _: u64, ctx: &Ctx<'_, Self>) -> Result<Effect<Self, String>, Self::Rejection> {
//! #         let trace = ctx.metadata().trace().map(|trace| trace.traceparent().to_owned());
//! #         Ok(Effect::persist(1u64).reply(trace.unwrap_or_default()))
//! #     }
//! # }
//! /// What a tracing library knows of the caller, as the W3C header `traceparent`.
//! fn traceparent() -> Option<String> {
//! #   Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let builder = Engine::builder("traced").store(MemoryStore::new()).entity::<Traced>(());
//! let builder = builder.caller_context(|metadata: Metadata| {
//!     match traceparent().and_then(|header| TraceContext::new(&header).ok()) {
//!         Some(trace) => metadata.with_trace(trace),
//!         None => metadata,
//!     }
//! });
//! let engine = builder.start().await?;
//! # let seen = engine.entity::<Traced>("a").ask(1u64).await?;
//! # assert_eq!(Some(seen), traceparent());
//! # assert!(engine.shutdown().await.is_clean());
//! # Ok(())
//! # }
//! ```
//!
//! # Observers
//! An [`Observer`](observe::Observer) sees what an engine does where it arises, for metrics and traces of your own. Without
//! one that costs a branch at each place.
//! ```
//! use actum::{Engine, observe::{Observer, Outcome}};
//! use std::sync::{Arc, atomic::{AtomicUsize, Ordering::Relaxed}};
//!
//! #[derive(Default)]
//! struct Rejections(AtomicUsize);
//!
//! impl Observer for Rejections {
//!     fn answered(&self, _kind: &'static str, _command: &'static str, outcome: Outcome) {
//!         self.0.fetch_add(usize::from(outcome == Outcome::Rejected), Relaxed);
//!     }
//! }
//!
//! let rejections = Arc::new(Rejections::default());
//! let engine = Engine::builder("bank").observer(rejections.clone());
//! ```
//!
//! # ractor
//! Entities run on [ractor](https://docs.rs/ractor) actors, which stay out of sight: no ractor type is in this API and no
//! name in ractor's registry. One thing shows: ractor's feature `cluster` is on, which takes its blanket `impl Message`
//! away in the whole build. A program with ractor actors of its own writes `impl ractor::Message for MyMessage {}` for
//! each of their message types.
//!
//! # Panics
//! A handler that panics fails its command with [`AskError::Panicked`] and no other. That takes unwinding: in a
//! program built with `panic = "abort"` it ends the process, as any panic does.
//!
//! # Features
//! * `sqlite`: the SQLite store, `SqliteStore`; its settings and errors are in the module `sqlite`.
//! * `postgres`: the PostgreSQL store, `PostgresStore`; its settings, errors and migrations are in the module `postgres`.
//!
//! * `postgres-without-tls`: the same store for servers that are reached without TLS. It leaves out the cryptography, which is
//!   the largest single part of a build.
//!
//! `sqlite` and `postgres` take a C compiler to build.

mod builder;
#[cfg(feature = "cluster")]
pub mod cluster;
mod engine;
mod node;
mod projections;
mod reader_engine;
mod stream;

pub use actum_model::{
    At, Change, Codec, CodecError, CommandId, CommandSet, CommandVisitor, Ctx, DecodeError,
    DurableState, Each, Effect, EffectParts, Entity, EntityId, EntityKey, EventSourced, Handle,
    InvalidCommandId, InvalidId, InvalidKey, InvalidReceipt, InvalidTraceContext, Lane, LaneCount,
    Lists, Metadata, Never, NoEvents, Offset, Partition, PartitionCount, Payload, Plain, Position,
    ReplyFrom, Revision, SequenceNr, StoredPayload, Timestamp, TraceContext, Unanswered, payload,
};
#[doc(inline)]
pub use actum_persistence::commits;
#[doc(inline)]
pub use actum_persistence::progress;
#[doc(inline)]
pub use actum_persistence::store;
pub use actum_persistence::{
    codec::{Cbor, Json, Prost},
    serializer::{EncodeError, MetadataError},
};
pub use actum_projection::{
    AckError, AtLeastOnce, CatchUp, Changed, Consumer, Delivered, EntityList, Events, HandlerError,
    History, Journal, JournalInfo, Lag, LastResort, Message, Nack, NotDivided, OnFailure, Project,
    ProjectCtx, ProjectState, ProjectStream, Projection, ProjectionError, ProjectionRef,
    ProjectionRegistration, ProjectionState, ProjectionStatus, Projector, PublishError, Publisher,
    PublisherTarget, Publishing, ReadError, Recorded, RegisteredProjection, SegmentStatus, StartAt,
    StateChanges, Subscription, SubscriptionError, SubscriptionRef, SubscriptionStatus, Switch,
    Target, WaitError, Waves,
};
#[doc(inline)]
pub use actum_runtime::observe;
pub use actum_runtime::{
    AppendError, Ask, AskError, AskWithReceipt, Asking, AskingWithReceipt, Bound, EntityRef,
    Expected, Failing, Failure, Health, HealthState, JournalReader, JournalReaders, LeaseHealth,
    ModelConflict, PartitionHealth, Peek, Receipt, ShutdownReport, StartError, StateModel,
    StoreHealth, TellError, Usage,
};
pub use actum_store_memory::{MemoryRows, MemoryStore, MemoryTarget};
#[cfg(feature = "postgres-without-tls")]
#[doc(inline)]
pub use actum_store_postgres as postgres;
#[cfg(feature = "postgres-without-tls")]
pub use actum_store_postgres::{PostgresStore, PostgresTarget};
#[cfg(feature = "sqlite")]
#[doc(inline)]
pub use actum_store_sqlite as sqlite;
#[cfg(feature = "sqlite")]
pub use actum_store_sqlite::{SqliteStore, SqliteTarget};
pub use builder::EngineBuilder;
pub use engine::Engine;
pub use reader_engine::ReaderEngine;
pub use stream::{Stream, TransactError};
/// How engines and their entities behave.
pub mod settings {
    pub use actum_persistence::{
        group_commit::GroupCommitSettings, serializer::SizeLimits, store::PageLimit,
    };
    pub use actum_projection::{ProjectionSettings, SubscriptionSettings};
    pub use actum_runtime::settings::{
        Batching, CallerContext, CommandWindow, EntitySettings, JournalWait, ObserverRef,
        RuntimeSettings, SnapshotSettings,
    };
}
