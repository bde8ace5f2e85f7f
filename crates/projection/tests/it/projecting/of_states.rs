//! Projections of durable states.

use super::{
    names::{Mirror, name_of, names},
    runner_rig::{Bad, Trouble, parts, run, start, until},
};
use crate::{
    account::{Account, Deposited},
    customer::{Customer, customer, named},
    rig::{Rig, account, deposited},
};
use actum_model::{Lane, Position, Receipt, SequenceNr};
use actum_projection::{
    AtLeastOnce, Changed, HandlerError, OnFailure, Project, ProjectCtx, ProjectState, Projection,
    ProjectionRegistration, Projector, Recorded, StartAt, WaitError,
};
use actum_store_memory::MemoryTarget;
use actum_testkit::Operation;
use std::{num::NonZeroU32, time::Duration};
use tokio::time::sleep;

const MINUTE: Duration = Duration::from_secs(60);

/// The write of a customer, as its caller knows it.
fn receipt(rig: &Rig, id: &str, position: Option<u64>) -> Receipt {
    let lane = rig.lane_of(&customer(id));
    Receipt::new(SequenceNr::new(1), lane, position.map(Position::new))
}

#[tokio::test(start_paused = true)]
async fn rows_are_the_latest_states_and_deletions_remove_them() {
    let (rig, target) = (Rig::new(2).await, MemoryTarget::new());
    for (id, name) in [("a", "Ann"), ("b", "Bob"), ("a", "Anne")] {
        rig.write(&customer(id), named(name)).await;
    }
    rig.deposit(&account("a"), 3).await; // another entity, of another model
    let running = run(&rig, "a@1", names(&target, &Trouble::default())).await;
    running.caught_up().await;
    assert_eq!(name_of(&target, "a").as_deref(), Some("Anne 2"));
    assert_eq!(name_of(&target, "b").as_deref(), Some("Bob 1"));
    rig.write(&customer("b"), None::<Customer>).await;
    rig.write(&customer("c"), named("Cid")).await;
    for id in ["b", "c"] {
        let receipt = receipt(&rig, id, None);
        running.projection().caught_up_with(&receipt, MINUTE).await.unwrap();
    }
    assert_eq!((name_of(&target, "b"), name_of(&target, "c").as_deref()), (None, Some("Cid 1")));
    let status = running.projection().status().await.unwrap();
    assert_eq!((status.lag.events, status.handled), (0, 4), "one that was written twice came once");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_and_a_reset_begins_with_what_is_there_now() {
    let (rig, target) = (Rig::new(1).await, MemoryTarget::new());
    let trouble = Trouble::default();
    for nr in 0..5 {
        rig.write(&customer(&nr.to_string()), named("first")).await;
    }
    let running = run(&rig, "a@1", names(&target, &trouble)).await;
    running.caught_up().await;
    running.end().await;
    assert_eq!(trouble.tries(), 5);
    rig.write(&customer("3"), named("second")).await;
    rig.write(&customer("4"), None::<Customer>).await;
    let running = run(&rig, "a@2", names(&target, &trouble)).await;
    running.caught_up().await;
    assert_eq!(trouble.tries(), 7, "only what has changed since");
    running.projection().reset().await.unwrap();
    running.caught_up().await;
    let rows: Vec<_> = (0..5).map(|nr| name_of(&target, &nr.to_string())).collect();
    let row = |text: &str| Some(text.to_owned());
    assert_eq!(rows, [row("first 1"), row("first 1"), row("first 1"), row("second 2"), None]);
    assert_eq!(trouble.tries(), 12);
    running.end().await;
}

/// What is parked is the entity: its replay handles the state it has then, and one it gets meanwhile comes by itself.
#[tokio::test(start_paused = true)]
async fn a_replay_of_a_parked_entity_handles_its_latest_state() {
    let (rig, target) = (Rig::new(1).await, MemoryTarget::new());
    let trouble = Trouble::default();
    trouble.set("a", 1, Bad::Fails);
    let projection = names(&target, &trouble).on_failure(OnFailure::ParkEntity);
    let running = run(&rig, "a@1", projection).await;
    rig.write(&customer("a"), named("poison")).await;
    running.caught_up().await;
    for name in ["skipped", "latest"] {
        rig.write(&customer("a"), named(name)).await;
        running.caught_up().await;
    }
    assert_eq!(name_of(&target, "a"), None, "it is held back");
    assert_eq!(running.projection().parked(None, 10).await.unwrap().len(), 1);
    running.projection().replay_parked(None).await.unwrap();
    until("it is handled", async || name_of(&target, "a").as_deref() == Some("latest 3")).await;
    rig.write(&customer("a"), named("next")).await;
    running.caught_up().await;
    assert_eq!(name_of(&target, "a").as_deref(), Some("next 4"));
    assert!(running.projection().parked(None, 10).await.unwrap().is_empty());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_done_once_its_entity_has_a_later_state() {
    let (rig, mirror) = (Rig::new(1).await, Mirror::default());
    for id in ["a", "b"] {
        mirror.trouble.set(id, 1, Bad::Fails);
        rig.write(&customer(id), named("poison")).await;
    }
    let projection = mirror.projection("mirror").on_failure(OnFailure::SkipToDeadLetters);
    let running = run(&rig, "a@1", projection).await;
    running.caught_up().await;
    rig.write(&customer("a"), named("later")).await;
    running.caught_up().await;
    assert_eq!(mirror.seen.lock().get("a"), Some(&2));
    mirror.trouble.mend();
    let all = async || running.projection().dead_letters(None, 10).await.unwrap().len();
    assert_eq!(all().await, 2);
    running.projection().replay_dead_letters(None).await.unwrap();
    until("both are done", async || all().await == 0).await;
    assert_eq!(
        mirror.seen.lock().get("a"),
        Some(&2),
        "the later state was not followed by an older"
    );
    assert_eq!(mirror.seen.lock().get("b"), Some(&1));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_that_comes_again_has_the_same_command_ids() {
    let (rig, mirror) = (Rig::new(1).await, Mirror::default());
    rig.write(&customer("a"), named("Ann")).await;
    let running = run(&rig, "a@1", mirror.projection("mirror")).await;
    running.caught_up().await;
    running.projection().rewind(StartAt::Beginning).await.unwrap();
    running.caught_up().await;
    rig.write(&customer("a"), named("Anne")).await;
    running.caught_up().await;
    let ids = mirror.command_ids.lock().clone();
    let [first, again, second] = &ids[..] else { panic!("{ids:?}") };
    assert_eq!(first, again);
    assert_ne!(first, second);
    running.end().await;
}

/// Writes of other processes are found by asking, without a command of this one.
#[tokio::test(start_paused = true)]
async fn changes_of_others_are_found_and_an_idle_journal_is_asked_seldom() {
    let (rig, target) = (Rig::new(1).await, MemoryTarget::new());
    let running = run(&rig, "a@1", names(&target, &Trouble::default())).await;
    running.caught_up().await;
    sleep(MINUTE).await;
    let before = rig.calls(Operation::ChangeHeads);
    sleep(MINUTE).await;
    let asked = rig.calls(Operation::ChangeHeads) - before;
    assert!((100..=130).contains(&asked), "{asked} in a minute");
    rig.write(&customer("a"), named("Ann")).await;
    sleep(Duration::from_millis(600)).await;
    assert_eq!(name_of(&target, "a").as_deref(), Some("Ann 1"));
    running.end().await;
}

/// Twenty projections at the head read changes as often as one.
#[tokio::test(start_paused = true)]
async fn readers_near_the_head_share_what_they_read() {
    let mut reads = Vec::new();
    for count in [1, 20] {
        let (rig, trouble) = (Rig::new(1).await, Trouble::default());
        let targets: Vec<_> = (0..count).map(|_| MemoryTarget::new()).collect();
        let named_so = |(nr, target)| {
            let mut projection = names(target, &trouble);
            projection = projection.version(NonZeroU32::new(nr).unwrap());
            ProjectionRegistration::from(projection)
        };
        let all: Vec<_> = (1..).zip(&targets).map(named_so).collect();
        let running = start(parts(&rig, "a@1", &rig.faults), all).await;
        running.caught_up().await;
        let before = rig.calls(Operation::ReadChanges);
        for round in 0..50 {
            let id = (round % 7).to_string();
            rig.write(&customer(&id), named("name")).await;
            sleep(Duration::from_secs(2)).await;
        }
        for target in &targets {
            assert_eq!(name_of(target, "0").as_deref(), Some("name 8"));
        }
        reads.push(rig.calls(Operation::ReadChanges) - before);
        running.end().await;
    }
    assert_eq!(reads[0], reads[1], "{reads:?}");
}

#[tokio::test(start_paused = true)]
async fn progress_over_states_is_not_taken_for_one_over_events() {
    let (rig, mirror) = (Rig::new(1).await, Mirror::default());
    rig.deposit(&account("a"), 1).await;
    let running = run(&rig, "a@1", mirror.projection("mirror")).await;
    running.caught_up().await;
    running.end().await;
    #[derive(Clone)]
    struct OfEvents;
    impl Projector for OfEvents {
        type Target = AtLeastOnce;
    }
    impl Project<Customer> for OfEvents {
        async fn project(
            &mut self,
            _: &Recorded<actum_model::NoEvents>,
            _: &mut ProjectCtx<'_, AtLeastOnce>,
        ) -> Result<(), HandlerError> {
            Ok(())
        }
    }
    let projection = Projection::at_least_once("mirror", OfEvents).from::<Customer>();
    let running = run(&rig, "a@2", projection).await;
    let why = running.projection().caught_up(MINUTE).await.unwrap_err().to_string();
    let expected = "was begun with the sources [\"states:customer\"] and has [\"customer\"] now";
    assert!(why.contains(expected), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_of_events_is_refused_and_retention_learns_nothing_from_readers_of_states() {
    let (rig, target) = (Rig::new(1).await, MemoryTarget::new());
    let projection = ProjectionRegistration::from(names(&target, &Trouble::default()));
    assert!(projection.reads_states(), "so it is entered as one that needs no events");
    rig.append(&account("a"), 0, vec![deposited(1)]).await;
    let running = run(&rig, "a@1", projection).await;
    running.caught_up().await;
    let of_events = receipt(&rig, "a", Some(1));
    let waited = running.projection().caught_up_with(&of_events, MINUTE).await.unwrap_err();
    assert!(matches!(waited, WaitError::OfEvents { .. }), "{waited}");
    assert_eq!(running.place.read_to(Lane::new(0)), Position::ZERO);
    running.end().await;
}

#[derive(Clone)]
struct Both;

impl Projector for Both {
    type Target = AtLeastOnce;
}

impl Project<Account> for Both {
    async fn project(
        &mut self,
        _: &Recorded<Deposited>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        Ok(())
    }
}

impl ProjectState<Customer> for Both {
    async fn project_state(
        &mut self,
        _: &Changed<Customer>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        Ok(())
    }
}

#[test]
fn a_projection_has_sources_of_events_or_of_states() {
    let both = Projection::at_least_once("both", Both).from::<Account>().from_states::<Customer>();
    assert_eq!(
        ProjectionRegistration::problems(&[both.into()]),
        [
            "projection `both` has sources of events and of states, whose positions cannot be compared: make two of it"
        ]
    );
    let twice = Projection::at_least_once("twice", Both);
    let twice = twice.from_states::<Customer>().from_states::<Customer>();
    assert_eq!(
        ProjectionRegistration::problems(&[twice.into()]),
        ["projection `twice` names the kind `customer` twice"]
    );
}
