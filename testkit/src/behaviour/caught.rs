use std::{
    any::Any,
    error::Error,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Runs user code; a panic comes back as its text, so that a report can say whose it was.
pub(super) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    // nothing that `run` may have left half done is looked at again: a panic ends the test
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| text(&*payload))
}

fn text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").to_owned()
}

/// The message of an error and of everything below it.
pub(super) fn full_text(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(below) = source {
        text.push_str(": ");
        text.push_str(&below.to_string());
        source = below.source();
    }
    text
}
