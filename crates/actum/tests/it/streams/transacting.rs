//! Transactions: read, decide, append, and again with what is new when others were faster.

use super::{Booked, Rig, add, amounts, book};
use actum::{
    Engine, EntityKey, Expected, MemoryStore, Position, ReadError, SequenceNr, Stream,
    TransactError, store::EventStore,
};
use actum_testkit::{Fault, Operation};
use std::{collections::HashSet, convert::Infallible, num::NonZeroU32};

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("short by {0}")]
struct Insufficient(i64);

#[tokio::test]
async fn a_transaction_decides_on_all_there_is_and_returns_the_state_with_its_own_events() {
    let rig = Rig::start().await;
    let ledger = rig.ledger();
    ledger.append(Expected::NEW, [Booked(5), Booked(6)]).await.unwrap();
    let twice = |balance: &i64| Ok::<_, Infallible>(vec![Booked(*balance), Booked(100)]);
    let (balance, receipt) = ledger.transact(0, add, twice).await.unwrap();
    assert_eq!((balance, receipt.sequence_nr.get()), (122, 4));
    assert_eq!(amounts(&ledger).await, [5, 6, 11, 100]);
    let head = rig.engine.commits().lane(receipt.lane).unwrap().head();
    assert_eq!(receipt.position, Some(head));
}

#[tokio::test]
async fn a_decision_against_it_or_for_no_events_appends_nothing() {
    let rig = Rig::start().await;
    let ledger = rig.ledger();
    let nothing = |_: &i64| Ok::<_, Infallible>(Vec::new());
    let (balance, receipt) = ledger.transact(0, add, nothing).await.unwrap();
    assert_eq!((balance, receipt.sequence_nr.get(), receipt.position), (0, 0, None));
    let appended = ledger.append(Expected::NEW, [Booked(5)]).await.unwrap();
    let (balance, receipt) = ledger.transact(0, add, nothing).await.unwrap();
    assert_eq!((balance, receipt), (5, appended));
    let against = |balance: &i64| Err(Insufficient(10 - balance));
    let error = ledger.transact(0, add, against).await.unwrap_err();
    assert_eq!(error.rejection(), Some(&Insufficient(5)));
    assert!(!error.maybe_appended());
    assert_eq!(format!("{}", std::error::Error::source(&error).unwrap()), "short by 5");
    assert_eq!(rig.faults.calls(Operation::Append), 1);
}

#[tokio::test]
async fn after_a_conflict_only_what_is_new_is_read_and_it_is_decided_again() {
    let rig = Rig::start().await;
    let ledger = rig.ledger();
    ledger.append(Expected::NEW, [Booked(1), Booked(2)]).await.unwrap();
    // another writer books the same just before
    rig.faults.next_n(Operation::Append, 2, Fault::foreign_writer());
    let (mut applied, mut decided) = (Vec::new(), Vec::new());
    let apply = |balance: &mut i64, booked: &Booked| {
        applied.push(booked.0);
        *balance += booked.0;
    };
    let decide = |balance: &i64| {
        decided.push(*balance);
        Ok::<_, Infallible>(vec![Booked(10 * balance)])
    };
    let (balance, receipt) = ledger.transact(0, apply, decide).await.unwrap();
    assert_eq!(decided, [3, 33, 363]);
    assert_eq!(applied, [1, 2, 30, 330, 3630]);
    assert_eq!((balance, receipt.sequence_nr.get()), (3993, 5));
    assert_eq!(amounts(&ledger).await, applied);
}

#[tokio::test]
async fn a_transaction_gives_up_after_its_attempts() {
    let rig = Rig::start().await;
    rig.faults.always(Operation::Append, Fault::foreign_writer());
    for (ledger, attempts) in [
        (rig.ledger(), 10),
        (rig.ledger().with_attempts_max(NonZeroU32::new(3).unwrap()), 3),
        (rig.ledger().with_attempts_max(NonZeroU32::MIN), 1),
    ] {
        let before = rig.faults.calls(Operation::Append);
        let error = ledger.transact(0, add, book(1)).await.unwrap_err();
        assert!(
            matches!(error, TransactError::TooManyConflicts { attempts: n } if u64::from(n) == attempts)
        );
        assert_eq!(rig.faults.calls(Operation::Append) - before, attempts);
        assert!(!error.maybe_appended());
    }
}

