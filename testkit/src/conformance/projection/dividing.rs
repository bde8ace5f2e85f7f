//! The segments of a projection are divided otherwise while it runs.

use super::counting::{COUNTS, Counting, status, until_all_is_kept};
use crate::conformance::{
    StoreFixture,
    readers::{ReaderProcess, WrittenJournal, tally},
};
use std::num::NonZeroU16;

/// However a projection is divided while events come: each is handled once, in the order of its entity.
pub async fn segments_are_split_and_merged_while_events_come(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    let ids: Vec<_> = (0..16).map(|nr| nr.to_string()).collect();
    let counting = Counting::default();
    let run =
        async |name| ReaderProcess::run(fixture, name, vec![counting.projection().into()]).await;
    let (process, other) = (run("a@1").await, run("b@1").await);
    for segments in [6, 2, 3] {
        let projection = process.projection(COUNTS);
        let count = NonZeroU16::new(segments).expect("it is not zero");
        let dividing = tokio::spawn(async move { projection.divide(count).await });
        while !dividing.is_finished() {
            for id in &ids {
                journal.write(&tally(id), 1).await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let divided = dividing.await.expect("it goes through");
        assert_eq!(divided.expect("it can be divided"), usize::from(segments));
        assert_eq!(status(&other.projection(COUNTS)).await.segments.len(), usize::from(segments));
    }
    until_all_is_kept(&other.projection(COUNTS), journal.events).await;
    let heads = ids.iter().map(|id| (id.clone(), journal.head_of(&tally(id)))).collect();
    assert_eq!(counting.heads(), heads);
    counting.assert_once();
    process.end().await;
    other.end().await;
}
