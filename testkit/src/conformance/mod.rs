//! The conformance suite of stores: what [`actum_persistence::store`] promises, case by case, as tests.
//!
//! A store author implements [`StoreFixture`] and names a function that creates one around a new, empty journal. One
//! line then expands to a test for every case:
//!
//! ```
//! use actum_model::{EntityKey, Lane, Position, SequenceNr};
//! use actum_persistence::store::{JournalLayout, Stores};
//! use actum_store_memory::MemoryStore; // instead of your own
//! use actum_testkit::conformance::{Plan, StoreFixture, append, run};
//!
//! /// A journal: for your own store a directory, or the address of a database.
//! struct Fixture(MemoryStore);
//!
//! impl Fixture {
//!     async fn create(layout: JournalLayout) -> Self {
//!         Self(MemoryStore::with_layout(layout))
//!     }
//! }
//!
//! #[async_trait::async_trait]
//! impl StoreFixture for Fixture {
//!     async fn open(&self) -> Stores {
//!         self.0.reopen().into()
//!     }
//!     async fn advance_lane(&self, lane: Lane, to: Position) {
//!         self.0.advance_lane(lane, to);
//!     }
//!     async fn advance_entity(&self, entity: &EntityKey, to: SequenceNr) {
//!         self.0.advance_entity(entity, to);
//!     }
//! }
//!
//! actum_testkit::store_conformance!(Fixture::create);
//!
//! // one of the tests this gives, by hand:
//! let test = append::an_event_comes_back_as_it_was_written;
//! run(Plan::Plain, Fixture::create, test);
//! ```
//!
//! Each test has a journal and a runtime of its own, and fails when it is not through after two minutes. Random cases
//! print their seed; `ACTUM_TEST_SEED=<seed>` repeats its choices, though not the operating system's.
//!
//! The cases are grouped as the modules below. They are public for their descriptions; [`store_conformance!`] calls
//! them. What keeps the progress of projections has a suite of its own, [`progress`], and so
//! has what commits rows with it, [`exact_target`]. What runs over all of that at once has two, which use the fixture of
//! this one: [`subscription`] and [`projection`].
//!
//! [`store_conformance!`]: crate::store_conformance

mod change_reading;
mod fixture;
mod node;
mod patience;
mod racing;
mod readers;
mod reading;
mod refusal;
mod run;
mod sample;
mod seed;
mod suite;
mod writer;

pub mod announcing;
pub mod append;
pub mod backward;
pub mod bad_input;
pub mod batches;
pub mod change_order;
pub mod changes;
pub mod closing;
pub mod commands;
pub mod conflicts;
pub mod exact_target;
pub mod fence;
pub mod fence_races;
pub mod filters;
pub mod lanes;
pub mod large_numbers;
pub mod largest;
pub mod listing;
pub mod members;
pub mod names;
pub mod order;
pub mod owned_races;
pub mod owned_writes;
pub mod owners;
pub mod pages;
pub mod payloads;
pub mod progress;
pub mod projection;
pub mod recovery;
pub mod reopen;
pub mod retention;
pub mod settle;
pub mod slot_border;
pub mod slots;
pub mod snapshots;
pub mod state_conflicts;
pub mod states;
pub mod subscription;

pub use fixture::StoreFixture;
pub use run::{Plan, run};
pub(crate) use writer::Writer;