/// Sixteen tasks book one at a time, and none of their bookings is lost.
async fn book_by_many(ledger: &Stream<Booked>, rounds: i64) {
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                let mut balances = Vec::new();
                for _ in 0..rounds {
                    let next = |balance: &i64| Ok::<_, Infallible>(vec![Booked(1 + balance)]);
                    let last = |last: &mut i64, booked: &Booked| *last = booked.0;
                    balances.push(ledger.transact(0, last, next).await.unwrap().0);
                }
                balances
            })
        })
        .collect();
    let mut balances = HashSet::new();
    for task in tasks {
        balances.extend(task.await.unwrap());
    }
    let all: Vec<_> = (1..=16 * rounds).collect();
    assert_eq!(balances, all.iter().copied().collect());
    assert_eq!(amounts(ledger).await, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_of_many_tasks_on_one_stream_all_count() {
    let rig = Rig::start().await;
    book_by_many(&rig.ledger(), 20).await;
    assert_eq!(rig.faults.calls(Operation::Append), 320, "they take turns, so none is in conflict");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_of_many_tasks_on_one_stream_in_a_file_all_count() {
    let dir = tempfile::tempdir().unwrap();
    let store = actum::SqliteStore::open(dir.path().join("ledgers.db")).await.unwrap();
    let builder = actum::Engine::builder("ledgers").store(store);
    let engine = builder.entity::<crate::counter::Counter>(()).start().await.unwrap();
    book_by_many(&engine.stream("ledger", "2026-11"), 3).await;
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_among_plain_appends_all_count() {
    let rig = Rig::start().await;
    let ledger = rig.ledger().with_attempts_max(NonZeroU32::MAX);
    let mut tasks = Vec::new();
    for n in 0..8 {
        let ledger = ledger.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..20 {
                if n % 2 == 0 {
                    ledger.append(Expected::Any, [Booked(1)]).await.unwrap();
                } else {
                    let (mut count, mut sum) = (0, 0);
                    let apply = |balance: &mut i64, booked: &Booked| {
                        (count, sum) = (count + 1, sum + booked.0);
                        *balance += booked.0;
                    };
                    let (balance, receipt) = ledger.transact(0, apply, book(1)).await.unwrap();
                    assert_eq!((balance, receipt.sequence_nr.get()), (sum, count));
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(amounts(&ledger).await, [1; 160]);
    let heads = rig.engine.journal().heads().await.unwrap();
    assert_eq!(heads.positions(), [Position::new(160)], "dense");
}

#[tokio::test]
async fn nothing_is_decided_on_a_stream_whose_first_events_were_deleted() {
    let store = MemoryStore::new();
    let builder = Engine::builder("ledgers").store(store.reopen()).streams_only();
    let engine = builder.start().await.unwrap();
    let ledger: Stream<Booked> = engine.stream("ledger", "2026-11");
    ledger.append(Expected::NEW, [1, 2, 3].map(Booked)).await.unwrap();
    let key = EntityKey::new("ledger", "2026-11").unwrap();
    store.delete_events(engine.incarnation(), &key, SequenceNr::new(2)).await.unwrap();
    let decide =
        |balance: &i64| -> Result<Vec<Booked>, Infallible> { panic!("decided on {balance}") };
    let error = ledger.transact(0, add, decide).await.unwrap_err();
    let TransactError::Read(ReadError::Deleted { entity, up_to }) = &error else {
        panic!("{error:?}");
    };
    assert_eq!((entity, up_to.get()), (&key, 2));
}
