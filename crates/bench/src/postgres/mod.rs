//! The PostgreSQL that is measured: a private one, or one that was given, as far away and as slow as is asked for.

mod database;
mod server;
mod sync_delay;

pub(crate) use database::Database;
pub(crate) use server::Server;
