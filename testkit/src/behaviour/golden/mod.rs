//! Golden files: what is stored today is kept in a file, and every later build must still read it.

mod entry;
mod file;
#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod golden;
mod section;

pub use golden::Golden;
