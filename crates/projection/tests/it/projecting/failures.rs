use super::{
    deliveries::Deliveries,
    runner_rig::{Bad, Trouble, balances, row, run, until},
};
use crate::rig::{Rig, account, deposited};
use actum_model::Lane;
use actum_projection::{OnFailure, ProjectionSettings, ProjectionState};
use actum_store_memory::MemoryTarget;

#[tokio::test(start_paused = true)]
async fn an_event_that_fails_stops_the_segment_behind_all_in_front_of_it() {
    for bad in [Bad::Fails, Bad::Panics, Bad::Hangs] {
        let rig = Rig::new(1).await;
        let (target, trouble) = (MemoryTarget::new(), Trouble::default());
        rig.deposit(&account("a"), 10).await;
        trouble.set("a", 7, bad);
        let running = run(&rig, "a@1", balances(&target, &trouble)).await;
        let why = running.until_stopped().await;
        let error = match bad {
            Bad::Fails => "poison",
            Bad::Panics => "the handler panicked: poison",
            _ => "the handler has not returned within 30s",
        };
        assert_eq!(why, format!("event 7 of account/a failed 6 times: {error}"));
        assert_eq!(row(&target, "a"), Some((21, 6)));
        trouble.mend();
        running.projection().resume().await.unwrap();
        running.caught_up().await;
        assert_eq!(row(&target, "a"), Some((55, 10)));
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_fails_is_skipped_to_the_dead_letters_and_can_be_replayed() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    rig.deposit(&account("a"), 3).await;
    rig.deposit(&account("b"), 3).await;
    trouble.set("a", 3, Bad::Fails);
    let projection = balances(&target, &trouble).on_failure(OnFailure::SkipToDeadLetters);
    let running = run(&rig, "a@1", projection).await;
    running.caught_up().await;
    assert_eq!((row(&target, "a"), row(&target, "b")), (Some((3, 2)), Some((6, 3))));
    let letters = running.projection().dead_letters(None, 10).await.unwrap();
    assert_eq!((letters.len(), letters[0].sequence_nr.get(), letters[0].attempts), (1, 3, 6));
    assert_eq!((&*letters[0].error, &*letters[0].manifest), ("poison", "account.deposited"));
    // it fails again, and stays
    assert_eq!(running.projection().replay_dead_letters(None).await.unwrap(), 1);
    until("it was tried again", async || {
        let letters = running.projection().dead_letters(None, 10).await.unwrap();
        letters[0].attempts == 7 && !letters[0].is_requested
    })
    .await;
    trouble.mend();
    running.projection().replay_dead_letters(Some(letters[0].place)).await.unwrap();
    until("it is handled", async || row(&target, "a") == Some((6, 3))).await;
    assert_eq!(running.projection().status().await.unwrap().dead_letters, 0);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_parked_entity_is_held_back_while_others_go_on_and_catches_up_when_replayed() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    rig.deposit(&account("a"), 5).await;
    rig.deposit(&account("b"), 5).await;
    trouble.set("a", 3, Bad::Fails);
    let running =
        run(&rig, "a@1", balances(&target, &trouble).on_failure(OnFailure::ParkEntity)).await;
    running.caught_up().await;
    rig.append(&account("a"), 5, vec![deposited(100)]).await;
    running.caught_up().await;
    assert_eq!((row(&target, "a"), row(&target, "b")), (Some((3, 2)), Some((15, 5))));
    let parked = running.projection().parked(None, 10).await.unwrap();
    assert_eq!((parked.len(), parked[0].from.get(), &*parked[0].error), (1, 3, "poison"));
    running.end().await;

    // the next one holds it back, too
    let running =
        run(&rig, "a@2", balances(&target, &trouble).on_failure(OnFailure::ParkEntity)).await;
    rig.append(&account("a"), 6, vec![deposited(1_000)]).await;
    running.caught_up().await;
    assert_eq!(row(&target, "a"), Some((3, 2)));
    trouble.mend();
    assert_eq!(running.projection().replay_parked(None).await.unwrap(), 1);
    until("it has caught up", async || row(&target, "a") == Some((1_115, 7))).await;
    assert_eq!(running.projection().status().await.unwrap().parked, 0);
    rig.append(&account("a"), 7, vec![deposited(1)]).await;
    running.caught_up().await;
    assert_eq!(row(&target, "a"), Some((1_116, 8)));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_away_is_waited_for_and_blames_no_event() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    rig.deposit(&account("a"), 5).await;
    trouble.set_all(Bad::Unavailable);
    let running =
        run(&rig, "a@1", balances(&target, &trouble).on_failure(OnFailure::ParkEntity)).await;
    until("it was tried often", async || trouble.tries() > 50).await;
    let status = running.projection().status().await.unwrap();
    assert_eq!((status.parked, status.dead_letters), (0, 0));
    assert_eq!(status.state, ProjectionState::Waiting { why: "the broker is away".into() });
    trouble.mend();
    running.caught_up().await;
    assert_eq!(row(&target, "a"), Some((15, 5)));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn many_entities_parked_in_a_row_stop_the_segment() {
    let rig = Rig::new(1).await;
    let (target, trouble) = (MemoryTarget::new(), Trouble::default());
    for nr in 0..20 {
        rig.deposit(&account(&format!("a{nr:02}")), 2).await;
    }
    trouble.set_all(Bad::Fails);
    let running =
        run(&rig, "a@1", balances(&target, &trouble).on_failure(OnFailure::ParkEntity)).await;
    let why = running.until_stopped().await;
    assert!(
        why.starts_with(
            "10 entities were parked in a row, so it is not the events: event 1 of account/a10"
        ),
        "{why}"
    );
    assert_eq!(running.projection().status().await.unwrap().parked, 10);
    trouble.mend();
    running.projection().resume().await.unwrap();
    running.projection().replay_parked(None).await.unwrap();
    running.caught_up().await;
    until("all have caught up", async || {
        (0..20).all(|nr| row(&target, &format!("a{nr:02}")) == Some((3, 2)))
    })
    .await;
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_may_be_replayed_is_kept_in_the_journal() {
    for policy in [OnFailure::ParkEntity, OnFailure::SkipToDeadLetters] {
        let rig = Rig::new(1).await;
        let (target, trouble) = (MemoryTarget::new(), Trouble::default());
        for nr in 0..5 {
            rig.deposit(&account(&format!("a{nr}")), 2).await;
        }
        let last = if policy == OnFailure::ParkEntity { 1 } else { 2 };
        trouble.set("a2", last, Bad::Fails);
        let running = run(&rig, "a@1", balances(&target, &trouble).on_failure(policy)).await;
        running.caught_up().await;
        let read_to = || running.place.read_to(Lane::new(0)).get();
        until("it has read what is in front of the event", async || read_to() == 3 + last).await;
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        assert_eq!(read_to(), 3 + last, "the event may be asked for");
        trouble.mend();
        running.projection().replay_parked(None).await.unwrap();
        running.projection().replay_dead_letters(None).await.unwrap();
        until("nothing of it is needed", async || read_to() == 10).await;
        assert_eq!(row(&target, "a2"), Some((3, 2)));
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_handled_in_front_of_an_outage_does_not_come_again() {
    let rig = Rig::new(1).await;
    let deliveries = Deliveries::default();
    deliveries.trouble.set("a", 4, Bad::Unavailable);
    rig.deposit(&account("a"), 6).await;
    let running = run(&rig, "a@1", deliveries.projection("mails")).await;
    until("it waits for the broker", async || deliveries.trouble.tries() > 20).await;
    let status = running.projection().status().await.unwrap();
    assert_eq!(status.state, ProjectionState::Waiting { why: "the broker is away".into() });
    deliveries.trouble.mend();
    running.caught_up().await;
    let numbers: Vec<_> = deliveries.all().iter().map(|delivery| delivery.nr).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6], "each came once");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn dead_letters_and_parked_entities_are_replayed_or_discarded_by_what_they_are() {
    for on_failure in [OnFailure::SkipToDeadLetters, OnFailure::ParkEntity] {
        let rig = Rig::new(1).await;
        let (target, trouble) = (MemoryTarget::new(), Trouble::default());
        for (id, bad) in [("a", Bad::Fails), ("b", Bad::Panics), ("c", Bad::Fails)] {
            rig.deposit(&account(id), 3).await;
            trouble.set(id, 3, bad);
        }
        let running = run(&rig, "a@1", balances(&target, &trouble).on_failure(on_failure)).await;
        running.caught_up().await;
        trouble.mend();
        let projection = running.projection();
        let poison = "poison";
        let is_parking = on_failure == OnFailure::ParkEntity;
        let replayed = match is_parking {
            true => projection.replay_parked_where(|one| &*one.error == poison).await,
            false => projection.replay_dead_letters_where(|one| &*one.error == poison).await,
        };
        assert_eq!(replayed.unwrap(), 2, "{on_failure:?}");
        until("both are handled", async || {
            ["a", "c"].map(|id| row(&target, id)) == [Some((6, 3)); 2]
        })
        .await;
        assert_eq!(row(&target, "b"), Some((3, 2)), "{on_failure:?}");
        let of_b = match is_parking {
            true => projection.discard_parked_where(|one| one.entity.id() == "b").await,
            false => projection.discard_dead_letters_where(|one| one.entity.id() == "b").await,
        };
        assert_eq!(of_b.unwrap(), 1, "{on_failure:?}");
        until("none is left", async || {
            let status = projection.status().await.unwrap();
            status.parked + status.dead_letters == 0
        })
        .await;
        assert_eq!(row(&target, "b"), Some((3, 2)), "its last event is never handled");
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_more_dead_letters_than_a_page_none_is_left_out_that_is_chosen() {
    let (rig, target, trouble) = (Rig::new(1).await, MemoryTarget::new(), Trouble::default());
    for nr in 0..1_200 {
        rig.deposit(&account(&nr.to_string()), 1).await;
    }
    let mut settings = ProjectionSettings::default();
    settings.retries = 0;
    settings.on_failure = OnFailure::SkipToDeadLetters;
    trouble.set_all(Bad::Fails);
    let projection = balances(&target, &trouble).settings(settings);
    let running = run(&rig, "a@1", projection).await;
    running.caught_up().await;
    let projection = running.projection();
    let discarded = projection.discard_dead_letters_where(|one| one.entity.id().ends_with('7'));
    assert_eq!(discarded.await.unwrap(), 120);
    assert_eq!(running.projection().status().await.unwrap().dead_letters, 1_080);
    running.end().await;
}
