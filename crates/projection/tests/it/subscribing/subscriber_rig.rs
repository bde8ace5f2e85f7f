use crate::{
    projecting::{place::Place, runner_rig},
    rig::Rig,
};
use actum_projection::{
    Consumer, JournalPlace, JournalPlaces, ProjectionService, ServiceParts, SubscriptionService,
};
use actum_testkit::Faults;
use parking_lot::Mutex;
use std::sync::Arc;

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
    places: Vec<(String, Arc<Place>)>,
}

impl Places {
    /// Asks all of them to end.
    pub(crate) fn end(&self) {
        let mut entered = self.0.lock();
        entered.has_ended = true;
        entered.places.iter().for_each(|(_, place)| place.end());
    }
}

impl JournalPlaces for Places {
    fn enter(&self, name: &str, _needs_events: bool) -> Option<Arc<dyn JournalPlace>> {
        let mut entered = self.0.lock();
        if entered.has_ended {
            return None;
        }
        let place = Place::new();
        entered.places.push((name.to_owned(), Arc::clone(&place)));
        Some(place)
    }
}

impl Subscriber {
    pub(crate) async fn of(parts: ServiceParts) -> Self {
        let projections = ProjectionService::start(parts, Vec::new()).await.unwrap();
        let places = Arc::new(Places::default());
        let service = SubscriptionService::beside(&projections, Arc::clone(&places) as _);
        Self { service, places }
    }

    /// A process of its own over the journal of a rig.
    pub(crate) async fn new(rig: &Rig, name: &str, faults: &Faults) -> Self {
        Self::of(runner_rig::parts(rig, name, faults)).await
    }
}

/// The next `count` events.
pub(crate) async fn take<T: 'static>(consumer: &mut Consumer<T>, count: usize) -> Vec<T> {
    let mut all = Vec::new();
    while all.len() < count {
        all.push(consumer.next().await.unwrap().unwrap().into_event());
    }
    all
}
