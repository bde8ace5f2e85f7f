//! Runs what must fail, and returns with which words it did.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Once,
};

thread_local! {
    static EXPECTED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// The text of the panic that `run` ends in, without colours.
#[track_caller]
pub(crate) fn failure<T>(run: impl FnOnce() -> T) -> String {
    silence_expected_panics();
    EXPECTED.set(true);
    let result = catch_unwind(AssertUnwindSafe(|| drop(run())));
    EXPECTED.set(false);
    let Err(payload) = result else { panic!("it passed") };
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    let mut text = text.unwrap();
    for colour in ["\x1b[31m", "\x1b[32m", "\x1b[0m"] {
        text = text.replace(colour, "");
    }
    text
}

/// Keeps the log of a test run free of panics that are meant to be.
fn silence_expected_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !EXPECTED.get() {
                hook(info);
            }
        }));
    });
}

/// Compares the text of a failure with what it should be, line by line.
#[track_caller]
pub(crate) fn fails_with<T>(run: impl FnOnce() -> T, expected: &str) {
    let text = failure(run);
    assert_eq!(text, expected, "\n--- it said:\n{text}\n--- it should have said:\n{expected}\n");
}
