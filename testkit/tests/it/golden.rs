//! Golden files hold later builds of an entity to what an earlier one has stored.

use crate::failing::failure;
use actum_model::{Ctx, DecodeError, Effect, Entity, EventSourced, Handle, Payload, StoredPayload};
use actum_persistence::codec::Json;
use actum_testkit::{Given, Golden};
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, fs, path::PathBuf, process::Command};
use tempfile::TempDir;

/// A build of an account, named by the format of its event.
macro_rules! build {
    ($build:ident, schema version $version:literal, $event:item, $upcast:expr) => {
        mod $build {
            use super::*;

            #[derive(Clone, Debug, Serialize, Deserialize)]
            $event

            impl Payload for Event {
                type Codec = Json;
                const MANIFEST: &'static str = "account.event";
                const SCHEMA_VERSION: u32 = $version;
                fn upcast(stored: &StoredPayload) -> Result<Self, DecodeError> {
                    let upcast: fn(&StoredPayload) -> Result<Self, DecodeError> = $upcast;
                    upcast(stored)
                }
            }

            #[derive(Debug, Serialize, Deserialize)]
            pub(super) struct Account(pub(super) u64);

            #[derive(Debug, Serialize, Deserialize)]
            pub(super) struct Count;

            actum_model::payload!(Json: Account = "account.state", Count = "count");

            impl Entity for Account {
                const KIND: &'static str = "account";
                type Id = String;
                type Env = ();
                type Event = Event;
                type Commands = (Count,);
                fn initial(_: &String) -> Self {
                    Self(0)
                }
            }

            impl EventSourced for Account {
                fn apply(&mut self, _: &Event) {
                    self.0 += 1;
                }
            }

            impl Handle<Count> for Account {
                type Reply = u64;
                type Rejection = Infallible;
                fn handle(&self, _: Count, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
                    Ok(Effect::none().reply(self.0))
                }
            }
        }
    };
}

build! { first, schema version 1,
    pub(super) enum Event { Opened { owner: String }, Closed },
    |stored| Err(stored.unreadable::<Event>())
}
build! { renamed, schema version 1,
    pub(super) enum Event { Opened { holder: String } , Closed },
    |stored| Err(stored.unreadable::<Event>())
}
build! { extended, schema version 1,
    pub(super) enum Event { Opened { owner: String, #[serde(default)] note: Option<u8> }, Closed },
    |stored| Err(stored.unreadable::<Event>())
}
build! { raised, schema version 2,
    pub(super) enum Event { Opened { holder: String }, Closed },
    |stored| match stored.schema_version {
        1 => Ok(match stored.decode_as::<first::Event, Json>()? {
            first::Event::Opened { owner } => Event::Opened { holder: owner },
            first::Event::Closed => Event::Closed,
        }),
        _ => Err(stored.unreadable::<Event>()),
    }
}
build! { forgetful, schema version 2,
    pub(super) enum Event { Opened { holder: String }, Closed },
    |stored| Err(stored.unreadable::<Event>())
}

const LINES: &str = "\
# Stored payloads: what | manifest | schema version | codec | bytes.
# Lines are added and never changed or removed: what was stored once must be readable for ever.
event | account.event | 1 | json | {\"Opened\":{\"owner\":\"Ada\"}}
event | account.event | 1 | json | \"Closed\"
state | account.state | 1 | json | 7
reply count | u64 | 1 | plain | 0x0700000000000000
";

const LINE_OF_VERSION_2: &str =
    "event | account.event | 2 | json | {\"Opened\":{\"holder\":\"Ada\"}}\n";

/// A golden file of this text.
fn file(text: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("account.golden");
    fs::write(&path, text).unwrap();
    (directory, path)
}

macro_rules! golden {
    ($build:ident, $path:expr, $name:ident: $value:expr) => {
        Given::<$build::Account>::golden($path)
            .events([$build::Event::Opened { $name: $value.into() }, $build::Event::Closed])
            .states([$build::Account(7)])
            .replies::<$build::Count>([7])
    };
}

fn first(path: &PathBuf) -> Golden<first::Account> {
    golden!(first, path, owner: "Ada")
}

#[test]
fn what_is_in_the_file_and_written_alike_today_passes() {
    let (_directory, path) = file(LINES);
    first(&path).check();
    assert_eq!(fs::read_to_string(&path).unwrap(), LINES);
}

#[test]
fn a_file_that_is_not_there_yet_fails_and_says_how_to_write_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("account.golden");
    let text = failure(|| first(&path).check());
    let expected = format!(
        "golden account: {} lacks values of today; run this test with ACTUM_BLESS=1 to add them, and commit the file",
        path.display()
    );
    assert!(text.starts_with(&expected), "{text}");
    for line in LINES.lines().skip(2) {
        assert!(text.contains(&format!("\n    + {line}")), "{text}");
    }
    assert!(!path.exists());
}

/// Named to a process of its own, since only that can have another environment.
const FILE_TO_BLESS: &str = "ACTUM_TEST_GOLDEN_FILE";

#[test]
fn blessing_writes_the_file_and_later_only_adds_to_it() {
    if let Some(path) = std::env::var_os(FILE_TO_BLESS) {
        let path = PathBuf::from(path);
        first(&path).check();
        golden!(raised, &path, holder: "Ada").check();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made/on/the/way/account.golden");
    let this = std::thread::current().name().unwrap().to_owned();
    let blessed = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &this])
        .env(FILE_TO_BLESS, &path)
        .env("ACTUM_BLESS", "1")
        .output()
        .unwrap();
    assert!(blessed.status.success(), "{}", String::from_utf8_lossy(&blessed.stdout));
    let closed = "event | account.event | 2 | json | \"Closed\"\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{LINES}{LINE_OF_VERSION_2}{closed}"));
    golden!(raised, &path, holder: "Ada").check();
}

