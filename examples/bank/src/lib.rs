//! A bank over HTTP whose accounts are event-sourced entities, in one SQLite file or in PostgreSQL.
//!
//! Read it from the inside out:
//! * [`domain`]: accounts, as pure functions from a state and a command to events.
//! * [`Bank`]: the engine that runs them, and their history.
//! * [`account_list`]: the list of all accounts, which a projection keeps in the same database.
//! * [`statements`]: the statement of each account, and the totals of each day, likewise; [`read_models`] are both.
//! * [`http`]: the service around it; every error is a problem document.
//! * [`Server`]: the service on a port, from the first request to the graceful end.
//! * [`client`]: what speaks to the service, and what its answers mean to a caller.
//! * [`load`]: many clients that drive a bank and check every balance.

pub mod account_list;
mod bank;
mod connection;
mod greeting;
mod history;
mod postgres_rows;
mod server;
mod signals;
mod sqlite_readers;

pub mod cli;
pub mod client;
mod cluster;
pub mod cluster_demo;
pub mod database;
pub mod domain;
pub mod http;
pub mod load;
pub mod migrate;
pub mod project;
pub mod projections;
pub mod read_models;
pub mod serve;
pub mod statements;

pub use bank::{Bank, NotReadable};
pub use history::{Happened, History};
pub use server::Server;
