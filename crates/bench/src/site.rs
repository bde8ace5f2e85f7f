use crate::postgres::Server;
use anyhow::{Context, Result};
use std::path::PathBuf;

/// Where journals are made: a directory for files, and a server for databases.
pub(crate) struct Site {
    pub(crate) directory: PathBuf,
    postgres: Option<Server>,
}

impl Site {
    pub(crate) fn new(directory: PathBuf, postgres: Option<Server>) -> Self {
        Self { directory, postgres }
    }

    /// The server of the rows of PostgreSQL.
    pub(crate) fn postgres(&self) -> Result<&Server> {
        self.postgres.as_ref().context("there is no PostgreSQL")
    }
}
