use super::{
    Consumer, Subscription, SubscriptionError, lane_follower::LaneFollower, transient::Transient,
};
use crate::{
    feed::LazyFeed,
    service::{JournalPlaces, ProjectionService, start_offset},
};
use actum_persistence::{progress::ReadProgress, store::StoreError};
use std::{fmt, sync::Arc};
use tokio::sync::{OnceCell, watch};

/// The subscriptions of an engine. Cheap to clone.
#[derive(Clone)]
pub struct SubscriptionService {
    parts: Arc<SubscriptionParts>,
}

struct SubscriptionParts {
    feed: LazyFeed,
    places: Arc<dyn JournalPlaces>,
    /// Whether all readers are asked to end; known once someone has subscribed.
    ending: OnceCell<watch::Receiver<bool>>,
}

impl SubscriptionService {
    /// Subscriptions that read the journal together with these projections, and take their places among its readers.
    pub fn beside(projections: &ProjectionService, places: Arc<dyn JournalPlaces>) -> Self {
        let (feed, ending) = (projections.feed.clone(), OnceCell::new());
        Self { parts: Arc::new(SubscriptionParts { feed, places, ending }) }
    }

    /// Begins a subscription.
    ///
    /// # Errors
    /// [`SubscriptionError`]: it is not valid, the engine was shut down, or the store failed.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn subscribe<T: 'static>(
        &self,
        subscription: Subscription<T>,
    ) -> Result<Consumer<T>, SubscriptionError> {
        let problems = subscription.problems();
        if !problems.is_empty() {
            return Err(SubscriptionError::Invalid { problems });
        }
        let ending = self.ending().await?;
        let feed = self.parts.feed.get().await?;
        let events = feed.events();
        let heads = events.heads().await?;
        let filter = subscription.filter(events.layout());
        let checked = filter.check();
        let start = match checked {
            Ok(()) => start_offset(&**events, &subscription.settings.start_at, &heads).await,
            Err(error) => Err(error),
        };
        let start = match start {
            Err(StoreError::Invalid { what }) => {
                return Err(SubscriptionError::Invalid { problems: vec![what] });
            }
            start => start?,
        };
        let limit = subscription.settings.page_limit();
        let progress = ReadProgress::behind(start.clone());
        let follower = LaneFollower::new(Arc::clone(&feed), filter, limit, progress);
        Ok(Consumer { transient: Transient::new(subscription, follower, start, ending) })
    }

    /// Says when all are asked to end.
    async fn ending(&self) -> Result<watch::Receiver<bool>, SubscriptionError> {
        let enter = || async {
            let place = self.parts.places.enter("transient subscriptions", false);
            let place = place.ok_or(SubscriptionError::Ended)?;
            let (ending, receiver) = watch::channel(false);
            // it ends when its place says so, and the engine waits for that
            tokio::spawn(async move {
                place.ending().await;
                ending.send_replace(true);
            });
            Ok::<_, SubscriptionError>(receiver)
        };
        let ending = self.parts.ending.get_or_try_init(enter).await?.clone();
        if *ending.borrow() { Err(SubscriptionError::Ended) } else { Ok(ending) }
    }
}

impl fmt::Debug for SubscriptionService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionService").finish_non_exhaustive()
    }
}
