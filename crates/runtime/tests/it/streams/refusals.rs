//! What cannot be appended is refused with what is wrong with it, and nothing of it is stored.

use super::{KIND, amounts, append, appending, at, booked, ledger};
use crate::{
    note::notes,
    rig::{Rig, accounts, assert_is, key},
};
use actum_model::{EntityKey, Metadata};
use actum_persistence::serializer::SizeLimits;
use actum_runtime::{AppendError, AppendOptions, Expected, settings::RuntimeSettings};

fn invalid(error: &AppendError) -> String {
    assert!(!error.is_transient() && !error.maybe_appended());
    assert_is!(error, AppendError::Invalid { .. });
    error.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_the_engine_runs_as_entities_takes_no_events_of_others() {
    let rig = Rig::new();
    let kinds = vec![accounts(), notes()];
    let engine = rig.start_with(kinds, RuntimeSettings::default()).await;
    for kind in ["account", "note"] {
        let writer = engine.stream_writer(Ok(key(kind, "a")));
        for expected in [Expected::NEW, Expected::Any] {
            let why = invalid(&append(&writer, expected, [1]).await.unwrap_err());
            let starts = format!("invalid: `{kind}` is a kind of entity that this engine runs: ");
            assert!(why.starts_with(&starts), "{why}");
        }
        assert_is!(writer.turn(writer.deadline(None)).await, Err(AppendError::Invalid { .. }));
        assert_eq!(rig.stored(kind, "a").await.len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_no_stream_can_have_is_invalid() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let long = "x".repeat(10_000);
    for (kind, id) in [("", "a"), ("led\0ger", "a"), (KIND, ""), (KIND, &*long)] {
        let name = EntityKey::new(kind.to_owned(), id);
        let expected = format!("invalid: {}", name.as_ref().unwrap_err());
        let writer = engine.stream_writer(name);
        let why = invalid(&append(&writer, Expected::NEW, [1]).await.unwrap_err());
        assert_eq!(why, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn no_events_too_many_and_too_large_ones_are_invalid() {
    let limits = SizeLimits::default()
        .with_payload_bytes_max(10)
        .with_metadata_bytes_max(50)
        .with_append_bytes_max(60)
        .with_append_events_max(20);
    let rig = Rig::new();
    let engine = rig.start_set(RuntimeSettings::default().with_size_limits(limits)).await;
    let a = ledger(&engine, "a");
    let refused =
        async |amounts: Vec<u64>| invalid(&append(&a, Expected::NEW, amounts).await.unwrap_err());
    assert_eq!(
        refused(vec![]).await,
        "invalid: an append stores at least one event, this one has none"
    );
    assert_eq!(
        refused(vec![1; 21]).await,
        "invalid: one append may store at most 20 events, this one has 21"
    );
    assert_eq!(
        refused(vec![12_345_678_901]).await,
        "invalid: `booked` has 11 bytes, a payload may have at most 10"
    );
    assert_eq!(
        refused(vec![1_234_567_890; 7]).await,
        "invalid: one append may store at most 60 bytes, this one has 70"
    );
    let metadata = Metadata::new().with_header("a", "x".repeat(50));
    let options = AppendOptions { metadata, ..AppendOptions::default() };
    let error = a.append(Expected::NEW, &booked([1]), &options).await.unwrap_err();
    assert!(invalid(&error).starts_with("invalid: the metadata has "));
    let last = append(&a, at(i64::MAX as u64), [1]).await.unwrap_err();
    assert_eq!(invalid(&last), "invalid: ledger/a: its sequence numbers would pass 2^63 - 1");
    let past = append(&a, at(u64::MAX), [1]).await.unwrap_err();
    assert_eq!(invalid(&past), "invalid: ledger/a: its sequence numbers would pass 2^63 - 1");
    append(&a, Expected::NEW, vec![1; 20]).await.unwrap();
    append(&a, at(20), vec![1_234_567_890; 6]).await.unwrap();
    assert_eq!(amounts(&rig, "a").await.len(), 26);
    assert_eq!(engine.usage().commands, 0);
}

#[tokio::test(start_paused = true)]
async fn an_append_with_no_time_left_is_not_begun() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = ledger(&engine, "a");
    let late = super::appending_within(&a, Expected::NEW, 1, std::time::Duration::ZERO);
    assert_is!(late.await.unwrap(), Err(AppendError::Timeout { maybe_appended: false }));
    appending(&a, Expected::NEW, 2).await.unwrap().unwrap();
    assert_eq!(amounts(&rig, "a").await, [2]);
}
