//! Partitions are closed and opened again while their engine runs.

use crate::{
    account::{Account, Balance, Deposit},
    blocked::{Block, PATIENCE, Stage, Touch},
    fragile::{Actions, At, Fail, Grenade, fragile, registered},
    rig::{Rig, account, accounts, all_wait, assert_is, key, send},
};
use actum_model::{Partition, PartitionCount};
use actum_persistence::store::JournalLayout;
use actum_runtime::{
    AskError, Closed, EntityRef, PartitionNotOpened, PartitionState, Runtime, StartError,
    settings::{OpenAtStart, RuntimeSettings},
};
use actum_store_memory::MemoryStore;
use actum_testkit::Operation;
use std::{future::IntoFuture, time::Duration};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep, timeout},
};

const FIRST: Partition = Partition::new(0);
const SECOND: Duration = Duration::from_secs(1);

fn of_partitions(count: u16) -> Rig {
    let partitions = PartitionCount::new(count).unwrap();
    Rig::over(MemoryStore::with_layout(JournalLayout { partitions, ..Default::default() }))
}

async fn start(rig: &Rig, settings: RuntimeSettings) -> Runtime {
    rig.start_with(vec![accounts(), registered(&Actions::default())], settings).await
}

fn in_a_second() -> Instant {
    Instant::now() + SECOND
}

/// Closes a partition that has the time to finish everything.
async fn close(engine: &Runtime, partition: Partition) {
    let closed = engine.partitions().close(partition, Instant::now() + 60 * SECOND).await;
    assert_eq!((closed.unanswered, closed.is_stuck), (0, false));
    assert_eq!(engine.partitions().state(partition), PartitionState::Closed);
}

async fn open(engine: &Runtime, partition: Partition) {
    engine.partitions().open(partition, None).await.unwrap();
    assert_eq!(engine.partitions().state(partition), PartitionState::Open);
}

fn is_not_open_here<X>(error: &AskError<X>) -> bool {
    matches!(error, AskError::Unavailable { reason, .. } if reason.ends_with("is not open here"))
}

