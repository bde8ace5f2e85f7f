//! What the runner of a segment decides: a pure machine. It takes what was read and the outcome of a batch, and says what comes
//! next; it reads no clock and does nothing itself.

mod backoff;
mod batch;
mod ended;
mod error_text;
mod left_of_page;
mod machine;
#[cfg(test)]
mod machine_tests;
mod on_failure;
mod outcome;
mod replay;
mod rules;
mod saving;
mod step;
mod trial;
mod unsaved;

pub(crate) use backoff::Backoff;
pub(crate) use batch::Batch;
pub(crate) use error_text::{cut, error_text};
pub(crate) use machine::{SegmentMachine, SegmentView, Surrounding};
pub use on_failure::OnFailure;
pub(crate) use outcome::{BatchOutcome, FailedBy};
pub(crate) use rules::SegmentRules;
pub(crate) use step::{SegmentEnd, SegmentStep};
