use super::{
    Consumer, Subscription, SubscriptionError,
    consumer::ConsumerOf,
    consumer_group::{ConsumerGroup, GroupParts, Joined},
    group_place::GroupPlace,
    group_work::GroupWork,
    lane_follower::LaneFollower,
    member::Member,
    subscription::subscription_id,
    subscription_status::SubscribedHere,
    transient::Transient,
};
use crate::{
    definition::ProjectionSettings,
    feed::{Feed, LazyFeed},
    service::{
        JointRenewals, JournalPlaces, ProjectionRef, ProjectionRegistration, ProjectionService,
        Runner, ServicePhase, SharedProjection, enter, start_offset,
    },
};
use actum_model::Offset;
use actum_persistence::{
    progress::{ProgressStore, ReadProgress},
    store::{EventFilter, StoreError},
};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Weak},
};
use tokio::sync::{self, OnceCell, watch};

/// The subscriptions of an engine. Cheap to clone.
#[derive(Clone)]
pub struct SubscriptionService {
    parts: Arc<SubscriptionParts>,
}

struct SubscriptionParts {
    runner: Arc<str>,
    progress: Arc<dyn ProgressStore>,
    feed: LazyFeed,
    renewals: JointRenewals,
    places: Arc<dyn JournalPlaces>,
    /// Whether all readers are asked to end; known from the first transient subscription on.
    ending: OnceCell<watch::Receiver<bool>>,
    /// Durable subscriptions that have consumers here, by their names.
    groups: Mutex<HashMap<String, Arc<ConsumerGroup>>>,
    /// Held while one begins.
    begins: sync::Mutex<()>,
}

impl SubscriptionService {
    /// Subscriptions that read the journal together with these projections, and take their places among its readers.
    pub fn beside(projections: &ProjectionService, places: Arc<dyn JournalPlaces>) -> Self {
        let parts = SubscriptionParts {
            runner: Arc::clone(&projections.runner),
            progress: Arc::clone(&projections.progress),
            feed: projections.feed.clone(),
            renewals: projections.renewals.clone(),
            places,
            ending: OnceCell::new(),
            groups: Mutex::default(),
            begins: sync::Mutex::default(),
        };
        Self { parts: Arc::new(parts) }
    }

