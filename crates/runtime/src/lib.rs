//! Runs entities: cells as pure state machines, and the partitions that host them.
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
mod burst;
mod cell;
mod clock;
mod failure;
mod gate;
mod health;
mod id_budget;
mod journal;
mod kind;
mod load;
mod partition;
mod receipt;
mod registration;
mod restarts;
mod runtime;
pub mod settings;
#[cfg(test)]
mod simulation;
mod supervisor;
mod tasks;
mod watchdog;
mod writer_lease;

pub use ask::{
    Ask, AskError, AskWithReceipt, Asking, AskingWithReceipt, EntityRef, Peek, TellError,
};
pub use failure::{Bound, Failure};
pub use health::{Failing, Health, HealthState, LeaseHealth, PartitionHealth, StoreHealth};
pub use receipt::Receipt;
pub use registration::Registration;
pub use runtime::{ModelConflict, Runtime, ShutdownReport, StartError, StateModel, Usage};
