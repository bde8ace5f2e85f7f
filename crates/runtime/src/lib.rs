//! Runs entities: actors for the partitions that `actum-host` steps, and the tasks around them.
//!
//! The way of a command: [`EntityRef::ask`] puts it into the inbox of its entity's partition; the partition's actor
//! takes a turn, and with it everything that waits; the entity's cell handles the command against its pending state and
//! stages the events; the lane's writer commits them with those of other entities; the next turn of the partition sends
//! the reply.
//!
//! # ractor
//! Partitions are [ractor](https://docs.rs/ractor) actors, without names, under a supervisor of each engine's own.
//! ractor's feature `cluster` is on, which takes its blanket `impl Message` away in the whole build: a program that has
//! ractor actors of its own writes `impl ractor::Message for MyMessage {}` for each of their message types.

mod alarm;
mod ask;
mod background_tasks;
mod clock;
mod elsewhere;
mod gate;
mod health;
mod journal;
mod journal_check;
mod journal_readers;
mod partition;
mod registration;
mod restarts;
mod runtime;
pub mod settings;
mod state_model;
mod streams;
mod supervisor;
mod term;
mod watchdog;
mod writer_lease;

/// What an engine shows to an [`Observer`](observe::Observer), for counts, times and traces.
pub mod observe {
    pub use actum_host::{
        CommittedBatch, LeaveReason, Observer, Outcome, Recovery, SentWrite, TurnSummary,
    };
}

pub use actum_host::{
    AskError, Bound, Failure, Receipt,
    cell::{EncodedAnswer, EncodedRequest},
};
pub use ask::{
    Ask, AskWithReceipt, Asking, AskingWithReceipt, EncodedAsking, EncodedCommand, EntityRef,
    KindRef, Peek, TellError,
};
pub use elsewhere::{Elsewhere, RoutedCommand};
pub use health::{Failing, Health, HealthState, LeaseHealth, PartitionHealth, StoreHealth};
pub use journal_readers::{JournalReader, JournalReaders};
pub use partition::PartitionState;
pub use registration::Registration;
pub use runtime::{
    BegunMembership, Join, Membership, PartitionTerm, Partitions, Runtime, ShutdownReport,
    StartError, Usage,
};
pub use state_model::{ModelConflict, StateModel};
pub use streams::{AppendError, AppendOptions, Expected, StreamTurn, StreamWriter};
pub use supervisor::{Closed, PartitionNotOpened};
