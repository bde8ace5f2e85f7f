use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use crate::ServerError;

/// Who servers run as: the user that runs the tests, unless that is root, which PostgreSQL and PgBouncer refuse to run
/// as.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Account {
    /// The user that runs the tests.
    Own,
    /// Another, because the tests run as root.
    Other { uid: u32, gid: u32 },
}

impl Account {
    /// The account for servers. `created` is a directory that this process has made: its owner is who runs the tests.
    pub(crate) fn beside(created: &Path) -> Result<Self, ServerError> {
        let owner = fs::metadata(created)
            .map_err(ServerError::io(format!("looking at {}", created.display())))?;
        if owner.uid() != 0 {
            return Ok(Self::Own);
        }
        let accounts = fs::read_to_string("/etc/passwd")
            .map_err(ServerError::io("reading /etc/passwd".to_owned()))?;
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| find(&accounts, name))
            .ok_or(ServerError::NoAccount)
    }

    /// Makes `command` run under this account.
    pub(crate) fn run(self, command: &mut Command) {
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
    }

    /// Gives a file or a directory to this account.
    pub(crate) fn own(self, path: &Path) -> Result<(), ServerError> {
        let Self::Other { uid, gid } = self else { return Ok(()) };
        chown(path, Some(uid), Some(gid))
            .map_err(ServerError::io(format!("giving away {}", path.display())))
    }
}

/// The account `name` in the text of /etc/passwd: `name:password:uid:gid:…`.
fn find(accounts: &str, name: &str) -> Option<Account> {
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut numbers = line.split(':').skip(2).map(|number| number.parse().ok());
    Some(Account::Other { uid: numbers.next()??, gid: numbers.next()?? })
}
