//! The conformance suite of stores: what [`actum_persistence::store`] promises, case by case, told as tests.
//!
//! A store author implements [`StoreFixture`] and names a function that creates one around a new, empty journal. One
//! line then expands to a test for every case:
//!
//! ```ignore
//! struct Fixture { /* a directory, the address of a database */ }
//!
//! impl Fixture {
//!     async fn create(layout: JournalLayout) -> Self { /* … */ }
//! }
//!
//! #[async_trait]
//! impl StoreFixture for Fixture { /* … */ }
//!
//! actum_testkit::store_conformance!(Fixture::create);
//! ```
//!
//! Each test has a journal and a runtime of its own, and fails when it is not through after two minutes. Random cases
//! print their seed; `ACTUM_TEST_SEED=<seed>` repeats its choices, though not the operating system's.
//!
//! The cases are grouped as the modules below. They are public for their descriptions; [`store_conformance!`] calls
//! them.
//!
//! [`store_conformance!`]: crate::store_conformance

mod fixture;
mod reading;
mod refusal;
mod run;
mod sample;
mod seed;
mod suite;
mod writer;

pub mod append;
pub mod batches;
pub mod conflicts;
pub mod fence;
pub mod fence_races;
pub mod filters;
pub mod lanes;
pub mod large_numbers;
pub mod names;
pub mod order;
pub mod pages;
pub mod payloads;
pub mod recovery;
pub mod reopen;
pub mod retention;
pub mod settle;
pub mod slots;
pub mod snapshots;
pub mod state_conflicts;
pub mod states;

pub use fixture::StoreFixture;
pub use run::{Plan, run};
