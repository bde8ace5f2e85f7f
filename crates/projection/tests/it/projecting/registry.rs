//! What is kept of readers of the journal holds back its events, whether someone runs them or not.

use super::{
    deliveries::Deliveries,
    place::Place,
    runner_rig::{Bad, run, until},
};
use crate::rig::{Rig, account, deposited};
use actum_model::{Lane, Position};
use actum_persistence::progress::{KeepsProgress, ProjectionId};
use actum_projection::{JournalPlace, JournalPlaces, OnFailure, Registry};
use actum_testkit::{Fault, FaultProgress, Faults, Operation};
use parking_lot::Mutex;
use std::{
    num::NonZeroU32,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::time::sleep;

const MINUTE: Duration = Duration::from_secs(60);

/// Places that show which of them are held.
#[derive(Default)]
struct Places(Mutex<Vec<Weak<Place>>>);

impl JournalPlaces for Places {
    fn enter(&self, _name: &str, needs_events: bool) -> Option<Arc<dyn JournalPlace>> {
        let place = Place::new();
        if needs_events {
            self.0.lock().push(Arc::downgrade(&place));
        }
        Some(place)
    }
}

impl Places {
    /// Behind which position events are held back; none if none are.
    fn held(&self) -> Option<Position> {
        let places = self.0.lock();
        let held = places.iter().filter_map(Weak::upgrade);
        held.map(|place| place.read_to(Lane::new(0))).min()
    }
}

fn id(name: &str) -> ProjectionId {
    ProjectionId::new(name, NonZeroU32::MIN).unwrap()
}

fn registry(rig: &Rig, faults: &Faults) -> Registry {
    let progress = FaultProgress::scripted(rig.store.progress(), faults).progress();
    Registry::new(Arc::new(rig.store.clone()), progress, "bank@9".into())
}

#[tokio::test(start_paused = true)]
async fn those_that_no_one_runs_hold_events_back_until_they_are_forgotten() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 4).await;
    for name in ["forgotten", "own"] {
        let running = run(&rig, "a@1", Deliveries::default().projection(name)).await;
        running.caught_up().await;
        running.end().await;
    }
    rig.append(&account("a"), 4, vec![deposited(1), deposited(1)]).await;
    let (places, registry) = (Arc::new(Places::default()), registry(&rig, &Faults::new()));
    let first = places.enter("all", true);
    let own = vec![id("own")];
    tokio::spawn(registry.clone().watch(own, Arc::clone(&places) as _, first));
    until("it is known", async || places.held() == Some(Position::new(4))).await;
    let listed = registry.list().await.unwrap();
    let facts: Vec<_> = listed
        .iter()
        .map(|one| (one.id.name(), one.lag, one.holds_back, one.is_forgotten()))
        .collect();
    assert_eq!(facts, [("forgotten", 2, 2, true), ("own", 2, 2, true)]);
    registry.forget(&id("forgotten")).await.unwrap();
    until("nothing is held back any more", async || places.held().is_none()).await;
    assert_eq!(registry.list().await.unwrap().len(), 1);
    registry.forget(&id("forgotten")).await.unwrap(); // there is nothing to do
}

#[tokio::test(start_paused = true)]
async fn those_that_are_run_are_not_forgotten_and_move_on() {
    let rig = Rig::new(1).await;
    let deliveries = Deliveries::default();
    let running = run(&rig, "shop@1", deliveries.projection("mails")).await;
    running.caught_up().await;
    let (places, registry) = (Arc::new(Places::default()), registry(&rig, &Faults::new()));
    tokio::spawn(registry.clone().watch(Vec::new(), Arc::clone(&places) as _, None));
    rig.deposit(&account("a"), 4).await;
    until("it has moved on", async || places.held() == Some(Position::new(4))).await;
    let refused = registry.forget(&id("mails")).await.unwrap_err().to_string();
    assert_eq!(refused, "`mails` is run by shop@1, or was less than a minute ago");
    // it dies: that shows when it has not renewed for a minute
    drop(running);
    let place = rig.faults.hold_next(Operation::RenewRunner, 1_000);
    sleep(MINUTE / 2).await;
    assert!(registry.forget(&id("mails")).await.is_err(), "it was seen alive just now");
    sleep(2 * MINUTE).await;
    assert!(registry.list().await.unwrap()[0].is_forgotten());
    registry.forget(&id("mails")).await.unwrap();
    drop(place);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_damaged_holds_everything_back_until_it_is_forgotten() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 4).await;
    let running = run(&rig, "a@1", Deliveries::default().projection("damaged")).await;
    running.caught_up().await;
    running.end().await;
    let (places, faults) = (Arc::new(Places::default()), Faults::new());
    faults.always(Operation::LoadProjection, Fault::damaged_projection(id("damaged")));
    let registry = registry(&rig, &faults);
    let first = places.enter("all", true);
    tokio::spawn(registry.clone().watch(Vec::new(), Arc::clone(&places) as _, first));
    sleep(MINUTE).await;
    assert_eq!(places.held(), Some(Position::ZERO), "it is not known what it needs");
    registry.list().await.unwrap_err();
    registry.forget(&id("damaged")).await.unwrap();
    until("nothing is held back any more", async || places.held().is_none()).await;
    assert_eq!(registry.list().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn what_is_parked_holds_back_what_is_behind_it() {
    let rig = Rig::new(1).await;
    let deliveries = Deliveries::default();
    deliveries.trouble.set("a", 3, Bad::Fails);
    let projection = deliveries.projection("mails").on_failure(OnFailure::ParkEntity);
    let running = run(&rig, "shop@1", projection).await;
    rig.deposit(&account("a"), 6).await;
    running.caught_up().await;
    let (places, registry) = (Arc::new(Places::default()), registry(&rig, &Faults::new()));
    tokio::spawn(registry.clone().watch(Vec::new(), Arc::clone(&places) as _, None));
    until("it is known", async || places.held() == Some(Position::new(2))).await;
    until("all is saved", async || {
        let listed = registry.list().await.unwrap();
        (listed[0].lag, listed[0].holds_back, listed[0].parked) == (0, 4, 1)
    })
    .await;
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn as_long_as_it_is_not_known_what_is_kept_everything_is_held_back() {
    let rig = Rig::new(1).await;
    let (places, faults) = (Arc::new(Places::default()), Faults::new());
    faults.next_n(Operation::ListProjections, 5, Fault::unavailable());
    let first = places.enter("all", true);
    tokio::spawn(registry(&rig, &faults).watch(Vec::new(), Arc::clone(&places) as _, first));
    sleep(Duration::from_secs(35)).await;
    assert_eq!(places.held(), Some(Position::ZERO));
    until("nothing is kept", async || places.held().is_none()).await;
}