#[test]
fn a_new_value_is_missing_and_nothing_else_is_said() {
    let (_directory, path) = file(LINES);
    let text = failure(|| golden!(first, &path, owner: "Bob").check());
    assert!(
        text.ends_with(
            "\n    + event | account.event | 1 | json | {\"Opened\":{\"owner\":\"Bob\"}}"
        ),
        "{text}"
    );
}

#[test]
fn a_format_that_lost_a_field_without_a_new_version_says_what_to_do() {
    let (_directory, path) = file(LINES);
    let text = failure(|| golden!(renamed, &path, holder: "Ada").check());
    let expected = format!(
        "golden account: {}, line 3, `account.event` in schema version 1: it cannot be read any more: ",
        path.display()
    );
    assert!(text.starts_with(&expected), "{text}");
    let advice = "\n    the format of `account.event` has changed: raise its `SCHEMA_VERSION` from 1 to 2, and write `upcast` for what is stored in version 1";
    assert!(text.ends_with(advice), "{text}");
    assert!(text.contains("missing field `holder`") && !text.contains("line 4"), "{text}");
}

#[test]
fn a_format_that_can_still_read_the_old_one_needs_a_new_version_too() {
    let (_directory, path) = file(LINES);
    let given = Given::<extended::Account>::golden(&path)
        .events([extended::Event::Closed])
        .states([extended::Account(7)])
        .replies::<extended::Count>([7]);
    let text = failure(|| given.check());
    let difference = "it is written otherwise today (- stored, + today)
    - event | account.event | 1 | json | {\"Opened\":{\"owner\":\"Ada\"}}
    + event | account.event | 1 | json | {\"Opened\":{\"owner\":\"Ada\",\"note\":null}}
    the format of `account.event` has changed: raise its `SCHEMA_VERSION` from 1 to 2, ";
    assert!(text.contains(difference), "{text}");
}

#[test]
fn what_was_stored_in_a_former_version_is_read_through_upcast() {
    let (_directory, path) = file(&format!("{LINES}\n{LINE_OF_VERSION_2}"));
    Given::<raised::Account>::golden(&path)
        .events([raised::Event::Opened { holder: "Ada".into() }])
        .states([raised::Account(7)])
        .replies::<raised::Count>([])
        .check();
}

#[test]
fn a_former_version_that_nothing_lifts_is_named_line_by_line() {
    let (_directory, path) = file(LINES);
    let text = failure(|| golden!(forgetful, &path, holder: "Ada").check());
    assert_eq!(
        text.matches("`upcast` of `account.event` must read schema version 1").count(),
        2,
        "{text}"
    );
    assert!(
        text.contains("line 3") && text.contains("line 4") && !text.contains("line 5"),
        "{text}"
    );
}

#[test]
fn a_version_that_was_taken_back_is_named() {
    let (_directory, path) = file(&format!("{LINES}{LINE_OF_VERSION_2}"));
    let text = failure(|| first(&path).check());
    assert!(text.ends_with("line 7, `account.event` in schema version 2: `account.event` is stored in schema version 2, this program knows up to 1"), "{text}");
}

#[test]
fn a_line_that_nothing_reads_and_one_that_is_none_fail() {
    let (_directory, path) = file(LINES);
    let text =
        failure(|| Given::<first::Account>::golden(&path).states([first::Account(7)]).check());
    assert!(
        text.contains(
            "line 3, `account.event` in schema version 1: the test gives no values of `event`"
        ),
        "{text}"
    );
    let (_directory, path) = file("event | account.event | 1\n");
    let text = failure(|| first(&path).check());
    assert!(
        text.contains("line 1: expected `what | manifest | schema version | codec | bytes`"),
        "{text}"
    );
}

#[test]
fn a_test_that_gives_nothing_fails() {
    let (_directory, path) = file("");
    let text = failure(|| Given::<first::Account>::golden(&path).check());
    assert_eq!(text, "golden account: no value is given: `.events(..)`, `.states(..)`");
}
