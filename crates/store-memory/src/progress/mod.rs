//! The progress of projections in memory, and rows that are committed with it.
//!
//! ```text
//! MemoryTarget ── KeptProjections   what ProgressStore keeps
//!              └─ RowTable          what handlers have written
//! ```
//! Both are behind one lock, which is taken for single steps: no transaction holds it while it is open.

mod change;
mod dead_letters;
mod divide;
mod enter;
mod kept;
mod load;
mod parked;
mod row_table;
mod rows;
mod runners;
mod store;
mod target;
mod target_data;
mod transaction;

pub use rows::MemoryRows;
pub use target::MemoryTarget;
pub use transaction::MemoryTransaction;
