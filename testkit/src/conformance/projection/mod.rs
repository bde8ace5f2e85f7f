//! The conformance suite of projections over a store: that handlers get every event, whatever processes do, with what keeps the
//! journal and the progress as one. Its projections are at least once; where rows are committed with the progress,
//! [`exact_target`](super::exact_target) has more.
//!
//! The author of a store has a [`StoreFixture`](super::StoreFixture) for the [suite of stores](super), which has passed, as has
//! that of [progress](super::progress). One line more expands to a test for every case:
//!
//! ```
//! # use actum_model::{EntityKey, Lane, Position, SequenceNr};
//! # use actum_persistence::store::{JournalLayout, Stores};
//! # use actum_store_memory::MemoryStore;
//! # use actum_testkit::conformance::StoreFixture;
//! use actum_testkit::conformance::{Plan, projection::{handling, run}};
//! # struct Fixture(MemoryStore);
//! # impl Fixture {
//! #     async fn create(layout: JournalLayout) -> Self {
//! #         Self(MemoryStore::with_layout(layout))
//! #     }
//! # }
//! # #[async_trait::async_trait]
//! # impl StoreFixture for Fixture {
//! #     async fn open(&self) -> Stores {
//! #         self.0.reopen().into()
//! #     }
//! #     async fn advance_lane(&self, lane: Lane, to: Position) {
//! #         self.0.advance_lane(lane, to);
//! #     }
//! #     async fn advance_entity(&self, entity: &EntityKey, to: SequenceNr) {
//! #         self.0.advance_entity(entity, to);
//! #     }
//! # }
//!
//! actum_testkit::projection_conformance!(Fixture::create);
//!
//! // one of the tests this gives, by hand:
//! run(Plan::Plain, Fixture::create, handling::it_goes_on_behind_what_was_saved);
//! ```
//!
//! The cases wait for leases of two seconds: with a clock of the store's own, which the fixture might advance, they have nothing
//! to do.

mod counting;
mod suite;

pub mod controlling;
pub mod dividing;
pub mod failing;
pub mod handling;
pub mod processes;

pub use super::run;