/// Fails the only partition: a state panics when it is dropped.
async fn blow_up(engine: &Runtime) {
    let asked = fragile(engine, "f").ask(Grenade).timeout(60 * SECOND).await;
    assert_is!(asked, Err(AskError::OutcomeUnknown { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_partition_comes_and_goes_and_leaves_nothing_behind() {
    let rig = Rig::of_one_partition();
    let engine = start(&rig, RuntimeSettings::default()).await;
    let a = account(&engine, "a");
    let alive = || Handle::current().metrics().num_alive_tasks();
    let mut closed = None;
    for cycle in 1..=200 {
        assert_eq!(a.ask(Deposit(1)).await.unwrap(), cycle);
        account(&engine, &cycle.to_string()).tell(Deposit(1)).unwrap();
        close(&engine, FIRST).await;
        assert!(is_not_open_here(&a.ask(Balance).await.unwrap_err()));
        assert!(is_not_open_here(&a.tell(Deposit(1)).unwrap_err().0));
        assert_eq!((engine.usage().entities, engine.usage().commands), (0, 0));
        assert_eq!(engine.usage().command_ids_bytes, 0);
        assert_eq!(engine.health().partitions.running, 0);
        all_wait().await;
        assert_eq!(*closed.get_or_insert_with(alive), alive());
        open(&engine, FIRST).await;
        assert_eq!(engine.health().partitions.running, 1);
    }
    for id in 1..=200 {
        assert_eq!(rig.events(&id.to_string()).await.len(), 1);
    }
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_is_finished_before_a_partition_is_closed() {
    let rig = Rig::of_one_partition();
    let engine = start(&rig, RuntimeSettings::default()).await;
    let append = rig.hold_next(Operation::Append);
    let taken = send(account(&engine, "a").ask(Deposit(1)));
    append.held(1).await;
    let behind = send(account(&engine, "a").ask(Deposit(1)));
    let in_the_inbox = account(&engine, "b").ask(Deposit(1)).into_future();
    let partitions = engine.partitions();
    let closing = tokio::spawn(async move { partitions.close(FIRST, in_a_second()).await });
    all_wait().await;
    assert_eq!(engine.partitions().state(FIRST), PartitionState::Closing);
    assert!(is_not_open_here(&account(&engine, "a").ask(Balance).await.unwrap_err()));
    assert_eq!(engine.partitions().open(FIRST, None).await, Err(PartitionNotOpened::Closing));
    append.open();
    assert_eq!(closing.await.unwrap().unanswered, 0);
    assert_eq!(taken.await.unwrap().unwrap(), 1);
    assert_eq!(behind.await.unwrap().unwrap(), 2);
    assert_eq!(in_the_inbox.await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_finished_at_the_deadline_fails_and_the_partition_opens_again() {
    let rig = Rig::of_one_partition();
    let engine = start(&rig, RuntimeSettings::default()).await;
    let append = rig.hold_next(Operation::Append);
    let deposit = || {
        let ask = account(&engine, "a").ask(Deposit(1)).command_id("c");
        send(ask.timeout(60 * SECOND))
    };
    let taken = deposit();
    append.held(1).await;
    let query = send(account(&engine, "a").ask(Balance).timeout(60 * SECOND));
    all_wait().await;
    let started = Instant::now();
    let closed = engine.partitions().close(FIRST, in_a_second()).await;
    assert_eq!((closed.unanswered, closed.is_stuck), (2, false));
    assert_eq!(started.elapsed(), SECOND);
    assert_is!(taken.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
    query.await.unwrap().unwrap_err();
    assert_eq!((engine.usage().entities, engine.usage().commands), (0, 0));

    // it begins behind what is still under way
    engine.partitions().open(FIRST, None).await.unwrap();
    assert_eq!(engine.partitions().state(FIRST), PartitionState::Restarting);
    let retry = deposit();
    let query = send(account(&engine, "a").ask(Balance).timeout(60 * SECOND));
    all_wait().await;
    sleep(SECOND).await;
    assert!(!query.is_finished());
    append.open();
    assert_eq!(retry.await.unwrap().unwrap(), 1);
    assert_eq!(query.await.unwrap().unwrap(), 1);
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 1);
    assert_eq!(rig.events("a").await.len(), 1);
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test]
async fn a_handler_that_is_stuck_is_not_waited_for_and_changes_nothing_later() {
    let stage = Stage::of_threads(4).await;
    stage.entity("a").ask(Touch).await.unwrap();
    let blocking = stage.entity("a").ask(Block(1)).into_future();
    stage.latches.entered(1);
    let in_the_inbox = stage.entity("b").ask(Touch).into_future();
    let partitions = stage.engine.partitions();
    let closing = partitions.close(FIRST, Instant::now() + Duration::from_millis(10));
    let closed = timeout(PATIENCE, closing).await.unwrap();
    assert_eq!((closed.unanswered, closed.is_stuck), (2, true));
    assert_is!(blocking.await, Err(AskError::OutcomeUnknown { .. }));
    assert_is!(in_the_inbox.await, Err(AskError::Unavailable { .. }));
    assert_eq!(partitions.open(FIRST, None).await, Err(PartitionNotOpened::Closing));
    let again = partitions.close(FIRST, Instant::now()).await;
    assert_eq!((again.unanswered, again.is_stuck), (0, true));
    stage.latches.open(1);
    let opened = async {
        while partitions.open(FIRST, None).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, opened).await.unwrap();
    assert_eq!(stage.entity("a").ask(Touch).await.unwrap(), 2);
    assert_eq!(stage.rig.stored("blocked", "a").await.len(), 2);
    let counted = async {
        while stage.engine.usage().commands > 0 {
            tokio::task::yield_now().await; // its answer comes before it is counted
        }
    };
    timeout(PATIENCE, counted).await.unwrap();
    assert_eq!(stage.engine.usage().entities, 1);
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_fails_while_it_is_closed_is_closed() {
    let rig = Rig::of_one_partition();
    let engine = start(&rig, RuntimeSettings::default()).await;
    account(&engine, "a").ask(Deposit(1)).await.unwrap();
    let read = rig.hold_next(Operation::Recover);
    let failing = send(fragile(&engine, "f").ask(Grenade));
    read.held(1).await;
    let partitions = engine.partitions();
    let closing = tokio::spawn(async move { partitions.close(FIRST, in_a_second()).await });
    all_wait().await;
    read.open();
    assert!(!closing.await.unwrap().is_stuck);
    assert_is!(failing.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
    assert_eq!((engine.usage().entities, engine.usage().commands), (0, 0));
    sleep(60 * SECOND).await;
    assert_eq!(engine.partitions().state(FIRST), PartitionState::Closed);
    assert!(is_not_open_here(&account(&engine, "a").ask(Balance).await.unwrap_err()));
    open(&engine, FIRST).await;
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_down_is_closed_and_no_late_restart_opens_it() {
    let rig = Rig::of_one_partition();
    let engine = start(&rig, RuntimeSettings::default()).await;
    for _ in 0..4 {
        blow_up(&engine).await; // the next restart comes after a pause
    }
    while engine.partitions().state(FIRST) != PartitionState::Restarting {
        tokio::task::yield_now().await;
    }
    let waiting = account(&engine, "a").ask(Deposit(1)).into_future();
    let closed = engine.partitions().close(FIRST, in_a_second()).await;
    assert_eq!((closed.unanswered, closed.is_stuck), (1, false));
    let error = waiting.await.unwrap_err();
    assert!(error.is_transient() && !error.maybe_applied(), "{error}");
    sleep(60 * SECOND).await;
    assert_eq!(engine.partitions().state(FIRST), PartitionState::Closed);
    assert_eq!(engine.health().partitions.restarting, 0);
    // opened before the restart would have come
    open(&engine, FIRST).await;
    assert_eq!(account(&engine, "a").ask(Deposit(1)).await.unwrap(), 1);
    blow_up(&engine).await;
    let _ = close_down(&engine).await;
    open(&engine, FIRST).await;
    sleep(60 * SECOND).await;
    assert_eq!(account(&engine, "a").ask(Deposit(1)).await.unwrap(), 2);
    assert_eq!(engine.usage().entities, 1);
    assert!(engine.shutdown().await.is_clean());
}

/// Closes a partition whatever state it is in.
async fn close_down(engine: &Runtime) -> Closed {
    engine.partitions().close(FIRST, in_a_second()).await
}

#[tokio::test(start_paused = true)]
async fn openings_and_closings_at_once_all_end_and_the_last_one_counts() {
    let rig = Rig::of_one_partition();
    let engine = start(&rig, RuntimeSettings::default()).await;
    for round in 0..20 {
        let append = rig.hold_next(Operation::Append);
        let taken = send(account(&engine, "a").ask(Deposit(1)));
        append.held(1).await;
        let calls: Vec<_> = (0..10)
            .map(|n| {
                let partitions = engine.partitions();
                tokio::spawn(async move {
                    if (n + round) % 2 == 0 {
                        let _ = partitions.close(FIRST, Instant::now() + 60 * SECOND).await;
                    } else {
                        let _ = partitions.open(FIRST, None).await;
                    }
                })
            })
            .collect();
        all_wait().await;
        append.open();
        for call in calls {
            timeout(60 * SECOND, call).await.expect("it ends").unwrap();
        }
        assert_eq!(taken.await.unwrap().unwrap(), round + 1);
        close(&engine, FIRST).await;
        close(&engine, FIRST).await;
        open(&engine, FIRST).await;
        assert_eq!(
            engine.partitions().open(FIRST, None).await,
            Err(PartitionNotOpened::AlreadyOpen)
        );
    }
    assert!(engine.shutdown().await.is_clean());
    assert_eq!(engine.partitions().open(FIRST, None).await, Err(PartitionNotOpened::Ended));
    assert_eq!(engine.partitions().close(FIRST, in_a_second()).await, Closed::default());
}

/// An account in this partition of `count`.
fn in_partition(engine: &Runtime, partition: Partition, count: u16) -> EntityRef<Account> {
    let count = PartitionCount::new(count).unwrap();
    let ids = (0..).map(|n: u32| n.to_string());
    let id = ids.into_iter().find(|id| key("account", id).partition(count) == partition);
    account(engine, &id.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_term_that_ends_refuses_the_commands_of_its_partition_only() {
    let rig = of_partitions(2);
    let engine = start(&rig, RuntimeSettings::default()).await;
    let partitions = engine.partitions();
    let [mine, other] = [0, 1].map(|nr| in_partition(&engine, Partition::new(nr), 2));
    close(&engine, FIRST).await;
    let term = partitions.new_term();
    partitions.open(FIRST, Some(term.clone())).await.unwrap();
    let lapsed = "unavailable: the writer lease could not be renewed in time";
    assert_eq!(mine.ask(Deposit(1)).await.unwrap_err().to_string(), lapsed);
    term.set_end(in_a_second());
    assert_eq!(mine.ask(Deposit(1)).await.unwrap(), 1);
    sleep(SECOND).await;
    assert_eq!(mine.ask(Deposit(1)).await.unwrap_err().to_string(), lapsed);
    assert_eq!(other.ask(Deposit(1)).await.unwrap(), 1);
    term.set_end(in_a_second());
    assert_eq!(mine.ask(Deposit(1)).await.unwrap(), 2);
    // opened again, it serves as long as the engine does
    close(&engine, FIRST).await;
    open(&engine, FIRST).await;
    sleep(60 * SECOND).await;
    assert_eq!(mine.ask(Deposit(1)).await.unwrap(), 3);
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_term_does_not_outlast_the_lease_of_its_engine() {
    let rig = Rig::of_one_partition();
    let settings = RuntimeSettings::default().with_writer_lease(3 * SECOND);
    let engine = start(&rig, settings).await;
    close(&engine, FIRST).await;
    let term = engine.partitions().new_term();
    term.set_end(Instant::now() + 3_600 * SECOND);
    engine.partitions().open(FIRST, Some(term)).await.unwrap();
    assert_eq!(account(&engine, "a").ask(Deposit(1)).await.unwrap(), 1);
    rig.faults.always(Operation::Renew, actum_testkit::Fault::unavailable());
    // not through the gate, which is closed by a task: by the clock, as after a stall of the whole process
    tokio::time::advance(10 * SECOND).await;
    assert_is!(account(&engine, "a").ask(Balance).await, Err(AskError::Unavailable { .. }));
}

#[tokio::test(start_paused = true)]
async fn an_engine_opens_at_its_start_what_its_settings_say() {
    let rig = of_partitions(4);
    let only = |partitions: &[u16]| {
        let partitions = partitions.iter().map(|nr| Partition::new(*nr)).collect();
        RuntimeSettings::default().with_open_at_start(OpenAtStart::Only(partitions))
    };
    let engine = start(&rig, only(&[2, 1, 2])).await;
    let states: Vec<_> = (0..5).map(|nr| engine.partitions().state(Partition::new(nr))).collect();
    use PartitionState::{Closed, Open};
    assert_eq!(states, [Closed, Open, Open, Closed, Closed]);
    assert_eq!(engine.health().partitions.running, 2);
    in_partition(&engine, Partition::new(1), 4).ask(Deposit(1)).await.unwrap();
    let elsewhere = in_partition(&engine, Partition::new(3), 4);
    assert!(is_not_open_here(&elsewhere.ask(Deposit(1)).await.unwrap_err()));
    let unknown = engine.partitions().open(Partition::new(4), None).await;
    assert_eq!(unknown, Err(PartitionNotOpened::Unknown { count: 4 }));
    assert!(engine.shutdown().await.is_clean());
    let error = rig.try_start("bank", vec![accounts()], only(&[4])).await.unwrap_err();
    assert_is!(error, StartError::Invalid { problems } if problems == ["open_at_start names partition 4, and the journal has 4, from 0"]);
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_was_fenced_is_not_started_again() {
    let rig = Rig::of_one_partition();
    let engine = start(&rig, RuntimeSettings::default()).await;
    account(&engine, "a").ask(Deposit(1)).await.unwrap();
    fragile(&engine, "f").ask(Fail(At::Nowhere)).await.unwrap();
    use actum_persistence::store::WriterStore;
    rig.memory.reopen().revoke(engine.incarnation()).await.unwrap();
    engine.fenced().await;
    sleep(60 * SECOND).await;
    assert_eq!(engine.partitions().state(FIRST), PartitionState::Closed);
    assert_eq!(engine.partitions().open(FIRST, None).await, Err(PartitionNotOpened::Ended));
    assert_eq!((engine.usage().entities, engine.usage().commands), (0, 0));
}
