use crate::{arguments::Arguments, drive::Window, journal::Prefilled};
use std::path::PathBuf;

/// What every row is measured with.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) window: Window,
    pub(crate) directory: PathBuf,
    pub(crate) prefilled: Prefilled,
}

impl Bench {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        let directory = arguments.directory.clone();
        let prefilled = Prefilled::new(arguments.prefill, directory.clone());
        Self { window: arguments.window(), directory, prefilled }
    }
}
