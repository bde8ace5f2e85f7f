use crate::{
    account::Account,
    projecting::{place::Place, runner_rig},
    rig::{Rig, positions},
};
use actum_projection::{
    Consumer, JournalPlace, JournalPlaces, ProjectionService, Recorded, ServiceParts, Subscription,
    SubscriptionRef, SubscriptionService,
};
use actum_testkit::Faults;
use parking_lot::Mutex;
use std::{future::Future, sync::Arc, time::Duration};
use tokio::time::timeout;

/// A process that subscribes: what it has instead of an engine.
pub(crate) struct Subscriber {
    pub(crate) service: SubscriptionService,
    pub(crate) places: Arc<Places>,
}

/// Places among the readers of a journal that has no engine.
#[derive(Default)]
pub(crate) struct Places(Mutex<Entered>);

#[derive(Default)]
struct Entered {
    has_ended: bool,
    places: Vec<(String, Arc<Place>, bool)>,
}

impl Places {
    /// Asks all of them to end.
    pub(crate) fn end(&self) {
        let mut entered = self.0.lock();
        entered.has_ended = true;
        entered.places.iter().for_each(|(_, place, _)| place.end());
    }
}

impl Places {
    /// The last place of this name that needs events.
    pub(crate) fn of(&self, name: &str) -> Option<Arc<Place>> {
        let entered = self.0.lock();
        let mut of_name = entered.places.iter().filter(|place| place.0 == name && place.2);
        of_name.next_back().map(|(_, place, _)| Arc::clone(place))
    }
}

impl JournalPlaces for Places {
    fn enter(&self, name: &str, needs_events: bool) -> Option<Arc<dyn JournalPlace>> {
        let mut entered = self.0.lock();
        if entered.has_ended {
            return None;
        }
        let place = Place::new();
        entered.places.push((name.to_owned(), Arc::clone(&place), needs_events));
        Some(place)
    }
}

impl Subscriber {
    pub(crate) async fn of(parts: ServiceParts) -> Self {
        Self::beside(&ProjectionService::start(parts, Vec::new()).await.unwrap())
    }

    /// In the process that runs these projections.
    pub(crate) fn beside(projections: &ProjectionService) -> Self {
        let places = Arc::new(Places::default());
        let service = SubscriptionService::beside(projections, Arc::clone(&places) as _);
        Self { service, places }
    }

    /// What is kept of the subscription `mails`.
    pub(crate) fn mails(&self) -> SubscriptionRef {
        SubscriptionRef::new("mails", &self.service)
    }

    /// A process of its own over the journal of a rig.
    pub(crate) async fn new(rig: &Rig, name: &str, faults: &Faults) -> Self {
        Self::of(runner_rig::parts(rig, name, faults)).await
    }
}

/// An event, as tests compare it: its entity and its number.
pub(crate) type Seen = (String, u64);

pub(crate) fn seen<E>(event: &Recorded<E>) -> Seen {
    (event.entity.id().to_owned(), event.sequence_nr.get())
}

/// Events of an entity by their numbers.
pub(crate) fn numbers(id: &str, numbers: impl IntoIterator<Item = u64>) -> Vec<Seen> {
    numbers.into_iter().map(|nr| (id.to_owned(), nr)).collect()
}

/// The events of accounts, as a durable subscription; tests have events in flight for as long as they like.
pub(crate) fn mails() -> Subscription<Seen> {
    let mails = Subscription::durable("mails").ack_timeout(None);
    mails.from::<Account, _>(|event| Some(seen(&event)))
}

/// Whether nothing comes for a long time.
pub(crate) async fn is_idle(waiting: impl Future) -> bool {
    timeout(Duration::from_secs(120), waiting).await.is_err()
}

/// The next `count` events, each acknowledged.
pub(crate) async fn handle<T: 'static>(consumer: &mut Consumer<T>, count: usize) -> Vec<T> {
    let mut all = Vec::new();
    while all.len() < count {
        let delivered = consumer.next().await.unwrap().unwrap();
        delivered.ack().unwrap();
        all.push(delivered.into_event());
    }
    all
}

/// How far a subscription has come, by its status.
pub(crate) async fn read_to(subscriber: &Subscriber) -> Vec<u64> {
    positions(&subscriber.mails().status().await.unwrap().offset)
}

/// The next `count` events.
pub(crate) async fn take<T: 'static>(consumer: &mut Consumer<T>, count: usize) -> Vec<T> {
    let mut all = Vec::new();
    while all.len() < count {
        all.push(consumer.next().await.unwrap().unwrap().into_event());
    }
    all
}
