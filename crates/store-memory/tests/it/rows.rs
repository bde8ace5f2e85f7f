//! Rows of transactions that meet.

use actum_model::{LaneCount, Offset, PartitionCount};
use actum_persistence::{
    progress::{
        Epoch, ExactTarget, NewProjection, ProgressChange, ProgressSave, ProjectionId,
        ReadProgress, SaveError, Segment,
    },
    store::{JournalLayout, StoreError},
};
use actum_store_memory::{MemoryRows, MemoryTarget, MemoryTransaction};
use std::{
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};

async fn target() -> (MemoryTarget, ProgressChange) {
    let start = Offset::beginning(LaneCount::default());
    let new = NewProjection {
        id: ProjectionId::new("balances", NonZeroU32::MIN).unwrap(),
        sources: Vec::new(),
        layout: JournalLayout::default(),
        segments: Segment::divide(PartitionCount::default(), NonZeroU16::MIN),
        live_from: start.clone(),
        start: start.clone(),
    };
    let target = MemoryTarget::new();
    target.progress().enter(&new).await.unwrap();
    let progress = ReadProgress::behind(start);
    let save = ProgressSave::nothing(new.id, new.segments[0], Epoch::default(), progress);
    (target, ProgressChange::Save(save))
}

async fn begin(target: &MemoryTarget) -> MemoryTransaction {
    target.begin(Duration::from_secs(10)).await.unwrap()
}

fn rows(tx: &mut MemoryTransaction) -> &mut MemoryRows {
    MemoryTarget::connection(tx)
}

/// Lets two transactions meet: both are open when the first one commits. Whether the second one is refused.
async fn is_refused(first: impl Fn(&mut MemoryRows), second: impl Fn(&mut MemoryRows)) -> bool {
    let (target, change) = target().await;
    let mut tx = begin(&target).await;
    rows(&mut tx).insert("a/1", *b"before");
    target.commit(tx, &change).await.unwrap();
    let (mut one, mut other) = (begin(&target).await, begin(&target).await);
    first(rows(&mut one));
    second(rows(&mut other));
    target.commit(one, &change).await.unwrap();
    let kept = target.rows("");
    let committed = target.commit(other, &change).await;
    match committed {
        Ok(()) => false,
        Err(SaveError::Store(StoreError::Unavailable { .. })) => {
            assert_eq!(target.rows(""), kept, "what was refused has kept something");
            true
        }
        Err(error) => panic!("it fails with {error}"),
    }
}

#[tokio::test]
async fn no_update_is_lost() {
    let write = |rows: &mut MemoryRows| rows.insert("a/1", *b"after");
    let remove = |rows: &mut MemoryRows| rows.remove("a/1");
    let read = |rows: &mut MemoryRows| drop(rows.get("a/1"));
    assert!(is_refused(write, write).await);
    assert!(is_refused(write, remove).await);
    assert!(is_refused(remove, write).await);
    assert!(is_refused(write, read).await);
    assert!(!is_refused(read, write).await);
}

#[tokio::test]
async fn a_list_that_has_changed_is_noticed() {
    let list = |rows: &mut MemoryRows| drop(rows.iter("a/"));
    let count = |rows: &mut MemoryRows| assert_eq!(rows.len(), 1);
    assert!(is_refused(|rows| rows.insert("a/2", *b"new"), list).await);
    assert!(is_refused(|rows| rows.remove("a/1"), list).await);
    assert!(is_refused(|rows| rows.insert("a/1", *b"after"), list).await);
    assert!(is_refused(|rows| rows.insert("b/1", *b"new"), count).await);
    assert!(!is_refused(|rows| rows.insert("b/1", *b"new"), list).await);
}

#[tokio::test]
async fn transactions_that_touch_other_rows_do_not_meet() {
    let one = |rows: &mut MemoryRows| rows.insert("a/2", *b"one");
    let other = |rows: &mut MemoryRows| rows.insert("a/3", *b"other");
    assert!(!is_refused(one, other).await);
}

#[tokio::test]
async fn a_transaction_sees_what_it_has_written() {
    let (target, change) = target().await;
    let mut tx = begin(&target).await;
    rows(&mut tx).insert("a/1", *b"one");
    rows(&mut tx).insert("a/2", *b"two");
    rows(&mut tx).insert("b/1", *b"three");
    target.commit(tx, &change).await.unwrap();
    let mut tx = begin(&target).await;
    let rows = rows(&mut tx);
    rows.remove("a/1");
    rows.insert("a/2", *b"other");
    rows.insert("a/0", *b"new");
    assert_eq!((rows.get("a/1"), rows.get("a/2")), (None, Some(b"other".to_vec())));
    let listed: Vec<_> = rows.iter("a/").collect();
    let expected = [("a/0", &b"new"[..]), ("a/2", b"other")];
    assert_eq!(listed, expected.map(|(key, bytes)| (key.to_owned(), bytes.to_vec())));
    assert_eq!((rows.len(), rows.is_empty()), (3, false));
    target.commit(tx, &change).await.unwrap();
    assert_eq!(target.rows("a/"), listed);
    assert_eq!(target.row("b/1").as_deref(), Some(&b"three"[..]));
}

#[test]
fn an_error_of_the_store_tells_that_trying_again_may_help() {
    #[derive(Debug, thiserror::Error)]
    #[error("a balance cannot be written")]
    struct Handler(#[source] StoreError);
    let away = StoreError::unavailable("writing", "the store is away");
    assert!(MemoryTarget::is_unavailable(&away));
    assert!(MemoryTarget::is_unavailable(&Handler(away)));
    let wrong = StoreError::invalid("the text is too long");
    assert!(!MemoryTarget::is_unavailable(&wrong));
    assert!(!MemoryTarget::is_unavailable(&Handler(wrong)));
}
