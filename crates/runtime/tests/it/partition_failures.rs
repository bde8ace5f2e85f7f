//! A partition that fails is started again, and each caller that waited for it gets an answer.

use crate::{
    account::{Balance, Deposit, DepositAll},
    fragile::{Actions, Arm, At, Dawdle, Fail, Grenade, Thorn, fragile, registered},
    listener::Listener,
    rig::{Gate, Rig, account, accounts, all_wait, assert_is, send},
};
use actum_persistence::store::WriterStore;
use actum_runtime::{AskError, Runtime, settings::RuntimeSettings};
use actum_testkit::{Fault, Operation};
use std::{future::IntoFuture, time::Duration};
use tokio::time::{Instant, sleep};
use tracing::Level;

async fn start(rig: &Rig) -> Runtime {
    rig.start_with(vec![accounts(), registered(&Actions::default())], Default::default()).await
}

/// Lets the partition fail: a state panics when it is dropped.
async fn blow_up(engine: &Runtime, id: &str) {
    let asked = fragile(engine, id).ask(Grenade).await;
    assert_is!(asked, Err(AskError::OutcomeUnknown { .. }));
    all_wait().await;
}

#[tokio::test(start_paused = true)]
async fn its_entities_recover_and_answer() {
    let rig = Rig::of_one_partition();
    let (listener, _guard) = Listener::listen(Level::INFO);
    let engine = start(&rig).await;
    let a = account(&engine, "a");
    a.ask(Deposit(5)).command_id("c").await.unwrap();
    fragile(&engine, "f").ask(Fail(At::Nowhere)).await.unwrap();
    blow_up(&engine, "f").await;
    assert_eq!((engine.usage().entities, engine.usage().commands), (0, 0));
    assert_eq!(a.ask(Balance).await.unwrap(), 5);
    assert_eq!(a.ask(Deposit(5)).command_id("c").await.unwrap(), 5);
    assert_eq!(fragile(&engine, "f").ask(Fail(At::Nowhere)).await.unwrap().total, 2);
    assert_eq!(listener.saying("partition failed, its entities will recover").len(), 1);
    assert_eq!(listener.saying("partition restarted").len(), 1);
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn all_callers_who_waited_get_what_is_known() {
    let rig = Rig::of_one_partition();
    let engine = start(&rig).await;
    let a = account(&engine, "a");
    a.ask(Deposit(5)).await.unwrap();
    let append = rig.hold_next(Operation::Append);
    let sent = send(a.ask(Deposit(10)).command_id("c"));
    append.held(1).await;
    let query = send(a.ask(Balance));
    let reading = rig.hold_next(Operation::Recover);
    let recovering = send(account(&engine, "b").ask(Deposit(1)));
    reading.held(1).await;
    all_wait().await;
    blow_up(&engine, "f").await;
    assert_is!(sent.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
    assert_is!(
        query.await.unwrap(),
        Err(AskError::OutcomeUnknown { .. } | AskError::Unavailable { .. })
    );
    assert_is!(recovering.await.unwrap(), Err(AskError::Unavailable { .. }));
    assert_eq!(engine.usage().commands, 0);

    // the append was under way, and the next life of the entity must not overtake it
    let retry = send(a.ask(Deposit(10)).command_id("c").timeout(Duration::from_secs(60)));
    all_wait().await;
    append.open();
    reading.open();
    assert_eq!(retry.await.unwrap().unwrap(), 15);
    assert_eq!(rig.events("a").await.len(), 2);
    assert_eq!(account(&engine, "b").ask(Deposit(1)).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn its_next_life_begins_behind_what_the_former_one_has_sent() {
    let rig = Rig::of_one_partition();
    let engine = start(&rig).await;
    let a = account(&engine, "a");
    a.ask(Deposit(5)).await.unwrap();
    let append = rig.hold_next(Operation::Append);
    let sent = send(a.ask(Deposit(10)));
    append.held(1).await;
    blow_up(&engine, "f").await;
    assert_is!(sent.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
    let query = send(a.ask(Balance).timeout(Duration::from_secs(60)));
    all_wait().await;
    sleep(Duration::from_secs(1)).await;
    assert!(!query.is_finished(), "what it would show may be over at any moment");
    append.open();
    assert_eq!(query.await.unwrap().unwrap(), 15);
}

#[tokio::test(start_paused = true)]
async fn results_of_its_former_life_reach_no_entity_of_the_next_one() {
    let rig = Rig::of_one_partition();
    let engine = start(&rig).await;
    let gate = Gate::closed();
    rig.faults.next(Operation::Append, Fault::unavailable().held_before(&gate));
    let sent = send(account(&engine, "a").ask(Deposit(1)));
    gate.held(1).await;
    blow_up(&engine, "f").await;
    assert_is!(sent.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));

    // another entity gets the place in memory
    let asking = send(account(&engine, "b").ask(Deposit(2)));
    all_wait().await;
    gate.open();
    assert_eq!(asking.await.unwrap().unwrap(), 2);
    assert_eq!(engine.usage().entities, 1);
}

#[tokio::test(start_paused = true)]
async fn commands_that_come_meanwhile_are_served_by_its_next_life() {
    let rig = Rig::of_one_partition();
    let engine = start(&rig).await;
    for round in 1..=4 {
        let failing = fragile(&engine, "f").ask(Grenade).into_future();
        while engine.usage().commands > 0 {
            tokio::task::yield_now().await; // until it has failed, and is not started yet
        }
        let asking: Vec<_> = (0..10).map(|_| send(account(&engine, "a").ask(Deposit(1)))).collect();
        failing.await.unwrap_err();
        for (at, asking) in (1..).zip(asking) {
            assert_eq!(asking.await.unwrap().unwrap(), (round - 1) * 10 + at);
        }
    }
    assert_eq!(engine.usage().commands, 0);
}

#[tokio::test(start_paused = true)]
async fn other_partitions_notice_nothing() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    for n in 0..100 {
        account(&engine, &n.to_string()).ask(Deposit(1)).await.unwrap();
    }
    blow_up(&engine, "f").await;
    let entities = engine.usage().entities;
    assert!((90..=100).contains(&entities), "{entities} of 100 entities are left");
    let started = Instant::now();
    for n in 0..100 {
        assert_eq!(account(&engine, &n.to_string()).ask(Deposit(1)).await.unwrap(), 2);
    }
    assert!(started.elapsed() < Duration::from_millis(5));
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_again_and_again_is_started_later_and_later_but_always() {
    let rig = Rig::of_one_partition();
    let engine = start(&rig).await;
    let mut pauses = Vec::new();
    for _ in 0..10 {
        blow_up(&engine, "f").await;
        let failed = Instant::now();
        account(&engine, "a").ask(Deposit(1)).await.unwrap();
        pauses.push(failed.elapsed());
    }
    assert!(pauses[0] < Duration::from_millis(5), "at once the first time: {pauses:?}");
    assert!(pauses.windows(2).all(|two| two[0] <= two[1] + Duration::from_millis(5)), "{pauses:?}");
    let longest = pauses.last().copied().unwrap_or_default();
    assert!((Duration::from_secs(1)..=Duration::from_secs(3)).contains(&longest), "{pauses:?}");
    sleep(Duration::from_secs(120)).await; // it behaves for a while
    blow_up(&engine, "f").await;
    let failed = Instant::now();
    account(&engine, "a").ask(Deposit(1)).await.unwrap();
    assert!(failed.elapsed() < Duration::from_millis(5), "{:?}", failed.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_engine_with_a_partition_that_is_down_shuts_down_all_the_same() {
    let rig = Rig::of_one_partition();
    let engine = start(&rig).await;
    for _ in 0..5 {
        blow_up(&engine, "f").await;
        sleep(Duration::from_secs(1)).await;
    }
    blow_up(&engine, "f").await;
    // the next life begins in a second or so
    let waiting = send(fragile(&engine, "f").ask(Dawdle(Duration::ZERO)));
    all_wait().await;
    let report = engine.shutdown().await;
    match waiting.await.unwrap() {
        Ok(_) => assert_eq!(report.unanswered, 0),
        Err(error) => assert_is!(error, AskError::Unavailable { .. }),
    }
    assert!(report.released, "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn deadlines_are_kept_while_a_partition_is_down() {
    let rig = Rig::of_one_partition();
    let kinds = vec![accounts(), registered(&Actions::default())];
    let engine = rig.start_with(kinds, Default::default()).await;
    for _ in 0..8 {
        let _ = fragile(&engine, "f").ask(Grenade).await;
        account(&engine, "a").ask(Deposit(1)).timeout(Duration::from_secs(9)).await.unwrap();
    }
    let _ = fragile(&engine, "f").ask(Grenade).await;
    all_wait().await;
    let started = Instant::now();
    let asked = account(&engine, "a").ask(Deposit(1)).timeout(Duration::from_millis(100)).await;
    assert_is!(asked, Err(AskError::Timeout { maybe_applied: false }));
    assert!(started.elapsed() < Duration::from_millis(110), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_reports_commands_of_a_partition_that_is_down() {
    let rig = Rig::of_one_partition();
    let kinds = vec![accounts(), registered(&Actions::default())];
    let engine = rig.start_with(kinds, Default::default()).await;
    for _ in 0..8 {
        let _ = fragile(&engine, "f").ask(Grenade).await;
        account(&engine, "a").ask(Deposit(1)).timeout(Duration::from_secs(9)).await.unwrap();
    }
    let _ = fragile(&engine, "f").ask(Grenade).await;
    all_wait().await;
    let waiting = send(account(&engine, "a").ask(Deposit(1)));
    all_wait().await;
    let report = engine.shutdown().await;
    let refused = usize::from(waiting.await.unwrap().is_err());
    assert_eq!(report.unanswered, refused);
    assert_eq!(engine.usage().commands, 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_staged_in_one_takes_up_no_room_any_more() {
    let rig = Rig::of_one_partition();
    let settings = RuntimeSettings::default().with_journal_bytes_max(1 << 20);
    let kinds = vec![accounts(), registered(&Actions::default())];
    let engine = rig.start_with(kinds, settings).await;
    let a = account(&engine, "a");
    for _ in 0..8 {
        let append = rig.hold_next(Operation::Append);
        let sent = send(a.ask(Deposit(1)));
        append.held(1).await;
        // more than a third of the room
        let staged = send(a.ask(DepositAll(vec![1; 1_500])));
        all_wait().await;
        blow_up(&engine, "f").await;
        append.open();
        assert_is!(sent.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
        assert_is!(staged.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
        sleep(Duration::from_secs(5)).await; // until it is up again
    }
    assert_eq!(account(&engine, "b").ask(Deposit(1)).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_fails_with_what_a_command_leaves_behind() {
    let rig = Rig::of_one_partition();
    let (listener, _guard) = Listener::listen(Level::DEBUG);
    let engine = start(&rig).await;
    let (a, f) = (account(&engine, "a"), fragile(&engine, "f"));
    a.ask(Deposit(1)).await.unwrap();
    // dropped without being handled, as a reply that no one wants, and with no one to report the rejection to
    let late = f.ask(Thorn { refused: false }).timeout(Duration::ZERO).await;
    assert_is!(late, Err(AskError::Timeout { maybe_applied: false }));
    f.tell(Thorn { refused: false }).unwrap();
    drop(f.ask(Thorn { refused: false }).into_future());
    f.tell(Thorn { refused: true }).unwrap();
    all_wait().await;
    assert_eq!(listener.saying("dropping a command or its answer panicked").len(), 3);
    assert_eq!(
        listener.saying("logging the failure of a command sent by `tell` panicked").len(),
        1
    );
    // neighbours in the same turn and later notice nothing
    let reads = rig.faults.calls(Operation::Recover);
    f.tell(Thorn { refused: false }).unwrap();
    assert_eq!(a.ask(Deposit(1)).await.unwrap(), 2);
    assert_eq!(f.ask(Fail(At::Nowhere)).await.unwrap().total, 1);
    assert_eq!(rig.faults.calls(Operation::Recover), reads);
    assert_eq!(listener.saying("partition failed, its entities will recover").len(), 0);
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn commands_and_states_that_panic_with_their_partition_do_no_more_harm() {
    let rig = Rig::of_one_partition();
    let engine = start(&rig).await;
    for id in ["g", "h", "i"] {
        fragile(&engine, id).ask(Arm).await.unwrap();
    }
    let append = rig.hold_next(Operation::Append);
    let sent = send(fragile(&engine, "j").ask(Fail(At::Nowhere)));
    append.held(1).await;
    let seeing = [(); 2].map(|()| send(fragile(&engine, "j").ask(Thorn { refused: false })));
    all_wait().await;
    blow_up(&engine, "f").await;
    assert_is!(sent.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
    for seeing in seeing {
        assert_is!(seeing.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
    }
    append.open();
    assert_eq!((engine.usage().entities, engine.usage().commands), (0, 0));
    assert_eq!(account(&engine, "a").ask(Deposit(1)).await.unwrap(), 1);
    assert_eq!(fragile(&engine, "j").ask(Fail(At::Nowhere)).await.unwrap().total, 2);
}

#[tokio::test(start_paused = true)]
async fn commands_of_one_that_is_down_get_how_its_engine_ended() {
    for end in ["fenced", "shut down", "dropped"] {
        let rig = Rig::of_one_partition();
        let kinds = vec![accounts(), registered(&Actions::default())];
        let settings = RuntimeSettings::default()
            .with_shutdown_timeout(Duration::from_millis(1))
            .with_writer_lease(Duration::from_millis(300))
            .with_ask_timeout(Duration::from_secs(60));
        let engine = rig.start_with(kinds, settings).await;
        for _ in 0..8 {
            blow_up(&engine, "f").await;
        }
        let waiting = send(account(&engine, "a").ask(Deposit(1)));
        all_wait().await;
        let why = match end {
            "fenced" => {
                rig.memory.reopen().revoke(engine.incarnation()).await.unwrap();
                while !engine.is_fenced() {
                    all_wait().await;
                }
                "unavailable: fenced: another engine has taken over the journal"
            }
            "shut down" => {
                assert_eq!(engine.shutdown().await.unanswered, 1);
                "unavailable: the engine is shutting down"
            }
            _ => {
                drop(engine);
                "unavailable: the engine has ended"
            }
        };
        assert_eq!(waiting.await.unwrap().unwrap_err().to_string(), why);
    }
}
