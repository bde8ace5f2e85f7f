use super::journal::{Journal, append, is_stored, resolve};
use crate::failing::failure;
use actum_persistence::store::{DurableStateStore, StoreError};
use actum_testkit::{Faults, Operation, Rates};
use std::collections::BTreeSet;

/// What becomes of a hundred appends to one entity each, with these rates and this seed.
async fn story(seed: u64, rates: Rates) -> Vec<&'static str> {
    let journal = Journal::new().await;
    journal.faults.chance(seed, rates);
    let mut story = Vec::new();
    for nr in 0..100 {
        let id = nr.to_string();
        let batch = journal.batch(vec![append(&id, 0, nr, &["x"])]);
        let answer = journal.append(&batch).await;
        let stored = journal.texts(&id).await.len();
        story.push(match (answer, stored) {
            (Ok(outcomes), 1) if super::journal::is_appended(&outcomes[0]) => "stored",
            (Ok(_), 1) => "conflict",
            (Err(StoreError::Unavailable { .. }), 0) => "unavailable",
            (Err(StoreError::OutcomeUnknown { .. }), 1) => "unknown, stored",
            (Err(StoreError::OutcomeUnknown { .. }), 0) => {
                if is_stored(&resolve(&journal, &batch).await.unwrap()[0]) {
                    "unknown, stored late"
                } else {
                    "unknown, not stored"
                }
            }
            other => panic!("seed {seed}: {other:?}"),
        });
    }
    story
}

fn all_rates() -> Rates {
    Rates::default()
        .with_writes_fail(0.2)
        .with_writes_unknown(0.4)
        .with_writes_foreign(0.3)
        .with_delayed(0.5)
}

#[tokio::test]
async fn the_same_seed_gives_the_same_story() {
    for seed in 0..5 {
        assert_eq!(story(seed, all_rates()).await, story(seed, all_rates()).await, "seed {seed}");
    }
    assert_ne!(story(1, all_rates()).await, story(2, all_rates()).await);
}

#[tokio::test]
async fn everything_that_has_a_rate_happens() {
    let mut seen = BTreeSet::new();
    for seed in 0..5 {
        seen.extend(story(seed, all_rates()).await);
    }
    let all = [
        "conflict",
        "stored",
        "unavailable",
        "unknown, not stored",
        "unknown, stored",
        "unknown, stored late",
    ];
    assert!(seen.iter().eq(&all), "{seen:?}");
}

#[tokio::test]
async fn a_rate_of_zero_never_hits_and_of_one_always() {
    assert!(
        story(7, Rates::default().with_delayed(1.0)).await.iter().all(|answer| *answer == "stored")
    );
    assert!(
        story(7, Rates::default().with_writes_fail(1.0))
            .await
            .iter()
            .all(|answer| *answer == "unavailable")
    );
}

#[tokio::test]
async fn reads_resolutions_and_snapshots_fail_at_their_rates() {
    let journal = Journal::new().await;
    journal.append(&journal.batch(vec![append("a", 0, 1, &["1"])])).await.unwrap();
    journal.save_snapshot("a", 1).await;
    let rates =
        Rates::default().with_reads_fail(1.0).with_resolves_fail(1.0).with_snapshots_fail(1.0);
    journal.faults.chance(1, rates);
    assert!(journal.read("a").await.is_err());
    assert!(DurableStateStore::command_records(&journal.store, &[]).await.is_err());
    assert!(DurableStateStore::commands_before(&journal.store, &[]).await.is_err());
    assert!(resolve(&journal, &journal.batch(vec![append("a", 0, 1, &["1"])])).await.is_err());
    assert!(actum_persistence::store::SnapshotStore::save(&journal.store, &[]).await.is_err());
    journal.faults.chance(1, Rates::default().with_snapshots_damaged(1.0));
    for _ in 0..20 {
        let (snapshot, events) = journal.recover("a").await;
        let unreadable =
            snapshot.is_some_and(|snapshot| snapshot.state.decode::<String>().is_err());
        assert!(unreadable || events.len() == 1);
    }
    assert_eq!(journal.faults.calls(Operation::Recover), 20);
}

#[test]
fn a_rate_is_between_0_and_1() {
    for rate in [-0.1, 1.1, f64::NAN] {
        let text = failure(|| Faults::new().chance(0, Rates::default().with_reads_fail(rate)));
        assert!(text.starts_with("a rate is between 0 and 1"), "{text}");
    }
}
