//! Projections and subscriptions whose progress is kept at one place renew together, and cost an idle store as little as one.

use super::{
    deliveries::Deliveries,
    place::Place,
    runner_rig::{Bad, Running, Trouble, parts, start, until},
};
use crate::{
    account::{Account, Deposited},
    rig::{Rig, account, deposited},
    subscribing::subscriber_rig::{Subscriber, handle, seen},
};
use actum_persistence::progress::{KeepsProgress, ProjectionId};
use actum_projection::{
    HandlerError, JournalPlace, OnFailure, Project, ProjectCtx, Projection, ProjectionRegistration,
    ProjectionService, ProjectionState, Projector, Recorded, Subscription, Switch,
};
use actum_store_memory::MemoryTarget;
use actum_testkit::{Fault, FaultTarget, Faults, Operation};
use std::{num::NonZeroU32, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

const LEASE: Duration = Duration::from_secs(10);

fn mails(deliveries: &Deliveries, count: usize) -> Vec<ProjectionRegistration> {
    (0..count).map(|nr| deliveries.projection(&format!("p{nr}")).into()).collect()
}

fn id(name: &str) -> ProjectionId {
    ProjectionId::new(name, NonZeroU32::MIN).unwrap()
}

/// Counts events, in a row of its own.
#[derive(Clone)]
struct Counting {
    row: String,
    trouble: Trouble,
}

type Target = FaultTarget<MemoryTarget>;

impl Projector for Counting {
    type Target = Target;

    async fn clear(&mut self, ctx: &mut ProjectCtx<'_, Target>) -> Result<(), HandlerError> {
        ctx.tx().remove(&self.row);
        Ok(())
    }
}

impl Project<Account> for Counting {
    async fn project(
        &mut self,
        event: &Recorded<Deposited>,
        ctx: &mut ProjectCtx<'_, Target>,
    ) -> Result<(), HandlerError> {
        let count = ctx.tx().get(&self.row).map_or(0, |count| count[0]);
        ctx.tx().insert(&*self.row, [count + 1]);
        self.trouble.meet(event).await
    }
}

fn exact(target: &Target, trouble: &Trouble, name: &str) -> ProjectionRegistration {
    let counting = Counting { row: name.to_owned(), trouble: trouble.clone() };
    Projection::exact(name, target.clone(), counting).from::<Account>().into()
}

/// Waits until all have handled what is there, and begun to go together.
async fn settled(running: &Running) {
    for projection in running.service.projections() {
        projection.caught_up(Duration::from_secs(3_600)).await.unwrap();
    }
    sleep(2 * LEASE).await;
}

fn progress_calls(faults: &Faults) -> u64 {
    Operation::PROGRESS.iter().map(|one| faults.calls(*one)).sum()
}

/// How often the store is asked in 100 seconds in which nothing happens: for renewals, for something else of the progress,
/// and for something of the journal.
async fn idle_calls(projections: usize, subscriptions: usize) -> (u64, u64, u64) {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 10).await;
    let deliveries = Deliveries::default();
    let running = start(parts(&rig, "a@1", &rig.faults), mails(&deliveries, projections)).await;
    let subscriber = Subscriber::beside(&running.service);
    let mut consumers = Vec::new();
    for nr in 0..subscriptions {
        let mails = Subscription::durable(format!("s{nr}"));
        let mails = mails.from::<Account, _>(|event| Some(seen(&event)));
        let mut consumer = subscriber.service.subscribe(mails).await.unwrap();
        handle(&mut consumer, 10).await;
        consumers.push(consumer);
        // each begins its rounds at another moment
        sleep(Duration::from_millis(700)).await;
    }
    settled(&running).await;
    rig.faults.reset_counts();
    sleep(Duration::from_secs(100)).await;
    let renewals = rig.calls(Operation::RenewRunner);
    let other = progress_calls(&rig.faults) - renewals;
    let journal = rig.faults.counts().all_calls() - renewals - other;
    subscriber.places.end();
    running.end().await;
    (renewals, other, journal)
}

