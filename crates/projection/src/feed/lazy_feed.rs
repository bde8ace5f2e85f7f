use super::{Announced, Feed, FeedSettings};
use actum_persistence::store::{EventStore, StoreError};
use std::{fmt, sync::Arc};
use tokio::sync::OnceCell;

/// A feed that begins to follow its journal when it is read for the first time. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct LazyFeed(Arc<LazyParts>);

struct LazyParts {
    events: Arc<dyn EventStore>,
    followed: Announced,
    settings: FeedSettings,
    feed: OnceCell<Arc<Feed>>,
}

impl LazyFeed {
    pub(crate) fn new(
        events: Arc<dyn EventStore>,
        followed: Announced,
        settings: FeedSettings,
    ) -> Self {
        Self(Arc::new(LazyParts { events, followed, settings, feed: OnceCell::new() }))
    }

    /// The feed, which follows the journal from now on.
    pub(crate) async fn get(&self) -> Result<Arc<Feed>, StoreError> {
        let LazyParts { events, followed, settings, feed } = &*self.0;
        let start = || async {
            let heads = events.heads().await?;
            Ok(Feed::start(Arc::clone(events), followed.clone(), heads, settings.clone()))
        };
        feed.get_or_try_init(start).await.map(Arc::clone)
    }
}

impl fmt::Debug for LazyFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyFeed").field("feed", &self.0.feed.get()).finish_non_exhaustive()
    }
}
