//! A browser without a window, for tests of pages.

#[expect(clippy::module_inception, reason = "the file carries the name of its type")]
mod browser;
mod chromium_program;
mod dev_tools;

pub use browser::Browser;
pub use chromium_program::ChromiumProgram;
