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

pub use backoff::Backoff;
pub use batch::Batch;
pub use error_text::{cut, error_text};
pub use machine::{SegmentMachine, SegmentView, Surrounding};
pub use on_failure::OnFailure;
pub use outcome::{BatchOutcome, FailedBy};
pub use rules::SegmentRules;
pub use step::{SegmentEnd, SegmentStep};
