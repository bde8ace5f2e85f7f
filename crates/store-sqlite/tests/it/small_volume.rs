//! A volume of 40 MB that no one else uses, until the journal has filled it; and one that others fill.
//!
//! The volumes are file systems of a mount namespace of their own, which end with the processes in it. Where this may
//! not be done the tests are skipped, or fail where `ACTUM_REQUIRE_SERVERS` asks for everything that tests may need.

use crate::child::{self, Player};
use parts::{MANY, SNAPSHOTS};
use std::{
    env, fs,
    io::{self, Write},
    process::Command,
};

pub(crate) mod parts;

/// Kinds of file systems, and how one is mounted on `$1`, with a file beside it for those that need one.
const VOLUMES: [(&str, &str); 2] = [
    ("tmpfs", "mount -t tmpfs -o size=40m none \"$1\""),
    (
        "ext4",
        "truncate -s 40M \"$1.ext4\" && mkfs.ext4 -q -m 0 \"$1.ext4\" && mount -o loop \"$1.ext4\" \"$1\"",
    ),
];

/// A shell that mounts a volume on `$1`, and then runs the program in `$2` and so on.
fn in_volume(mount: &str, then: &str) -> Command {
    let mut command = Command::new("unshare");
    let script = format!("{mount} && root=\"$1\" && shift && {then}");
    command.args(["--mount", "sh", "-c", &script, "sh"]);
    command
}

/// Whether a volume can be mounted here. Otherwise it says why not, past the test harness, or fails where that is asked
/// for.
fn is_mountable(kind: &str, mount: &str) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("volume");
    fs::create_dir(&place).unwrap();
    let why = match in_volume(mount, "true").arg(place).output() {
        Ok(done) if done.status.success() => return true,
        Ok(done) => String::from_utf8_lossy(&done.stderr).trim().replace('\n', " | "),
        Err(error) => error.to_string(),
    };
    let required =
        env::var_os("ACTUM_REQUIRE_SERVERS").is_some_and(|it| !it.is_empty() && it != "0");
    assert!(!required, "no {kind} can be mounted here: {why}");
    let _ = writeln!(io::stderr(), "SKIPPED: a small volume of {kind}: {why}");
    false
}

/// Plays `parts` one after the other in one volume, and says what they said.
fn play(mount: &str, parts: &[&str]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().canonicalize().unwrap().join("volume");
    fs::create_dir(&place).unwrap();
    // each ends by its own hand, or with success
    let each = parts.iter().map(|part| format!("(ACTUM_TEST_PART='{part}' \"$@\" || true)"));
    let mut command = in_volume(mount, &each.collect::<Vec<_>>().join(" && "));
    command.arg(&place).arg(env::current_exe().unwrap()).args(child::arguments());
    let player: Player = child::start_with(command, "nothing yet", &place.join("journal.db"));
    let mut lines = player.finish();
    lines.retain(|line| !line.starts_with("Aborted")); // the shell has seen it
    lines
}

fn each_volume() -> impl Iterator<Item = (&'static str, &'static str)> {
    VOLUMES.into_iter().filter(|(kind, mount)| is_mountable(kind, mount))
}

#[test]
fn a_journal_that_has_filled_its_volume_starts_again_and_has_room_once_events_are_deleted() {
    for (kind, mount) in each_volume() {
        let parts = ["fill a small volume", "go on in a small volume", "go on in a small volume"];
        let lines = play(mount, &parts);
        let [stored, full, went_on @ ..] = lines.as_slice() else { panic!("{kind}: {lines:?}") };
        let stored: u64 = stored.strip_prefix("stored ").expect(stored).parse().unwrap();
        assert!(stored > 250, "{kind}: a volume of 40 MB holds {stored} events of 100 KB");
        assert!(full.contains("is full") && full.contains("journal.db"), "{kind}: {full}");
        let expected = format!("found {stored}, full again, deleted, wrote 20");
        assert_eq!(went_on, [expected.clone(), expected], "{kind}: {lines:?}");
    }
}

#[test]
fn a_journal_goes_on_without_help_when_others_leave_room_again() {
    for (kind, mount) in each_volume() {
        let lines = play(mount, &["meet a volume that others fill"; 2]);
        assert_eq!(lines.len(), 4, "{kind}: {lines:?}");
        for (nr, line) in lines.iter().enumerate() {
            let expected = if nr % 2 == 0 { "is full" } else { "went on" };
            assert!(line.contains(expected), "{kind}: {lines:?}");
        }
    }
}

#[test]
fn many_events_of_one_entity_can_be_deleted_from_a_full_volume() {
    for (kind, mount) in each_volume() {
        let parts = ["fill a small volume with one entity", "delete many events"];
        let lines = play(mount, &parts);
        let [stored, went_on] = lines.as_slice() else { panic!("{kind}: {lines:?}") };
        let stored: u64 = stored.strip_prefix("stored ").expect(stored).parse().unwrap();
        assert!(stored > MANY, "{kind}: a volume of 40 MB holds {stored} events of 15 KB");
        assert_eq!(went_on, &format!("found {stored}, deleted {MANY}, wrote 200"), "{kind}");
    }
}

#[test]
fn many_snapshots_of_one_entity_can_be_deleted_from_a_full_volume() {
    for (kind, mount) in each_volume() {
        let parts = ["fill a small volume with snapshots", "delete many snapshots"];
        let lines = play(mount, &parts);
        let last = lines.last().map(String::as_str);
        assert_eq!(
            last,
            Some(format!("deleted {SNAPSHOTS} snapshots").as_str()),
            "{kind}: {lines:?}"
        );
    }
}

#[test]
fn what_is_kept_for_those_who_make_room_is_for_no_one_else() {
    for (kind, mount) in each_volume() {
        let lines = play(mount, &["fill a small volume", "use what is kept of a small volume"]);
        let last = lines.last().map(String::as_str);
        assert_eq!(last, Some("refused what grows, did what does not"), "{kind}: {lines:?}");
    }
}

/// Rows of projections in the file of the journal are refused before they take the room that its log needs to be copied.
#[test]
fn rows_of_projections_that_have_filled_the_volume_leave_the_journal_what_it_needs() {
    for (kind, mount) in each_volume() {
        let parts = ["fill a small volume with rows", "go on beside the rows"];
        let lines = play(mount, &parts);
        let [rows, full, went_on] = lines.as_slice() else { panic!("{kind}: {lines:?}") };
        let rows: u64 = rows.strip_prefix("kept ").expect(rows).parse().unwrap();
        assert!(rows > 50, "{kind}: a volume of 40 MB holds {rows} rows of 200 KB beside 10 MB");
        assert!(full.contains("is full") && full.contains("journal.db"), "{kind}: {full}");
        assert_eq!(went_on, &format!("found {rows}, deleted, kept 10"), "{kind}: {lines:?}");
    }
}

#[test]
fn rows_of_projections_that_find_the_volume_full_go_on_when_others_leave_room_again() {
    for (kind, mount) in each_volume() {
        let lines = play(mount, &["meet others with rows"]);
        assert_eq!(lines.last().map(String::as_str), Some("went on"), "{kind}: {lines:?}");
    }
}
