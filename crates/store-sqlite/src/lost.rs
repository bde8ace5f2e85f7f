use actum_persistence::store::StoreError;
use std::{fmt, io, path::PathBuf, sync::Arc};

/// What has happened to a file of the journal.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) path: PathBuf,
    pub(crate) how: How,
}

/// How it is no longer what it was.
#[derive(Debug)]
pub(crate) enum How {
    Removed,
    Renamed { to: Option<PathBuf> },
    RemovedOrRenamed,
    Replaced,
    Linked { names: u64 },
    Unreadable { error: io::Error },
}

impl Lost {
    /// The error of a call that was not begun.
    pub(crate) fn refusal(self: Arc<Self>) -> StoreError {
        StoreError::lost(self.to_string())
    }

    /// The error of a write that was committed to these files.
    pub(crate) fn unknown(self: Arc<Self>, doing: &str) -> StoreError {
        StoreError::outcome_unknown(doing, self.to_string())
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.how {
            How::Removed => write!(f, "`{path}` was removed while it was in use"),
            How::Renamed { to: Some(to) } => {
                write!(f, "`{path}` was renamed to `{}` while it was in use", to.display())
            }
            How::Renamed { to: None } => write!(f, "`{path}` was renamed while it was in use"),
            How::RemovedOrRenamed => {
                write!(f, "`{path}` was removed or renamed while it was in use")
            }
            How::Replaced => write!(f, "`{path}` was replaced by another file while it was in use"),
            How::Linked { names } => write!(
                f,
                "`{path}` was given another name while it was in use, it now has {names} hard links: a program that \
                 opens it by the other name does not see its log"
            ),
            How::Unreadable { error } => {
                write!(f, "`{path}` can no longer be checked: {error}")
            }
        }
    }
}
