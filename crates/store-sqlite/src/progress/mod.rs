//! The progress of projections, in the file of a journal or in one of its own, beside what they write.
//!
//! ```text
//! SqliteTarget ── TargetFile ── TargetSession  one connection that writes, one transaction at a time, first come first served
//!                            │   └ CommitGate  commits nothing but by the target itself
//!                            ├─ HandlerTurns   transactions of handlers wait for each other, so that one is in front of a renewal
//!                            ├─ Readers        a few connections; in the file of a journal those of its store
//!                            └─ TargetHome     what is around the file: the writer of a journal, which takes turns
//! ```
//!
//! A transaction is begun with the lock on the file. A handler writes through its connection; how it may end is decided on
//! the thread of that connection, by SQLite's hooks: see `commit_gate.rs`.

mod activate;
mod change;
mod commit_gate;
mod dead_letters;
mod divide;
mod enter;
mod handler_turns;
mod load;
mod open;
mod parked;
mod projection_row;
mod runners;
mod schema;
mod store;
mod target;
mod target_file;
mod target_home;
mod target_session;
mod target_settings;
mod target_tx;

pub use target::SqliteTarget;
pub use target_settings::SqliteTargetSettings;
pub use target_tx::SqliteTx;