#[tokio::test(start_paused = true)]
async fn twenty_projections_and_five_subscriptions_ask_an_idle_store_as_often_as_one() {
    let (one, many) = (idle_calls(1, 0).await, idle_calls(20, 5).await);
    assert!((29..=31).contains(&one.0), "three times a lease of 10 seconds: {one:?}");
    assert_eq!((one.1, many.1), (0, 0), "no idle segment asks for anything: {one:?}, {many:?}");
    assert!(many.0 <= one.0 && many.2 <= one.2 + 1, "{one:?} for one, {many:?} for many");
    assert!(many.0 + many.2 < 5 * 100, "in 100 seconds: {many:?}");
}

/// A version that follows another one reads that once a lease, and not in each round.
#[tokio::test(start_paused = true)]
async fn versions_that_follow_read_the_active_one_once_a_lease_while_nothing_comes() {
    let (rig, deliveries) = (Rig::new(4).await, Deliveries::default());
    rig.deposit(&account("a"), 10).await;
    let version = |nr: u32| {
        let projection = deliveries.projection("mails").version(NonZeroU32::new(nr).unwrap());
        projection.switch(Switch::WhenAsked).into()
    };
    let both = (1..=2).map(version).collect::<Vec<_>>();
    let running = start(parts(&rig, "a@1", &rig.faults), both).await;
    until("both have handled all", async || deliveries.all().len() == 20).await;
    sleep(2 * LEASE).await;
    rig.faults.reset_counts();
    sleep(Duration::from_secs(100)).await;
    let renewals = rig.calls(Operation::RenewRunner);
    let other = progress_calls(&rig.faults) - renewals;
    assert!((29..=31).contains(&renewals), "{renewals} in 100 seconds");
    assert!((5..=10).contains(&other), "{other} in 100 seconds");
    assert_eq!(rig.calls(Operation::ListProjections), 0, "it knows which one is active");
    rig.append(&account("a"), 10, vec![deposited(1)]).await;
    let begun = Instant::now();
    until("both have handled what comes", async || deliveries.all().len() == 22).await;
    assert!(begun.elapsed() < LEASE / 2, "{:?}", begun.elapsed());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn exact_projections_of_one_target_renew_together() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 10).await;
    let (target, trouble) = (FaultTarget::new(MemoryTarget::new()), Trouble::default());
    let all = (0..10).map(|nr| exact(&target, &trouble, &format!("p{nr}")));
    let running = start(parts(&rig, "a@1", &rig.faults), all.collect::<Vec<_>>()).await;
    settled(&running).await;
    target.faults().reset_counts();
    sleep(Duration::from_secs(100)).await;
    let calls = progress_calls(&target.faults());
    assert!((29..=31).contains(&calls), "{calls} calls in 100 seconds");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn those_with_longer_leases_go_along_with_the_shortest() {
    let (rig, deliveries) = (Rig::new(1).await, Deliveries::default());
    let all = (0..6)
        .map(|nr: u32| deliveries.projection(&format!("p{nr}")).lease((nr + 1) * LEASE).into());
    let running = start(parts(&rig, "a@1", &rig.faults), all.collect::<Vec<_>>()).await;
    settled(&running).await;
    rig.faults.reset_counts();
    sleep(Duration::from_secs(100)).await;
    let calls = progress_calls(&rig.faults);
    assert!((29..=31).contains(&calls), "{calls} calls in 100 seconds");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_of_failures_is_not_asked_for_while_nothing_is_saved() {
    let (rig, deliveries) = (Rig::new(4).await, Deliveries::default());
    for name in ["a", "b", "c"] {
        rig.deposit(&account(name), 3).await;
        deliveries.trouble.set(name, 2, Bad::Fails);
    }
    let skips = deliveries.projection("skips").on_failure(OnFailure::SkipToDeadLetters);
    let parks = deliveries.projection("parks").on_failure(OnFailure::ParkEntity);
    let place = {
        let running = start(parts(&rig, "a@1", &rig.faults), [skips.into(), parks.into()]).await;
        settled(&running).await;
        rig.faults.reset_counts();
        sleep(Duration::from_secs(100)).await;
        let calls = (rig.calls(Operation::RenewRunner), progress_calls(&rig.faults));
        assert!(calls.0 == calls.1 && calls.0 <= 31, "{calls:?} in 100 seconds");
        let first = rig.lane_of(&account("a"));
        assert_eq!(running.place.read_to(first).get(), 1, "events behind them are still held");
        deliveries.trouble.mend();
        for name in ["skips", "parks"] {
            let projection = running.service.projection(name);
            projection.replay_parked(None).await.unwrap();
            projection.replay_dead_letters(None).await.unwrap();
        }
        until("it needs them no more", async || running.place.read_to(first).get() >= 3).await;
        running.place.clone()
    };
    place.end();
}

#[tokio::test(start_paused = true)]
async fn a_damaged_projection_fails_no_round_of_another() {
    let (rig, deliveries) = (Rig::new(1).await, Deliveries::default());
    let running = start(parts(&rig, "a@1", &rig.faults), mails(&deliveries, 5)).await;
    settled(&running).await;
    rig.faults.always(Operation::RenewRunner, Fault::damaged_projection(id("p3")));
    for round in 0..20 {
        rig.append(&account("a"), round, vec![deposited(1)]).await;
        sleep(LEASE / 2).await;
        for projection in running.service.projections().filter(|one| one.name() != "p3") {
            let state = projection.status().await.unwrap().state;
            assert_eq!(state, ProjectionState::Running, "{}", projection.name());
            projection.caught_up(Duration::from_secs(1)).await.unwrap();
        }
    }
    let state = running.service.projection("p3").status().await.unwrap().state;
    assert!(format!("{state:?}").contains("p3 is damaged"), "{state:?}");
    rig.faults.stop();
    running.service.projection("p3").caught_up(Duration::from_secs(60)).await.unwrap();
    assert_eq!(deliveries.all().len(), 100);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn behind_a_call_that_has_failed_each_renews_by_itself_once() {
    let (rig, deliveries) = (Rig::new(1).await, Deliveries::default());
    let running = start(parts(&rig, "a@1", &rig.faults), mails(&deliveries, 8)).await;
    settled(&running).await;
    rig.faults.next(Operation::RenewRunner, Fault::unavailable());
    until("it has failed", async || rig.faults.left() == 0).await;
    rig.faults.reset_counts();
    sleep(LEASE / 10).await;
    assert_eq!(progress_calls(&rig.faults), 8);
    sleep(2 * LEASE).await;
    rig.faults.reset_counts();
    sleep(Duration::from_secs(100)).await;
    let calls = progress_calls(&rig.faults);
    assert!((29..=31).contains(&calls), "together again: {calls} calls in 100 seconds");
    running.end().await;
}

/// One place hangs, for longer than a lease, or fails; whatever is kept elsewhere goes on.
#[tokio::test(start_paused = true)]
async fn a_place_that_hangs_or_fails_leaves_those_of_another_one_alone() {
    for hangs in [true, false] {
        let (rig, deliveries) = (Rig::new(1).await, Deliveries::default());
        let (target, trouble) = (MemoryTarget::new(), Trouble::default());
        let faulty = FaultTarget::new(target.clone());
        let mut all = mails(&deliveries, 3);
        all.extend(["e1", "e2"].map(|name| exact(&faulty, &trouble, name)));
        let running = start(parts(&rig, "a@1", &rig.faults), all).await;
        settled(&running).await;
        let gate = match hangs {
            true => Some(faulty.faults().hold_next(Operation::RenewRunner, 1_000)),
            false => None,
        };
        if gate.is_none() {
            faulty.faults().always(Operation::RenewRunner, Fault::unavailable());
        }
        sleep(2 * LEASE).await;
        for nr in 0..60 {
            rig.append(&account("a"), nr, vec![deposited(1)]).await;
            sleep(LEASE / 2).await;
            assert_eq!(deliveries.all().len() as u64, 3 * (nr + 1), "hangs: {hangs}");
        }
        assert_eq!(trouble.tries(), 0, "others may have taken over");
        faulty.faults().stop();
        gate.inspect(actum_testkit::Gate::open);
        settled(&running).await;
        assert_eq!(["e1", "e2"].map(|row| target.row(row)), [Some(vec![60]), Some(vec![60])]);
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn others_take_over_all_projections_of_a_dead_process_within_a_lease_and_a_round() {
    let (rig, deliveries) = (Rig::new(1).await, Deliveries::default());
    let (faults, dead_deliveries) = (Faults::new(), Deliveries::default());
    let dead = start(parts(&rig, "a@1", &faults), mails(&dead_deliveries, 5)).await;
    settled(&dead).await;
    let alive = start(parts(&rig, "b@1", &rig.faults), mails(&deliveries, 5)).await;
    sleep(2 * LEASE).await;
    for operation in Operation::PROGRESS {
        faults.hold_next(operation, 1_000);
    }
    let died = Instant::now();
    rig.deposit(&account("a"), 1).await;
    until("all have taken over", async || deliveries.all().len() == 5).await;
    let took = died.elapsed();
    // a lease from the round on that has seen the last renewal, and a round in which that is noticed
    assert!(took < LEASE + 2 * LEASE / 3, "{took:?}");
    alive.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_carried_out_at_once_however_long_the_leases_are() {
    let (rig, deliveries) = (Rig::new(1).await, Deliveries::default());
    let lease = Duration::from_secs(3_600);
    let long = |projection: Projection<_>| projection.lease(lease).into();
    let all = (0..4).map(|nr| long(deliveries.projection(&format!("p{nr}"))));
    let running = start(parts(&rig, "a@1", &rig.faults), all.collect::<Vec<_>>()).await;
    settled(&running).await;
    let begun = Instant::now();
    let projection = running.service.projection("p2");
    projection.pause().await.unwrap();
    until("it is paused", async || {
        projection.status().await.unwrap().state == ProjectionState::Paused
    })
    .await;
    rig.deposit(&account("a"), 1).await;
    until("the others go on", async || deliveries.all().len() == 3).await;
    projection.resume().await.unwrap();
    until("it goes on", async || deliveries.all().len() == 4).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    running.end().await;
}

/// Otherwise it would be taken for alive for a lease.
#[tokio::test(start_paused = true)]
async fn one_that_leaves_while_it_renews_with_others_is_not_entered_again_by_that() {
    let (rig, deliveries) = (Rig::new(1).await, Deliveries::default());
    let (leaving, place) = (Place::new(), Place::new());
    let mut places: Vec<Arc<dyn JournalPlace>> = vec![Arc::clone(&leaving) as _];
    places.resize(3, Arc::clone(&place) as _);
    let all = mails(&deliveries, 3).into_iter().zip(places).collect();
    let service = ProjectionService::start(parts(&rig, "a@1", &rig.faults), all).await.unwrap();
    let running = Running { service, place };
    settled(&running).await;
    let gate = rig.faults.hold_next(Operation::RenewRunner, 1);
    gate.held(1).await;
    leaving.end();
    sleep(Duration::from_millis(500)).await;
    gate.open();
    let left = running.projection();
    until("it has left", async || left.status().await.unwrap().state == ProjectionState::Ended)
        .await;
    sleep(Duration::from_millis(500)).await;
    let kept = rig.store.progress().load(&id("p0")).await.unwrap().unwrap();
    assert_eq!(kept.runners, []);
    running.place.end();
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_a_second_for_a_renewal_that_hangs() {
    let (rig, deliveries) = (Rig::new(1).await, Deliveries::default());
    let running = start(parts(&rig, "a@1", &rig.faults), mails(&deliveries, 3)).await;
    settled(&running).await;
    let gate = rig.faults.hold_next(Operation::RenewRunner, 1_000);
    gate.held(1).await;
    let begun = Instant::now();
    running.end().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
