//! Given/When/Then: what an entity does, in the words of its domain, without a runtime.
//!
//! [`Given`] arranges an entity, `when` hands it a command, and the `then_…` methods of [`Step`] say what is expected.
//!
//! [`Given::golden`] holds an entity to what it stored before: a file of stored payloads that must stay readable.
//!
//! ```text
//! Given ── when ──► Step ── then_… ──► Step ── when ──► Step …
//!   arranges          has handled the command: every further command meets the state the last one left
//! ```

mod arrangement;
mod difference;
mod env;
mod given;
mod golden;
mod imprint;
mod kept;
mod lives;
mod order;
mod outcome;
mod persisted;
mod rules;
mod settle;
mod spoken;
mod step;
mod step_events;
mod step_state;
mod subject;
mod verdict;

pub(crate) use difference::difference;
pub use env::{DefaultEnv, EnvOf, GivenEnv};
pub use given::Given;
pub use golden::Golden;
pub(crate) use imprint::stored;
pub use persisted::{ByEvents, ByState, Persisted};
pub use step::Step;
pub use verdict::Verdict;
