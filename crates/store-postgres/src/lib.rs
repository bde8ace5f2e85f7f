//! The journal in a schema of a PostgreSQL database: many processes, one writer, enforced by the database.
//!
//! [`PostgresStore`] keeps every promise of [`actum_persistence::store`]. ARCHITECTURE.md lists the
//! files that it has in common with the store for SQLite.
//!
//! ```text
//! PostgresStore ── LaneWriter    one for each lane: a connection, one append at a time, first come first served
//!               │    └ KnownHeads  keys and heads of the entities that were appended to last
//!               ├─ Connections   for everything else, opened when needed
//!               │    └ Outage      knows when none can be had, and goes on trying
//!               ├─ Tokens        what each incarnation's writes must carry, so that a late one is fenced
//!               └─ Texts         the statements, with the name of the schema in them
//! ```
//!
//! An append is one round trip: a function of the schema (`schema/v1/append.sql`) joins the writer's fence, takes the
//! lane's lock, numbers the events from the lane's head and inserts them; the statement is the transaction. The locks
//! are advisory and end with it. Entities whose heads this store knows are not looked up: that their numbers are free
//! is found out by inserting them. Where the lane ends as this store has left it a shorter function does
//! (`schema/append_after.sql`), which looks nothing up.
//!
//! The tests run it on the PostgreSQL they find, 15 most of the time; they were also run on 13.23 and 18.4.

mod append;
mod append_after;
mod backward;
mod commands;
mod connection;
mod connections;
mod entities;
mod entity_list;
mod entity_pages;
mod event_columns;
mod event_store;
mod fault;
mod fence;
mod holder;
mod keeps_progress;
mod known_heads;
mod known_owners;
mod lane_page;
mod lane_writer;
mod member_store;
mod open;
mod open_error;
mod outage;
mod ownership;
mod pieces;
mod progress;
mod recovery_store;
mod resolve;
mod retention;
mod revocation;
mod row;
mod schema;
mod session;
mod settings;
mod snapshot_store;
mod state_changes;
mod state_pieces;
mod state_store;
mod store;
mod texts;
mod tokens;
mod transaction;
mod url;
mod writer_store;

pub use open::{migrate, migrations};
pub use open_error::OpenError;
pub use progress::{PostgresTarget, PostgresTransaction};
pub use schema::Migration;
pub use settings::{Migrate, PostgresSettings};
pub use store::PostgresStore;
