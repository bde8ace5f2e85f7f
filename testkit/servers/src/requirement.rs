use std::{
    env,
    error::Error,
    io::{self, Write},
    thread,
};

use crate::ServerError;

/// Whether a test that cannot have its server fails: `ACTUM_REQUIRE_SERVERS` is set, and not to `0` or nothing.
#[must_use]
pub fn servers_required() -> bool {
    env::var_os("ACTUM_REQUIRE_SERVERS").is_some_and(|value| !value.is_empty() && value != "0")
}

/// What a test needs, or `None` when it cannot be had; then it has said so in a line `SKIPPED: …` and the test returns.
///
/// The line goes to standard error past the test harness, which would keep it from sight in a test that passes.
///
/// # Panics
/// When it cannot be had and [`servers_required`].
pub fn available<T>(found: Result<T, ServerError>) -> Option<T> {
    if let (Err(error), true) = (&found, servers_required()) {
        panic!("{} needs a server: {}", test_name(), chain(error));
    }
    optional(found)
}

/// As [`available`], for what machines need not have even where servers are required: it never fails.
pub fn optional<T>(found: Result<T, ServerError>) -> Option<T> {
    found
        .inspect_err(|error| {
            // nowhere to say it is no reason to fail
            let _ = writeln!(io::stderr(), "SKIPPED: {}: {}", test_name(), chain(error));
        })
        .ok()
}

/// The test harness names a test's thread after it.
fn test_name() -> String {
    thread::current().name().unwrap_or("a test").to_owned()
}

/// An error with everything that led to it, in one line whatever logs it quotes.
pub(crate) fn chain(error: &ServerError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text.trim().replace('\n', " | ")
}
