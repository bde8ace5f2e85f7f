use crate::Migration;
use actum_persistence::store::JournalLayout;
use std::error::Error;

/// Why a journal was not opened. Messages name the address, never the password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL cannot be read.
    #[error("the URL of the database cannot be used: {why}")]
    InvalidUrl {
        /// Why not.
        why: String,
    },
    /// The settings are not valid; all problems are listed.
    #[error("the settings for the journal at {address} are not valid: {}", .problems.join("; "))]
    InvalidSettings {
        /// Where the journal is.
        address: String,
        /// What is wrong, one entry each.
        problems: Vec<String>,
    },
    /// The server does not answer, or has no connection to spare. Trying again later may do.
    #[error("the database at {address} cannot be reached")]
    Unreachable {
        /// Where the journal is.
        address: String,
        /// What the network or the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server does not let this user in: a wrong name or password, or no rule that allows it.
    #[error("the server does not let us in at {address}")]
    Login {
        /// Where the journal is.
        address: String,
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server has no such database.
    #[error("there is no such database: {address}")]
    NoDatabase {
        /// Where the journal was to be.
        address: String,
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// No encrypted connection could be made, and the URL asks for one.
    #[error("no encrypted connection to {address}")]
    Tls {
        /// Where the journal is.
        address: String,
        /// What failed.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server cannot keep a journal: it is too old, or its encoding is not UTF-8.
    #[error("the server cannot keep the journal at {address}: {unfit}")]
    UnfitServer {
        /// Where the journal was to be.
        address: String,
        /// What is wrong with it.
        unfit: String,
    },
    /// The user may not do what opening needs: use the schema, or create it, or create tables in it.
    #[error("the user lacks rights for the journal at {address}")]
    MissingRights {
        /// Where the journal is.
        address: String,
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The schema holds tables of another program.
    #[error("the schema belongs to another program, it is not a journal of Actum: {address}")]
    NotAJournal {
        /// Where the journal was to be.
        address: String,
    },
    /// The journal lacks migrations, and the settings say not to run them.
    #[error("the journal at {address} lacks migrations: {}", list(.pending))]
    PendingMigrations {
        /// Where the journal is.
        address: String,
        /// What is to be run.
        pending: Vec<Migration>,
    },
    /// A newer version of Actum has made the journal.
    #[error(
        "the journal at {address} has schema version {found}, this program knows up to {known}: use a newer one"
    )]
    NewerSchema {
        /// Where the journal is.
        address: String,
        /// The version of the journal's schema.
        found: u32,
        /// The newest version this program knows.
        known: u32,
    },
    /// The journal is divided otherwise than the settings ask for.
    #[error(
        "the journal at {address} was created with {}, the settings ask for {}",
        parts(.found), parts(.asked)
    )]
    LayoutMismatch {
        /// Where the journal is.
        address: String,
        /// How the journal is divided.
        found: JournalLayout,
        /// How the settings want it.
        asked: JournalLayout,
    },
    /// The journal is to be created or migrated, and the server takes no writes: it is a replica, or was told so.
    #[error("the server takes no writes, the journal cannot be made at {address}")]
    ReadOnly {
        /// Where the journal was to be.
        address: String,
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The journal is damaged: tables, functions or rows are not as they must be.
    #[error("the journal at {address} is damaged: {what}")]
    Corrupt {
        /// Where the journal is.
        address: String,
        /// What was found.
        what: String,
    },
    /// The server failed otherwise.
    #[error("the journal at {address} cannot be opened")]
    Database {
        /// Where the journal is.
        address: String,
        /// What the server said.
        source: Box<dyn Error + Send + Sync>,
    },
}

fn parts(layout: &JournalLayout) -> String {
    format!("{} partitions and {} lanes", layout.partitions.get(), layout.lanes.get())
}

fn list(pending: &[Migration]) -> String {
    let steps = pending.iter().map(|step| format!("{} ({})", step.version, step.name));
    steps.collect::<Vec<_>>().join(", ")
}
