use crate::Migration;
use actum_persistence::{error_chain::fmt_causes, store::JournalLayout};
use std::{error::Error, fmt};

/// Why a journal was not opened. Messages name the address, never the password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL cannot be read.
    InvalidUrl {
        /// Why not.
        why: String,
    },
    /// The settings are not valid; all problems are listed.
    InvalidSettings {
        /// Where the journal is.
        address: String,
        /// What is wrong, one entry each.
        problems: Vec<String>,
    },
    /// The server does not answer, or has no connection to spare. Trying again later may do.
    Unreachable {
        /// Where the journal is.
        address: String,
        /// What the network or the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server does not let this user in: a wrong name or password, or no rule that allows it.
    Login {
        /// Where the journal is.
        address: String,
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server has no such database.
    NoDatabase {
        /// Where the journal was to be.
        address: String,
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// No encrypted connection could be made, and the URL asks for one.
    Tls {
        /// Where the journal is.
        address: String,
        /// What failed.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server cannot keep a journal: it is too old, or its encoding is not UTF-8.
    UnfitServer {
        /// Where the journal was to be.
        address: String,
        /// What is wrong with it.
        unfit: String,
    },
    /// The user may not do what opening needs: use the schema, or create it, or create tables in it.
    MissingRights {
        /// Where the journal is.
        address: String,
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The schema holds tables of another program.
    NotAJournal {
        /// Where the journal was to be.
        address: String,
    },
    /// The journal lacks migrations, and the settings say not to run them.
    PendingMigrations {
        /// Where the journal is.
        address: String,
        /// What is to be run.
        pending: Vec<Migration>,
    },
    /// A newer version of Actum has made the journal.
    NewerSchema {
        /// Where the journal is.
        address: String,
        /// The version of the journal's schema.
        found: u32,
        /// The newest version this program knows.
        known: u32,
    },
    /// The journal is divided otherwise than the settings ask for.
    LayoutMismatch {
        /// Where the journal is.
        address: String,
        /// How the journal is divided.
        found: JournalLayout,
        /// How the settings want it.
        asked: JournalLayout,
    },
    /// The journal is to be created or migrated, and the server takes no writes: it is a replica, or was set so.
    ReadOnly {
        /// Where the journal was to be.
        address: String,
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The journal is damaged: tables, functions or rows are not as they must be.
    Corrupt {
        /// Where the journal is.
        address: String,
        /// What was found.
        what: String,
    },
    /// The server failed otherwise.
    Database {
        /// Where the journal is.
        address: String,
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl { why } => write!(f, "the URL of the database cannot be used: {why}"),
            Self::InvalidSettings { address, problems } => write!(
                f,
                "the settings for the journal at {address} are not valid: {}",
                problems.join("; ")
            ),
            Self::Unreachable { address, .. } => {
                write!(f, "the database at {address} cannot be reached")
            }
            Self::Login { address, .. } => write!(f, "the server refused the login at {address}"),
            Self::NoDatabase { address, .. } => write!(f, "there is no such database: {address}"),
            Self::Tls { address, .. } => write!(f, "no encrypted connection to {address}"),
            Self::UnfitServer { address, unfit } => {
                write!(f, "the server cannot keep the journal at {address}: {unfit}")
            }
            Self::MissingRights { address, .. } => {
                write!(f, "the user lacks rights for the journal at {address}")
            }
            Self::NotAJournal { address } => write!(
                f,
                "the schema belongs to another program, it is not a journal of Actum: {address}"
            ),
            Self::PendingMigrations { address, pending } => {
                write!(f, "the journal at {address} lacks migrations: {}", list(pending))
            }
            Self::NewerSchema { address, found, known } => write!(
                f,
                "the journal at {address} has schema version {found}, this program knows up to {known}: use a newer one"
            ),
            Self::LayoutMismatch { address, found, asked } => write!(
                f,
                "the journal at {address} was created with {}, the settings ask for {}",
                parts(found),
                parts(asked)
            ),
            Self::ReadOnly { address, .. } => {
                write!(f, "the server takes no writes, the journal cannot be made at {address}")
            }
            Self::Corrupt { address, what } => {
                write!(f, "the journal at {address} is damaged: {what}")
            }
            Self::Database { address, .. } => {
                write!(f, "the journal at {address} cannot be opened")
            }
        }?;
        fmt_causes(self, f)
    }
}

fn parts(layout: &JournalLayout) -> String {
    format!("{} partitions and {} lanes", layout.partitions.get(), layout.lanes.get())
}

fn list(pending: &[Migration]) -> String {
    let steps = pending.iter().map(|step| format!("{} ({})", step.version, step.name));
    steps.collect::<Vec<_>>().join(", ")
}
