//! Every field of every settings type is held within its bounds, and named with its value when it is not.

use crate::counter::Counter;
use actum::{
    postgres::PostgresSettings,
    settings::{
        Batching, CommandWindow, EntitySettings, GroupCommitSettings, PageLimit, RuntimeSettings,
        SizeLimits, SnapshotSettings,
    },
    sqlite::SqliteSettings,
    store::JournalLayout,
};
use std::{fmt::Debug, num::NonZeroU32, time::Duration};

type Entities = EntitySettings<Counter>;

/// The fields of a settings type, as its `Debug` shows them.
fn fields(settings: &impl Debug) -> Vec<String> {
    let shown = format!("{settings:#?}");
    let outer = shown.lines().filter_map(|line| line.strip_prefix("    "));
    let named = outer.filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
    named.filter_map(|line| Some(line.split_once(':')?.0.to_owned())).collect()
}

/// One of the settings is beyond its bounds: there is one problem, and it says so.
#[track_caller]
fn reported(walked: &mut Vec<String>, problems: &[String], expected: &str) {
    assert_eq!(problems, [expected]);
    let field = expected.split('`').nth(1).and_then(|path| path.split('.').next());
    walked.push(field.expect("a problem names its field").to_owned());
}

/// Every field was walked, or has no bounds (which the test says).
#[track_caller]
fn walked_all(settings: &impl Debug, mut walked: Vec<String>, unbounded: &[&str]) {
    walked.extend(unbounded.iter().map(|field| (*field).to_owned()));
    walked.sort();
    walked.dedup();
    let mut fields = fields(settings);
    fields.sort();
    assert_eq!(walked, fields);
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn every_field_of_the_runtime_settings_is_held() {
    let all = RuntimeSettings::default;
    let mut walked = Vec::new();
    let zero = Duration::ZERO;
    let page = PageLimit::default();
    for (settings, expected) in [
        (all().with_ask_timeout(zero), "`ask_timeout` is 0 ms, it must be at least 1 ms"),
        (
            all().with_shutdown_timeout(secs(86_401)),
            "`shutdown_timeout` is 86,401 s, it must be at most 1 day",
        ),
        (
            all().with_slow_handler_after(zero),
            "`slow_handler_after` is 0 ms, it must be at least 1 ms",
        ),
        (all().with_entities_max(0), "`entities_max` is 0, it must be at least 1"),
        (all().with_commands_max(0), "`commands_max` is 0, it must be at least 1"),
        (
            all().with_partition_commands_max(0),
            "`partition_commands_max` is 0, it must be at least 1",
        ),
        (
            all().with_journal_bytes_max(1 << 10),
            "`journal_bytes_max` is 1 KiB, it must be at least 1 MiB",
        ),
        (
            all().with_command_ids_bytes_max(1 << 10),
            "`command_ids_bytes_max` is 1 KiB, it must be at least 64 KiB",
        ),
        (
            all().with_snapshot_bytes_max(1 << 10),
            "`snapshot_bytes_max` is 1 KiB, it must be at least 1 MiB",
        ),
        (all().with_readers(65), "`readers` is 65, it must be 1 to 64"),
        (all().with_read_batch_max(1_001), "`read_batch_max` is 1,001, it must be 1 to 1,000"),
        (
            all().with_page(page.with_events(NonZeroU32::MAX)),
            "`page.events` is 4,294,967,295, it must be 1 to 100,000",
        ),
        (
            all().with_page(page.with_bytes(0)),
            "`page.bytes` is 0 bytes, it must be 1 byte to 512 MiB",
        ),
        (all().with_read_bytes_max(1), "`read_bytes_max` is 1 byte, it must be at least 1 MiB"),
        (
            all().with_writer_lease(Duration::from_millis(99)),
            "`writer_lease` is 99 ms, it must be 100 ms to 1 day",
        ),
    ] {
        reported(&mut walked, &settings.problems(), expected);
    }
    let nested = ["size_limits", "group_commit", "journal_wait"];
    let unbounded = [
        "open_at_start",
        "elsewhere",
        "caller_context",
        "streams_only",
        "journal_readers",
        "observer",
    ];
    walked_all(&all(), walked, &[&nested[..], &unbounded].concat());
}

#[test]
fn every_field_of_the_entity_settings_is_held() {
    let all = Entities::default;
    let mut walked = Vec::new();
    let batching = Batching::default();
    let snapshots = SnapshotSettings::<Counter>::default();
    let window = CommandWindow::default();
    for (settings, expected) in [
        (
            all().with_batching(batching.with_threshold(0)),
            "`batching.threshold` is 0, it must be at least 1",
        ),
        (
            all().with_batching(batching.with_flush_window(secs(61))),
            "`batching.flush_window` is 61 s, it must be 1 ms to 1 minute",
        ),
        (
            all().with_snapshots(snapshots.clone().with_every(0)),
            "`snapshots.every` is 0, it must be at least 1",
        ),
        (
            all().with_snapshots(snapshots.clone().with_snapshots_kept(0)),
            "`snapshots.snapshots_kept` is 0, it must be at least 1",
        ),
        (
            all().with_idle_timeout(Some(Duration::ZERO)),
            "`idle_timeout` is 0 ms, it must be at least 1 ms",
        ),
        (all().with_commands_max(0), "`commands_max` is 0, it must be at least 1"),
        (
            all().with_command_window(window.with_commands_min(0)),
            "`command_window.commands_min` is 0, it must be 1 to 100,000",
        ),
        (
            all().with_command_window(window.with_commands_max(10_000_001)),
            "`command_window.commands_max` is 10,000,001, it must be 1 to 10,000,000",
        ),
        (
            all().with_command_window(window.with_age_min(Duration::ZERO)),
            "`command_window.age_min` is 0 ms, it must be at least 1 s",
        ),
    ] {
        reported(&mut walked, &settings.problems(), expected);
    }
    walked_all(&all(), walked, &["encode_state"]);
    walked_all(&batching, vec!["threshold".into(), "flush_window".into()], &[]);
    let walked = vec!["every".into(), "snapshots_kept".into()];
    walked_all(&snapshots, walked, &["snapshot_on_passivation", "events_deleted"]);
}

#[test]
fn every_field_of_the_size_limits_is_held() {
    let all = SizeLimits::default;
    let mut walked = Vec::new();
    for (limits, expected) in [
        (
            all().with_payload_bytes_max(0),
            "`payload_bytes_max` is 0 bytes, it must be 1 byte to 16 MiB",
        ),
        (
            all().with_metadata_bytes_max(0),
            "`metadata_bytes_max` is 0 bytes, it must be 1 byte to 4 MiB",
        ),
        (all().with_reply_bytes_max(0), "`reply_bytes_max` is 0 bytes, it must be 1 byte to 4 MiB"),
        (
            all().with_append_bytes_max(2 << 30),
            "`append_bytes_max` is 2 GiB, it must be 1,040 KiB to 32 MiB",
        ),
        (all().with_append_events_max(0), "`append_events_max` is 0, it must be 1 to 100,000"),
    ] {
        reported(&mut walked, &limits.problems(), expected);
    }
    walked_all(&all(), walked, &[]);
}

#[test]
fn every_field_of_the_group_commit_settings_is_held() {
    let all = GroupCommitSettings::default;
    let mut walked = Vec::new();
    for (settings, expected) in [
        (all().with_batch_events_max(0), "`batch_events_max` is 0, it must be 1 to 10,000"),
        (
            all().with_batch_bytes_max(0),
            "`batch_bytes_max` is 0 bytes, it must be 1 byte to 16 MiB",
        ),
        (all().with_resolve_attempts_max(0), "`resolve_attempts_max` is 0, it must be 1 to 1,000"),
        (
            all().with_resolve_backoff_min(Duration::ZERO),
            "`resolve_backoff_min` is 0 ms, it must be 1 ms to 1 minute",
        ),
        (
            all().with_resolve_backoff_max(secs(601)),
            "`resolve_backoff_max` is 601 s, it must be 50 ms to 10 minutes",
        ),
        (all().with_tail_events_max(0), "`tail_events_max` is 0, it must be 1 to 1,000,000"),
        (all().with_tail_bytes_max(1), "`tail_bytes_max` is 1 byte, it must be 1 KiB to 1 GiB"),
    ] {
        reported(&mut walked, &settings.problems(), expected);
    }
    walked_all(&all(), walked, &[]);
}

#[test]
fn every_field_of_the_sqlite_settings_is_held() {
    let all = SqliteSettings::default;
    let mut walked = Vec::new();
    for (settings, expected) in [
        (
            all().with_busy_timeout(Duration::ZERO),
            "`busy_timeout` is 0 ms, it must be 1 ms to 10 minutes",
        ),
        (all().with_reader_connections(0), "`reader_connections` is 0, it must be 1 to 64"),
        (
            all().with_writer_cache_bytes(1),
            "`writer_cache_bytes` is 1 byte, it must be 1 MiB to 64 GiB",
        ),
        (
            all().with_reader_cache_bytes(1),
            "`reader_cache_bytes` is 1 byte, it must be 1 MiB to 64 GiB",
        ),
        (
            all().with_remembered_entities(1),
            "`remembered_entities` is 1, it must be 1,000 to 100,000,000",
        ),
        (
            all().with_checkpoint_bytes(1),
            "`checkpoint_bytes` is 1 byte, it must be 1 MiB to 64 GiB",
        ),
        (
            all().with_wal_bytes_max(1 << 20),
            "`wal_bytes_max` is 1 MiB, it must be 32 MiB to 256 GiB",
        ),
        (all().with_file_bytes_max(1), "`file_bytes_max` is 1 byte, it must be at least 1 MiB"),
    ] {
        reported(&mut walked, &settings.problems(), expected);
    }
    walked_all(&all(), walked, &["synchronous", "layout"]);
}

#[test]
fn every_field_of_the_postgres_settings_is_held() {
    let all = PostgresSettings::default;
    let mut walked = Vec::new();
    let lanes = actum::LaneCount::new(65).expect("65 is not 0");
    let layout = JournalLayout { lanes, ..JournalLayout::default() };
    for (settings, expected) in [
        (
            all().with_schema("pg_bank"),
            "`schema` is `pg_bank`, it must be 1 to 63 letters, digits and underscores of ASCII, \
             and not begin with a digit or `pg_`",
        ),
        (all().with_layout(layout), "`layout.lanes` is 65, it must be 1 to 64"),
        (all().with_connections_max(1), "`connections_max` is 1, it must be 2 to 1,000"),
        (
            all().with_connect_timeout(Duration::ZERO),
            "`connect_timeout` is 0 ms, it must be 1 ms to 10 minutes",
        ),
        (
            all().with_statement_timeout(Duration::ZERO),
            "`statement_timeout` is 0 ms, it must be 10 ms to 10 minutes",
        ),
        (
            all().with_lock_timeout(Duration::ZERO),
            "`lock_timeout` is 0 ms, it must be 1 ms to 10 minutes",
        ),
        (
            all().with_answer_timeout(secs(5)),
            "`answer_timeout` is 5 s, it must be 5,001 ms to 20 minutes",
        ),
        (
            all().with_ping_after_idle(secs(3_601)),
            "`ping_after_idle` is 3,601 s, it must be at most 1 hour",
        ),
        (
            all().with_remembered_entities(1),
            "`remembered_entities` is 1, it must be 1,000 to 100,000,000",
        ),
    ] {
        reported(&mut walked, &settings.problems(), expected);
    }
    walked_all(&all(), walked, &["migrate", "transaction_pooling"]);
}
