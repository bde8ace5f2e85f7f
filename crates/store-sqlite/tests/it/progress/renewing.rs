//! Many projections are renewed and loaded together, and what is damaged of one is no error of another.

use super::sample::{Place, id, new_projection};
use actum_persistence::{
    progress::{ExactTarget, KeepsProgress, ProgressStore, RunnerRenewal, StoredProjection},
    store::StoreError,
};
use actum_store_sqlite::{SqliteStore, SqliteTarget};
use sqlx::{Connection, SqliteConnection};
use std::{path::Path, sync::Arc};

async fn damage(path: &Path, text: &'static str) {
    let url = format!("sqlite://{}", path.display());
    let mut foreign = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query(text).execute(&mut foreign).await.unwrap();
    foreign.close().await.unwrap();
}

fn runners(answer: &Result<Option<StoredProjection>, StoreError>) -> Vec<(&str, u64)> {
    let stored = answer.as_ref().unwrap().as_ref().unwrap();
    stored.runners.iter().map(|row| (&*row.name, row.renewal)).collect()
}

#[tokio::test]
async fn what_is_damaged_of_one_projection_is_no_error_of_another() {
    for text in [
        "UPDATE actum_segments SET progress = 'far' WHERE name = 'one'",
        "UPDATE actum_segments SET last_partition = -1 WHERE name = 'one'",
        "UPDATE actum_runners SET renewal = -7 WHERE name = 'one'",
        "UPDATE actum_projections SET lanes = 0 WHERE name = 'one'",
        "UPDATE actum_projections SET sources = '{' WHERE name = 'one'",
    ] {
        let place = Place::new();
        let store: Arc<dyn ProgressStore> = place.target().await.progress();
        for name in ["one", "other"] {
            store.enter(&new_projection(name)).await.unwrap();
        }
        let renewals = ["other", "one"].map(|name| RunnerRenewal::new(id(name), "a"));
        store.renew_and_load(&renewals).await.unwrap();
        damage(&place.path(), text).await;
        let answers = store.renew_and_load(&renewals).await.unwrap();
        assert_eq!(runners(&answers[0]), [("a", 2)], "{text}");
        let Err(StoreError::Corrupt { what }) = &answers[1] else {
            panic!("{text}: {:?}", answers[1])
        };
        assert!(what.contains("one"), "{what}");
        let loaded = store.load_all(&[id("one"), id("other")]).await.unwrap();
        assert!(matches!(loaded[0], Err(StoreError::Corrupt { .. })), "{text}");
        assert_eq!(runners(&loaded[1]), [("a", 2)], "{text}");
        store.close().await;
    }
}

#[tokio::test]
async fn a_journal_and_its_targets_are_one_place_and_a_file_that_is_opened_twice_is_two() {
    let place = Place::new();
    let store = SqliteStore::open(place.path()).await.unwrap();
    let of = |target: &SqliteTarget| target.progress().place();
    let target = SqliteTarget::of(&store);
    assert!(of(&target).is_some());
    assert_eq!(of(&target), of(&target.clone()));
    assert_eq!(of(&target), of(&SqliteTarget::of(&store)));
    assert_eq!(of(&target), store.progress().place());
    let other = Place::new();
    let (first, second) = (other.target().await, other.target().await);
    assert_ne!(of(&first), of(&second), "each is closed by itself");
    for target in [first, second] {
        target.close().await;
    }
    store.close().await;
}
