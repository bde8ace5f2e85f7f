use crate::{arguments::Arguments, drive::Window, journal::Prefilled, postgres::Server};
use anyhow::{Context, Result};
use std::path::PathBuf;

/// What every row is measured with.
pub(crate) struct Bench {
    pub(crate) window: Window,
    pub(crate) directory: PathBuf,
    pub(crate) prefilled: Prefilled,
    postgres: Option<Server>,
}

impl Bench {
    pub(crate) fn new(arguments: &Arguments, postgres: Option<Server>) -> Self {
        let directory = arguments.directory.clone();
        let prefilled = Prefilled::new(arguments.prefill, directory.clone());
        Self { window: arguments.window(), directory, prefilled, postgres }
    }

    /// The server of the rows of PostgreSQL.
    pub(crate) fn postgres(&self) -> Result<&Server> {
        self.postgres.as_ref().context("there is no PostgreSQL")
    }

    /// Leaves nothing behind.
    pub(crate) async fn close(self) -> Result<()> {
        self.prefilled.delete().await
    }
}
