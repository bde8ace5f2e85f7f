//! Commands whose partition is not open in their engine go elsewhere, and kinds are found by name.

use crate::{
    account::{Account, AccountEvent, Balance, Deposit, Insufficient, Withdraw},
    fragile::{Actions, At, Fail, fragile, registered},
    note::{Write, note, notes},
    rig::{Rig, account, accounts, all_wait, assert_is, key, send},
};
use actum_model::{CommandId, Lane, Metadata, Partition, Revision, SequenceNr, StoredPayload};
use actum_runtime::{
    AskError, Elsewhere, EncodedCommand, EncodedRequest, Receipt, RoutedCommand, Runtime,
    settings::{OpenAtStart, RuntimeSettings},
};
use actum_testkit::Operation;
use parking_lot::Mutex;
use std::{future::IntoFuture, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Brings commands to the engine that serves them, as a cluster's transport would.
#[derive(Clone)]
struct Neighbour(Runtime);

impl Elsewhere for Neighbour {
    fn deliver(&self, mut command: RoutedCommand) {
        let kind = self.0.kind(command.key().kind()).expect("both run the same kinds");
        let (id, time_left) = (command.key().id(), Some(command.time_left()));
        let reading = kind.state(id, time_left);
        let payload = match command.encode() {
            Ok(EncodedRequest::Command(payload)) => payload,
            Ok(EncodedRequest::State) => {
                assert!(command.reads_state() && command.manifest() == "state");
                tokio::spawn(async move { command.answer(reading.await) });
                return;
            }
            Err(failure) => return command.fail(failure),
        };
        assert_eq!(payload.manifest, command.manifest());
        let encoded = EncodedCommand {
            payload,
            metadata: command.metadata().clone(),
            timeout: Some(command.time_left()),
            expected_revision: command.expected_revision(),
        };
        let asking = kind.ask(command.key().id(), encoded);
        tokio::spawn(async move { command.answer(asking.await) });
    }
}

/// Keeps commands.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<RoutedCommand>>>);

impl Elsewhere for Kept {
    fn deliver(&self, command: RoutedCommand) {
        self.0.lock().push(command);
    }
}

async fn start(rig: &Rig, settings: RuntimeSettings) -> Runtime {
    rig.start_with(vec![accounts(), notes(), registered(&Actions::default())], settings).await
}

/// An engine without an open partition.
async fn start_away(rig: &Rig, elsewhere: impl Elsewhere) -> Runtime {
    let none = OpenAtStart::Only(Vec::new());
    let settings = RuntimeSettings::default().with_open_at_start(none).with_elsewhere(elsewhere);
    start(rig, settings).await
}

/// The journals of an engine without partitions and of the one that serves them, and both engines.
struct Two {
    serving_rig: Rig,
    _away_rig: Rig,
    serving: Runtime,
    away: Runtime,
}

async fn two() -> Two {
    let [serving_rig, away_rig] = [(); 2].map(|()| Rig::of_one_partition());
    let serving = start(&serving_rig, RuntimeSettings::default()).await;
    let away = start_away(&away_rig, Neighbour(serving.clone())).await;
    Two { serving_rig, _away_rig: away_rig, serving, away }
}

#[tokio::test(start_paused = true)]
async fn a_command_goes_to_where_its_partition_is_open_and_its_reply_comes_back_typed() {
    let two = two().await;
    let a = account(&two.away, "a");
    let (balance, receipt) = a.ask(Deposit(5)).with_receipt().await.unwrap();
    assert_eq!((balance, receipt.sequence_nr.get()), (5, 1));
    let error = a.ask(Withdraw(8)).await.unwrap_err();
    assert_eq!(error.rejection(), Some(&Insufficient { short_by: 3 }));
    assert_eq!(account(&two.serving, "a").ask(Balance).await.unwrap(), 5);
    let error = fragile(&two.away, "f").ask(Fail(At::Handle)).await.map(drop).unwrap_err();
    assert_is!(error, AskError::Panicked { command: "fail", .. });
    assert_eq!((two.away.usage().entities, two.away.usage().commands), (0, 0));
    assert!(two.away.shutdown().await.is_clean() && two.serving.shutdown().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn what_comes_with_a_command_goes_with_it() {
    let two = two().await;
    let a = account(&two.away, "a");
    let metadata = Metadata::new().with_correlation_id("order-1").with_header("by", "Ada");
    let deposit = || a.ask(Deposit(5)).metadata(metadata.clone()).command_id("c");
    assert_eq!(deposit().await.unwrap(), 5);
    assert_eq!(deposit().await.unwrap(), 5, "a retry gets the first reply");
    let stored = two.serving_rig.stored("account", "a").await;
    let with_id = metadata.clone().with_command_id(CommandId::new("c").unwrap());
    assert_eq!(stored[0].decode_metadata().unwrap(), with_id);
    assert_eq!(stored.len(), 1);
    let outdated = a.ask(Deposit(5)).expect_revision(Revision::new(4)).await;
    assert_is!(outdated, Err(AskError::RevisionMismatch { actual, .. }) if actual == Revision::new(1));
    let append = two.serving_rig.hold_next(Operation::Append);
    let started = Instant::now();
    let late = a.ask(Deposit(5)).timeout(SECOND).await;
    assert_is!(late, Err(AskError::Timeout { maybe_applied: true }));
    assert!(started.elapsed() < SECOND + Duration::from_millis(50));
    append.open();
    a.tell(Deposit(5)).unwrap();
    assert_eq!(a.ask(Balance).await.unwrap(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_reference_stays_valid_while_its_partition_moves() {
    let [here, there] = [(); 2].map(|()| Rig::of_one_partition());
    let neighbour = start(&there, RuntimeSettings::default()).await;
    let settings = RuntimeSettings::default().with_elsewhere(Neighbour(neighbour.clone()));
    let engine = start(&here, settings).await;
    let (a, partition) = (account(&engine, "a"), Partition::new(0));
    for round in 1..=10 {
        assert_eq!(a.ask(Deposit(1)).await.unwrap(), round, "here");
        let append = here.hold_next(Operation::Append);
        let taken = send(account(&engine, "b").ask(Deposit(1)));
        append.held(1).await;
        let partitions = engine.partitions();
        let closing =
            tokio::spawn(
                async move { partitions.close(partition, Instant::now() + 60 * SECOND).await },
            );
        all_wait().await;
        // while it is being closed, too
        assert_eq!(a.ask(Deposit(10)).await.unwrap(), (2 * round - 1) * 10, "there");
        append.open();
        assert_eq!(closing.await.unwrap().unanswered, 0);
        assert_eq!(taken.await.unwrap().unwrap(), round);
        assert_eq!(a.ask(Deposit(10)).await.unwrap(), 2 * round * 10, "there");
        engine.partitions().open(partition, None).await.unwrap();
    }
    assert_eq!(here.events("a").await, vec![AccountEvent::Deposited(1); 10]);
    assert_eq!(there.events("a").await, vec![AccountEvent::Deposited(10); 20]);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_dropped_on_its_way_fails_and_says_whether_it_may_be_applied() {
    let rig = Rig::of_one_partition();
    let kept = Kept::default();
    let engine = start_away(&rig, kept.clone()).await;
    let [first, second] = ["a", "b"].map(|id| account(&engine, id).ask(Deposit(1)).into_future());
    account(&engine, "c").tell(Deposit(1)).unwrap();
    assert_eq!(engine.usage().commands, 3);
    let mut taken = std::mem::take(&mut *kept.0.lock());
    assert_eq!(taken[0].partition(), Partition::new(0));
    assert_eq!((taken[0].key(), taken[0].manifest()), (&key("account", "a"), "deposit"));
    assert_eq!(
        taken.iter().map(RoutedCommand::is_awaited).collect::<Vec<_>>(),
        [true, true, false]
    );
    assert_eq!(taken[0].time_left(), 5 * SECOND);
    let sent = taken[0].encode().unwrap();
    assert_eq!(sent, EncodedRequest::Command(StoredPayload::encode(&Deposit(1)).unwrap()));
    drop(taken);
    assert_is!(first.await, Err(AskError::OutcomeUnknown { .. }));
    let error = second.await.unwrap_err();
    assert!(error.is_transient() && !error.maybe_applied(), "{error}");
    assert_eq!(engine.usage().commands, 0);
}

#[tokio::test(start_paused = true)]
async fn a_caller_waits_no_longer_than_its_deadline_whatever_is_done_with_the_command() {
    let rig = Rig::of_one_partition();
    let kept = Kept::default();
    let engine = start_away(&rig, kept.clone()).await;
    for sent in [false, true] {
        let started = Instant::now();
        let asking = send(account(&engine, "a").ask(Deposit(1)).timeout(3 * SECOND));
        let earlier = send(account(&engine, "a").ask(Deposit(1)).timeout(SECOND));
        all_wait().await;
        if sent {
            kept.0.lock().iter_mut().for_each(|command| drop(command.encode().unwrap()));
        }
        assert_is!(earlier.await.unwrap(), Err(AskError::Timeout { maybe_applied }) if maybe_applied == sent);
        assert!(started.elapsed() < SECOND + Duration::from_millis(50));
        assert_is!(asking.await.unwrap(), Err(AskError::Timeout { maybe_applied }) if maybe_applied == sent);
        assert!(started.elapsed() < 3 * SECOND + Duration::from_millis(50));
        let mut taken = std::mem::take(&mut *kept.0.lock());
        if !sent {
            // it is not to be sent any more
            assert_is!(taken[0].encode(), Err(AskError::Timeout { maybe_applied: false }));
        }
        assert_eq!(engine.usage().commands, 2);
        drop(taken);
        assert_eq!(engine.usage().commands, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_commands_that_are_elsewhere_and_answers_those_that_do_not_come_back()
{
    let rig = Rig::of_one_partition();
    for comes_back in [true, false] {
        let kept = Kept::default();
        let engine = start_away(&rig, kept.clone()).await;
        let asking = send(account(&engine, "a").ask(Deposit(1)).timeout(60 * SECOND));
        all_wait().await;
        kept.0.lock()[0].encode().unwrap();
        let shut_down = engine.clone();
        let shutdown = tokio::spawn(async move { shut_down.shutdown().await });
        sleep(SECOND).await;
        assert!(!shutdown.is_finished());
        if comes_back {
            drop(kept.0.lock().pop());
        }
        assert_eq!(shutdown.await.unwrap().unanswered, usize::from(!comes_back));
        assert_is!(asking.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_is_read_from_elsewhere_where_the_kind_says_how_it_is_encoded() {
    let two = two().await;
    account(&two.away, "a").ask(Deposit(1)).await.unwrap();
    let error = account(&two.away, "a").state().await.unwrap_err();
    assert_is!(error, AskError::Invalid { what } if what.starts_with("the state of `account` cannot be"));
    note(&two.away, "n").ask(Write("x".into())).await.unwrap();
    assert_eq!(note(&two.away, "n").state().await.unwrap().text, "x");
    assert_eq!(account(&two.serving, "a").state().await.unwrap(), Account { balance: 1 });
}

#[tokio::test(start_paused = true)]
async fn a_read_of_a_state_that_is_dropped_on_its_way_surely_did_nothing() {
    let rig = Rig::of_one_partition();
    let kept = Kept::default();
    let engine = start_away(&rig, kept.clone()).await;
    let reading = account(&engine, "a").state().into_future();
    let mut taken = kept.0.lock().pop().unwrap();
    assert_eq!(taken.encode().unwrap(), EncodedRequest::State);
    drop(taken);
    assert_is!(reading.await, Err(AskError::Unavailable { .. }));
    let reading = account(&engine, "a").state().into_future();
    let wrong = StoredPayload::encode(&Deposit(1)).unwrap();
    let receipt = Receipt::new(SequenceNr::ZERO, Lane::new(0), None);
    kept.0.lock().pop().unwrap().answer(Ok((wrong, receipt)));
    assert_is!(reading.await, Err(AskError::Invalid { what }) if what.starts_with("the state cannot be decoded: "));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_decoded_at_either_end_says_so() {
    let rig = Rig::of_one_partition();
    let kept = Kept::default();
    let engine = start_away(&rig, kept.clone()).await;
    let serving_rig = Rig::of_one_partition();
    let serving = start(&serving_rig, RuntimeSettings::default()).await;
    let kind = serving.kind("account").unwrap();
    assert_eq!(kind.name(), "account");
    assert!(serving.kind("ship").is_none());
    let command = |payload| EncodedCommand {
        payload,
        metadata: Metadata::new(),
        timeout: None,
        expected_revision: None,
    };
    let deposit = StoredPayload::encode(&Deposit(1)).unwrap();
    for (payload, expected) in [
        (
            StoredPayload { schema_version: 2, ..deposit.clone() },
            "`deposit` is stored in schema version 2, this program knows up to 1",
        ),
        (
            StoredPayload { bytes: "x".into(), ..deposit.clone() },
            "`deposit`, schema version 1, is not valid json: ",
        ),
    ] {
        let error = kind.ask("a", command(payload)).await.unwrap_err();
        assert_is!(error, AskError::Invalid { what } if what.starts_with(expected));
    }
    assert_is!(kind.state("", None).await, Err(AskError::Invalid { .. }));
    let unlisted = StoredPayload { manifest: "close".into(), ..deposit.clone() };
    assert_is!(kind.ask("a", command(unlisted.clone())).await, Err(AskError::Invalid { .. }));
    assert_is!(kind.tell("a", command(unlisted)).unwrap_err().0, AskError::Invalid { .. });
    assert_is!(kind.ask("", command(deposit.clone())).await, Err(AskError::Invalid { .. }));
    let (reply, receipt) = kind.ask("a", command(deposit)).await.unwrap();

    // the reply of another version
    for wrong in [
        StoredPayload { schema_version: 9, ..reply.clone() },
        StoredPayload { bytes: "x".into(), ..reply.clone() },
    ] {
        let asking = account(&engine, "a").ask(Deposit(1)).into_future();
        kept.0.lock().pop().unwrap().answer(Ok((wrong.clone(), receipt)));
        assert_is!(asking.await, Err(AskError::OutcomeUnknown { .. }));
        let asking = account(&engine, "a").ask(Withdraw(1)).into_future();
        kept.0.lock().pop().unwrap().answer(Err(AskError::Rejected(wrong)));
        assert_is!(asking.await, Err(AskError::Invalid { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_was_found_by_name_serves_here_or_not_at_all() {
    let rig = Rig::of_one_partition();
    let kept = Kept::default();
    let engine = start_away(&rig, kept.clone()).await;
    let command = EncodedCommand {
        payload: StoredPayload::encode(&Deposit(1)).unwrap(),
        metadata: Metadata::new(),
        timeout: None,
        expected_revision: None,
    };
    let kind = engine.kind("account").unwrap();
    assert_is!(kind.ask("a", command.clone()).await, Err(AskError::Unavailable { .. }));
    assert_is!(kind.tell("a", command.clone()).unwrap_err().0, AskError::Unavailable { .. });
    assert_eq!(kept.0.lock().len(), 0);
    engine.partitions().open(Partition::new(0), None).await.unwrap();
    let (reply, _) = kind.ask("a", command).await.unwrap();
    assert_eq!(reply.decode::<u64>().unwrap(), 1);
}
