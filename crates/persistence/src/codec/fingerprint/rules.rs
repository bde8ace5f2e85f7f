use crate::codec::format::Format;
use std::marker::PhantomData;

/// What of a value counts for its fingerprint.
pub(super) trait Rules {
    /// Whether types choose their form for people.
    const HUMAN_READABLE: bool;
    /// Whether every NaN is the same.
    const ONE_NAN: bool;
    /// Whether names of types and widths of numbers count, the order of lists does not, and a `None` is a field.
    const EXACT: bool;
}

/// Everything that a format is to write.
pub(super) struct Exact<F>(PhantomData<F>);

impl<F: Format> Rules for Exact<F> {
    const HUMAN_READABLE: bool = F::HUMAN_READABLE;
    // the format writes the same for all that is not finite
    const ONE_NAN: bool = F::IS_TEXT;
    const EXACT: bool = true;
}

/// What the value says, whichever program says it.
pub(super) enum ContentOnly {}

impl Rules for ContentOnly {
    const HUMAN_READABLE: bool = true;
    const ONE_NAN: bool = false;
    const EXACT: bool = false;
}
