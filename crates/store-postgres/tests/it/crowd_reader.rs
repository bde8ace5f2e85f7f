use crate::reader::text_of;
use actum_model::{Lane, Offset, Position};
use actum_persistence::store::{EventFilter, EventStore, JournalEvent, PageLimit, StoreError};
use actum_store_postgres::PostgresStore;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle, time::sleep};

/// Follows all lanes of a journal, and keeps what it sees.
pub(crate) struct Reader {
    end: watch::Sender<Option<Offset>>,
    lanes: Vec<JoinHandle<Vec<String>>>,
}

/// What the events of each lane carry, in their order.
pub(crate) fn seen(events: &[JournalEvent]) -> Vec<Vec<String>> {
    let lanes = events.chunk_by(|a, b| a.event.position < b.event.position);
    lanes.map(|lane| lane.iter().map(text_of).collect()).collect()
}

impl Reader {
    pub(crate) fn start(store: &Arc<PostgresStore>) -> Self {
        let (end, _) = watch::channel(None);
        let lanes = store.layout().lanes.iter();
        let lanes =
            lanes.map(|lane| tokio::spawn(follow(Arc::clone(store), lane, end.subscribe())));
        Self { lanes: lanes.collect(), end }
    }

    /// Waits until it has come to `end`, and says what it has seen of each lane.
    pub(crate) async fn end(self, end: Offset) -> Vec<Vec<String>> {
        self.end.send(Some(end)).unwrap();
        let mut seen = Vec::new();
        for lane in self.lanes {
            seen.push(lane.await.unwrap());
        }
        seen
    }
}

async fn follow(
    store: Arc<PostgresStore>,
    lane: Lane,
    end: watch::Receiver<Option<Offset>>,
) -> Vec<String> {
    let (filter, limit) = (EventFilter::default(), PageLimit::default());
    let (mut seen, mut at) = (Vec::new(), Position::ZERO);
    loop {
        let is_at_end = end.borrow().as_ref().is_some_and(|end| end.position(lane) == at);
        if is_at_end {
            return seen;
        }
        let page = match store.read_lane(lane, at, &filter, limit).await {
            Ok(page) => page,
            Err(StoreError::Unavailable { .. }) => {
                sleep(Duration::from_millis(5)).await;
                continue;
            }
            Err(error) => panic!("{error:?}"),
        };
        for event in page.events {
            assert_eq!(event.event.position.get(), at.get() + 1, "lane {lane} has a hole");
            at = event.event.position;
            seen.push(text_of(&event));
        }
        assert_eq!(page.read_to, at, "lane {lane}");
        sleep(Duration::from_millis(2)).await;
    }
}
