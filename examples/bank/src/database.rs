//! Where a bank keeps its accounts: from the command line to a store.

use crate::{cli::DatabaseArgs, read_models::ReadModels, statements::Zone};
use actum::{
    SqliteStore,
    postgres::{PostgresSettings, PostgresStore},
    store::Stores,
};
use anyhow::{Result, bail, ensure};
use std::{convert::Infallible, ffi::OsString, fmt, path::PathBuf, str::FromStr};

/// A file, or a database in PostgreSQL.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// An SQLite file.
    File(PathBuf),
    /// The URL of a PostgreSQL database. It may have a password in it, so nothing shows it.
    Url(String),
}

impl FromStr for Database {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        // the URL of anything else is refused when it is opened: here its password would be shown
        Ok(if text.contains("://") { Self::Url(text.to_owned()) } else { Self::File(text.into()) })
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Url(_) => f.debug_tuple("Url").finish_non_exhaustive(),
        }
    }
}

impl Database {
    /// How it is given to another process of this program.
    #[must_use]
    pub fn to_arg(&self) -> OsString {
        match self {
            Self::File(path) => path.into(),
            Self::Url(url) => url.into(),
        }
    }
}

impl DatabaseArgs {
    /// Opens the store and what projections keep beside it, with the days of `zone`, and says where they are in words that may be shown.
    ///
    /// # Errors
    /// When the database cannot be had, or the arguments do not go together.
    pub async fn open(&self, zone: Zone) -> Result<(Stores, ReadModels, String)> {
        if let Database::File(path) = &self.database {
            ensure!(
                self.schema.is_none() && !self.transaction_pooling,
                "--schema and --transaction-pooling go with a postgres:// database, not with a file"
            );
            let store = SqliteStore::open(path).await?;
            let read_models = ReadModels::in_file(&store, zone);
            return Ok((store.into(), read_models, path.display().to_string()));
        }
        let (url, settings) = self.server()?;
        let schema = settings.schema.clone();
        let store = PostgresStore::connect_with(url, settings).await?;
        let read_models = ReadModels::in_database(&store, &schema, zone);
        let place = store.address().to_owned();
        Ok((store.into(), read_models, place))
    }

    /// The PostgreSQL database, and how it is used.
    ///
    /// # Errors
    /// When it is a file.
    pub fn server(&self) -> Result<(&str, PostgresSettings)> {
        let url = match &self.database {
            Database::Url(url) => url,
            Database::File(path) => bail!(
                "{} is a file, which every bank brings up to date as it opens it; only a \
                 postgres:// database is migrated ahead",
                path.display()
            ),
        };
        let mut settings =
            PostgresSettings::default().with_transaction_pooling(self.transaction_pooling);
        if let Some(schema) = &self.schema {
            settings = settings.with_schema(schema);
        }
        Ok((url, settings))
    }
}
