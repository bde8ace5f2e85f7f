//! A process that copies its own journal with the means of the operating system, beside another program that looks at
//! it. The copy drops the locks that SQLite holds in the process: the other one takes itself for the only one, and
//! deletes the log as it ends.
//!
//! SQLite does that up to 3.50; later versions, such as the one these tests are built with, look at the locks of the
//! log's index as well. So the old behaviour is played here.

use crate::{
    child,
    fixture::SqliteFixture,
    sample::{account, head_of},
};
use actum_store_sqlite::SqliteSettings;
use nix::{fcntl, libc};
use sqlx::{Connection, Executor};
use std::{
    fs::{self, File},
    path::Path,
};

/// What SQLite locks exclusively to find out whether a connection is the last one, see `os_unix.c`.
const SHARED_FIRST: libc::off_t = 0x4000_0000 + 2;
const SHARED_SIZE: libc::off_t = 510;

/// Closes the file as an old SQLite does: who is alone copies the log and deletes it. Says whether it was alone.
async fn close_as_the_last_one(fixture: &SqliteFixture) -> bool {
    let path = fixture.path();
    let file = File::options().read(true).write(true).open(&path).unwrap();
    let range = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: SHARED_FIRST,
        l_len: SHARED_SIZE,
        l_pid: 0,
    };
    if fcntl::fcntl(&file, fcntl::FcntlArg::F_SETLK(&range)).is_err() {
        return false;
    }
    drop(file);
    fixture.foreign_connection().await.execute("PRAGMA wal_checkpoint(PASSIVE)").await.unwrap();
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(Path::new(&format!("{}{suffix}", path.display()))).unwrap();
    }
    true
}

#[tokio::test]
async fn what_a_process_confirms_after_it_has_copied_its_journal_is_there_when_it_is_killed() {
    let fixture = SqliteFixture::with(SqliteSettings::default());
    let mut player = child::start("append and copy", &fixture.path());
    for round in 1..=3 {
        assert_eq!(player.line(), format!("confirmed {}", 5 * round));
        player.go();
        assert_eq!(player.line(), "copied");
        let mut outside = fixture.foreign_connection().await;
        let seen = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM events");
        assert_eq!(seen.fetch_one(&mut outside).await.unwrap(), 5 * round);
        outside.close().await.unwrap();
        assert!(
            !close_as_the_last_one(&fixture).await,
            "the journal looks as if no one had it open"
        );
        player.go();
    }
    assert_eq!(player.line(), "done");
    player.process.kill().unwrap();
    player.process.wait().unwrap();
    assert_eq!(head_of(&fixture.store().await, &account(1)).await, 15);
}
