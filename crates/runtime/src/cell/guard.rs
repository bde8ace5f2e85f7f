use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Runs a piece of the user's code and turns a panic into what it said.
///
/// The state it worked on may be half changed afterwards; every caller drops that state or proves it untouched.
pub(crate) fn guard<T>(code: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|panic| panic_message(&*panic))
}

pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
