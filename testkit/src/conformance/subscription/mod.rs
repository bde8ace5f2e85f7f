//! The conformance suite of subscriptions over a store: that consumers get every event, whatever processes do, with what keeps
//! the journal and the progress as one.
//!
//! The author of a store has a [`StoreFixture`](super::StoreFixture) for the [suite of stores](super), which has passed, as has
//! that of [progress](super::progress). One line more expands to a test for every case:
//!
//! ```
//! # use actum_model::{EntityKey, Lane, Position, SequenceNr};
//! # use actum_persistence::store::{JournalLayout, Stores};
//! # use actum_store_memory::MemoryStore;
//! # use actum_testkit::conformance::StoreFixture;
//! use actum_testkit::conformance::{Plan, subscription::{acknowledging, run}};
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
//! actum_testkit::subscription_conformance!(Fixture::create);
//!
//! // one of the tests this gives, by hand:
//! run(Plan::Plain, Fixture::create, acknowledging::it_goes_on_behind_what_was_acknowledged);
//! ```
//!
//! The cases wait for leases of two seconds: with a clock of the store's own, which the fixture might advance, they have nothing
//! to do.

mod mails;
mod suite;

pub mod acknowledging;
pub mod beginning;
pub mod competing;
pub mod delivering;
pub mod forgetting;
pub mod giving_back;
pub mod processes;

pub use super::run;
