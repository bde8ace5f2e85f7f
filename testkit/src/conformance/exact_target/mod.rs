//! The conformance suite of databases that commit rows of a projection with its progress: what
//! [`ExactTarget`] promises, case by case, as tests.
//!
//! It is used as [that of progress](super::progress), which such a database must pass as well; the fixture says how a row is
//! written:
//!
//! ```
//! use actum_store_memory::{MemoryRows, MemoryTarget}; // instead of your own
//! use actum_testkit::conformance::{Plan, exact_target::{ExactTargetFixture, committing, run}};
//!
//! struct Fixture(MemoryTarget);
//!
//! impl Fixture {
//!     async fn create() -> Self {
//!         Self(MemoryTarget::new())
//!     }
//! }
//!
//! #[async_trait::async_trait]
//! impl ExactTargetFixture for Fixture {
//!     type Target = MemoryTarget;
//!
//!     async fn open(&self) -> MemoryTarget {
//!         self.0.reopen()
//!     }
//!     async fn write(&self, rows: &mut MemoryRows, key: &str, value: &str) {
//!         rows.insert(key, value);
//!     }
//!     async fn read(&self, rows: &mut MemoryRows, key: &str) -> Option<String> {
//!         rows.get(key).map(|bytes| String::from_utf8(bytes).expect("rows are text"))
//!     }
//! }
//!
//! actum_testkit::exact_target_conformance!(Fixture::create);
//!
//! // one of the tests this gives, by hand:
//! run(Plan::Plain, Fixture::create, committing::rows_and_progress_are_kept_together);
//! ```
//!
//! [`ExactTarget`]: actum_persistence::progress::ExactTarget

mod fixture;
mod rows;
mod run;
mod suite;

pub mod committing;
pub mod ending;
pub mod meeting;

pub use fixture::{ExactTargetFixture, Misuse};
pub use run::run;
