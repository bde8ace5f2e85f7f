//! The conformance suite of what keeps the progress of projections: what
//! [`ProgressStore`](actum_persistence::progress::ProgressStore) promises, case by case, as tests.
//!
//! The author of a store implements [`ProgressFixture`] and names a function that creates one around a new, empty store. One
//! line then expands to a test for every case:
//!
//! ```
//! use actum_persistence::progress::ProgressStore;
//! use actum_store_memory::MemoryTarget; // instead of your own
//! use actum_testkit::conformance::{Plan, progress::{ProgressFixture, claims, run}};
//! use std::sync::Arc;
//!
//! /// A place where progress is kept: for your own store a file, or the address of a database.
//! struct Fixture(MemoryTarget);
//!
//! impl Fixture {
//!     async fn create() -> Self {
//!         Self(MemoryTarget::new())
//!     }
//! }
//!
//! #[async_trait::async_trait]
//! impl ProgressFixture for Fixture {
//!     async fn open(&self) -> Arc<dyn ProgressStore> {
//!         Arc::new(self.0.reopen())
//!     }
//! }
//!
//! actum_testkit::progress_conformance!(Fixture::create);
//!
//! // one of the tests this gives, by hand:
//! run(Plan::Plain, Fixture::create, claims::a_free_segment_is_claimed);
//! ```
//!
//! Where rows of handlers are committed with the progress, [`exact_target`](super::exact_target) has more.

mod fixture;
mod run;
mod suite;

pub(crate) mod sample;

pub mod activating;
pub mod claims;
pub mod dividing;
pub mod entering;
pub mod epochs;
pub mod letters;
pub mod meeting;
pub mod odd_values;
pub mod parking;
pub mod renewing;
pub mod reopening;
pub mod rewinding;
pub mod runners;
pub mod saving;
pub mod stopping;

pub use fixture::ProgressFixture;
pub use run::run;
