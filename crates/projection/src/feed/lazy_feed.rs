use super::{Feed, FeedSettings};
use actum_persistence::{
    commits::Commits,
    store::{EventStore, StoreError},
};
use std::{fmt, sync::Arc};
use tokio::sync::OnceCell;

/// A feed that begins to follow its journal when someone reads it for the first time. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct LazyFeed(Arc<LazyParts>);

struct LazyParts {
    events: Arc<dyn EventStore>,
    commits: Option<Commits>,
    settings: FeedSettings,
    feed: OnceCell<Arc<Feed>>,
}

impl LazyFeed {
    pub(crate) fn new(
        events: Arc<dyn EventStore>,
        commits: Option<Commits>,
        settings: FeedSettings,
    ) -> Self {
        Self(Arc::new(LazyParts { events, commits, settings, feed: OnceCell::new() }))
    }

    /// The feed, which follows the journal from now on.
    pub(crate) async fn get(&self) -> Result<Arc<Feed>, StoreError> {
        let LazyParts { events, commits, settings, feed } = &*self.0;
        let start = || async {
            let heads = events.heads().await?;
            Ok(Feed::start(Arc::clone(events), commits.clone(), heads, *settings))
        };
        feed.get_or_try_init(start).await.map(Arc::clone)
    }
}

impl fmt::Debug for LazyFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyFeed").field("feed", &self.0.feed.get()).finish_non_exhaustive()
    }
}
