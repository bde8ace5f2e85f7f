//! What handlers do who have the file for themselves: what waits comes between two of them, and it is said when they had it.

use super::sample::{OPEN_MAX, Place, id, new_projection};
use actum_persistence::progress::{ExactTarget, ProgressChange, ProgressStore, TargetHold};
use actum_store_sqlite::{SqliteStore, SqliteTarget};
use futures_util::FutureExt;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

async fn open(place: &Place, is_of_journal: bool) -> SqliteTarget {
    match is_of_journal {
        true => SqliteTarget::of(&SqliteStore::open(place.path()).await.unwrap()),
        false => place.target().await,
    }
}

#[tokio::test]
async fn a_renewal_that_waits_comes_between_two_handlers_that_came_before_it() {
    for is_of_journal in [false, true] {
        let place = Place::new();
        let target = open(&place, is_of_journal).await;
        let progress = target.progress();
        progress.enter(&new_projection("rows")).await.unwrap();
        let first = target.begin(OPEN_MAX).await.unwrap();
        let mut second = pin!(target.begin(OPEN_MAX));
        assert!(second.as_mut().now_or_never().is_none());
        let rows = id("rows");
        let mut renewal = pin!(progress.renew(&rows, "a@1", &[]));
        assert!(renewal.as_mut().now_or_never().is_none());
        target.rollback(first).await;
        timeout(PATIENCE, renewal).await.expect("it waits for one handler only").unwrap();
        target.rollback(second.await.unwrap()).await;
        target.close().await;
    }
}

#[tokio::test]
async fn it_is_said_when_handlers_had_the_file_for_themselves() {
    for is_of_journal in [false, true] {
        let place = Place::new();
        let target = open(&place, is_of_journal).await;
        let progress: Arc<dyn ProgressStore> = target.progress();
        progress.enter(&new_projection("rows")).await.unwrap();
        assert_eq!(progress.last_holds(), [], "no handler has");
        let tx = target.begin(OPEN_MAX).await.unwrap();
        let open = progress.last_holds();
        assert!(matches!(open[..], [TargetHold { ended: None, .. }]), "{open:?}");
        while progress.last_holds()[0].lasted() < TargetHold::SHORT {
            tokio::task::yield_now().await;
        }
        target.commit(tx, &ProgressChange::Nothing).await.unwrap();
        let ended = progress.last_holds();
        assert!(ended.len() == 1 && ended[0].since == open[0].since && ended[0].ended.is_some());
        // one that is dropped ends, too, and a short one is not remembered
        let tx = target.begin(OPEN_MAX).await.unwrap();
        let both = progress.last_holds();
        assert!(both.len() == 2 && both[0] == ended[0] && both[1].ended.is_none(), "{both:?}");
        drop(tx);
        assert_eq!(progress.last_holds()[0].since, ended[0].since);
        assert_eq!(progress.last_holds().len(), 1);
        target.close().await;
    }
}