    /// Begins a subscription, or joins one that has consumers: those of one engine have the same sources, manifests and
    /// settings, except where it begins, and the [key](Subscription::affinity_by) of the first.
    ///
    /// # Errors
    /// [`SubscriptionError`]: it is not valid, the engine was shut down, or the store failed; a durable one differs from what is
    /// kept of it, or from its consumers here, or has as many of these as it may have.
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
        let of = match subscription.name.clone() {
            Some(name) => ConsumerOf::Durable(Box::new(self.join(&name, subscription).await?)),
            None => ConsumerOf::Transient(Box::new(self.transient(subscription).await?)),
        };
        Ok(Consumer { of })
    }

    async fn transient<T: 'static>(
        &self,
        subscription: Subscription<T>,
    ) -> Result<Transient<T>, SubscriptionError> {
        let ending = self.ending().await?;
        let feed = self.parts.feed.get().await?;
        let filter = checked(subscription.filter(feed.events().layout()))?;
        let heads = feed.events().heads().await?;
        let start = start_offset(&**feed.events(), &subscription.settings.start_at, &heads).await;
        let start = start.map_err(not_begun)?;
        let limit = subscription.settings.page_limit();
        let progress = ReadProgress::behind(start.clone());
        let follower = LaneFollower::new(Arc::clone(&feed), filter, limit, progress);
        Ok(Transient::new(subscription, follower, start, ending))
    }

    async fn join<T: 'static>(
        &self,
        name: &str,
        subscription: Subscription<T>,
    ) -> Result<Member<T>, SubscriptionError> {
        let _begins = self.parts.begins.lock().await;
        let sources = subscription.kept_sources();
        let beginning =
            |group: &ConsumerGroup| Offset::beginning(group.shared().feed.events().layout().lanes);
        loop {
            let group = self.parts.groups.lock().get(name).cloned();
            let Some(group) = group else { break };
            if group.sources != sources {
                return Err(differs(name, &group.sources, &sources));
            }
            if !group.is_like(&subscription) && !group.is_ending() {
                return Err(differs_here(name));
            }
            match group.join() {
                Joined::As(nr, waker) => {
                    let offset = beginning(&group);
                    return Ok(Member::new(subscription, group, (nr, waker), offset));
                }
                Joined::TooMany => {
                    let max = group.state().machine.consumers_max();
                    return Err(SubscriptionError::TooManyConsumers { name: name.to_owned(), max });
                }
                Joined::Ending => group.wait_for_end().await,
            }
            self.parts.groups.lock().remove(name);
        }
        let (group, place, offset) = self.begin(name, &subscription, sources).await?;
        let Joined::As(nr, waker) = group.join() else { return Err(SubscriptionError::Ended) };
        let member = Member::new(subscription, Arc::clone(&group), (nr, waker), offset);
        self.run(name, &group, place);
        Ok(member)
    }

    /// A group that runs as soon as it has a consumer.
    async fn begin<T: 'static>(
        &self,
        name: &str,
        subscription: &Subscription<T>,
        sources: Vec<String>,
    ) -> Result<(Arc<ConsumerGroup>, GroupPlace, Offset), SubscriptionError> {
        // it has entered before what is kept is read, so that retention deletes nothing in between
        let place = self.parts.places.enter(name, true).ok_or(SubscriptionError::Ended)?;
        let feed = self.parts.feed.get().await?;
        let settings = &subscription.settings;
        let parts = GroupParts {
            name: name.into(),
            sources: sources.clone(),
            filter: checked(subscription.filter(feed.events().layout()))?,
            settings: settings.clone(),
            affinity: Arc::clone(&subscription.affinity),
        };
        let group = ConsumerGroup::new(parts);
        let work = Arc::downgrade(&group);
        let shared = self.shared(name, feed, sources, settings.claiming(), work)?;
        group.share(Arc::clone(&shared));
        let stored = enter(&shared).await.map_err(not_begun)?.stored;
        if stored.sources != group.sources {
            return Err(differs(name, &stored.sources, &group.sources));
        }
        if stored.layout != shared.feed.events().layout() {
            let what = format!(
                "what is kept of the subscription `{name}` is of another journal: delete it, or choose another name"
            );
            return Err(SubscriptionError::Differs { what });
        }
        let mut offset = Offset::beginning(stored.layout.lanes);
        if let Some(segment) = stored.segments.first() {
            offset.clone_from(segment.progress.offset());
            segment.stopped.iter().for_each(|why| group.stopped(why));
        }
        let place = GroupPlace { place, group: Arc::clone(&group) };
        Ok((group, place, offset))
    }

    /// Runs a group until it ends.
    fn run(&self, name: &str, group: &Arc<ConsumerGroup>, place: GroupPlace) {
        self.parts.groups.lock().insert(name.to_owned(), Arc::clone(group));
        let shared = Arc::clone(group.shared());
        let (me, renewals) = (Arc::clone(&self.parts.runner), self.parts.renewals.clone());
        let runner = Runner::new(Arc::clone(&shared), me, renewals);
        let (group, parts, name) =
            (Arc::clone(group), Arc::downgrade(&self.parts), name.to_owned());
        // it ends when its place says so, and the engine waits for that
        tokio::spawn(async move {
            let running = tokio::spawn(runner.run(Arc::new(place))).await;
            shared.set_ended();
            let failed = match (running, shared.phase()) {
                (Err(_), _) => Some("the task of the subscription has ended".into()),
                (Ok(()), ServicePhase::Failed(why)) => Some(why),
                (Ok(()), _) => None,
            };
            if let Some(parts) = parts.upgrade() {
                let mut groups = parts.groups.lock();
                if groups.get(&name).is_some_and(|known| Arc::ptr_eq(known, &group)) {
                    groups.remove(&name);
                }
            }
            group.ended(failed);
        });
    }

    fn shared(
        &self,
        name: &str,
        feed: Arc<Feed>,
        sources: Vec<String>,
        settings: ProjectionSettings,
        group: Weak<ConsumerGroup>,
    ) -> Result<Arc<SharedProjection>, StoreError> {
        let id = subscription_id(name).map_err(StoreError::invalid)?;
        let registration = ProjectionRegistration {
            name: id.name().to_owned(),
            sources,
            kinds: Vec::new(),
            settings,
            work: Arc::new(GroupWork(group)),
        };
        let progress = Arc::clone(&self.parts.progress);
        Ok(Arc::new(SharedProjection::new(id, registration, progress, feed)))
    }

    /// What is kept of a subscription.
    pub(super) async fn kept(&self, name: &str) -> Result<ProjectionRef, StoreError> {
        let group = self.parts.groups.lock().get(name).cloned();
        let shared = match group {
            Some(group) => Arc::clone(group.shared()),
            None => {
                let (feed, settings) =
                    (self.parts.feed.get().await?, ProjectionSettings::default());
                let shared = self.shared(name, feed, Vec::new(), settings, Weak::new())?;
                shared.set_phase(ServicePhase::Running);
                shared
            }
        };
        let (name, version) = (shared.id.name(), shared.id.version());
        let versions = vec![Arc::clone(&shared)];
        Ok(ProjectionRef::new(name, versions, Some(version), &self.parts.runner))
    }

    /// What this process has of a subscription.
    pub(super) fn here(&self, name: &str) -> SubscribedHere {
        let Some(group) = self.parts.groups.lock().get(name).cloned() else {
            return SubscribedHere::default();
        };
        let machine = &group.state().machine;
        SubscribedHere {
            consumers: machine.consumers(),
            in_flight: machine.in_flight(),
            held_bytes: machine.bytes(),
        }
    }

    /// Forgets a durable subscription, whether anyone has subscribed or not: consumers that it has are ended by an error.
    ///
    /// # Errors
    /// [`SubscriptionError::Store`] when the store fails.
    pub async fn delete(&self, name: &str) -> Result<(), SubscriptionError> {
        let id = match subscription_id(name) {
            Ok(id) => id,
            Err(problem) => return Err(SubscriptionError::Invalid { problems: vec![problem] }),
        };
        self.parts.progress.delete(&id).await?;
        let group = self.parts.groups.lock().get(name).cloned();
        if let Some(group) = group {
            group.shared().poke.notify_one();
            group.wait_for_end().await;
        }
        Ok(())
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

fn checked(filter: EventFilter) -> Result<EventFilter, SubscriptionError> {
    filter.check().map_err(not_begun)?;
    Ok(filter)
}

fn not_begun(error: StoreError) -> SubscriptionError {
    match error {
        StoreError::Invalid { what } => SubscriptionError::Invalid { problems: vec![what] },
        error => SubscriptionError::Store(error),
    }
}

fn differs_here(name: &str) -> SubscriptionError {
    let what = format!(
        "the subscription `{name}` has consumers here with other settings or manifests: use the same for all of them, or end those \
         first"
    );
    SubscriptionError::Differs { what }
}

fn differs(name: &str, kept: &[String], now: &[String]) -> SubscriptionError {
    let what = format!(
        "the subscription `{name}` was begun with the sources {kept:?} and has {now:?} now: delete it, so that it begins again, or \
         choose another name"
    );
    SubscriptionError::Differs { what }
}

impl fmt::Debug for SubscriptionService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionService").finish_non_exhaustive()
    }
}
