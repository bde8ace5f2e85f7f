//! Appends go in the batches of their lane, and one of each stream at a time.

use super::{KIND, amounts, append, appending, at, ledger};
use crate::{
    account::Deposit,
    rig::{Rig, account, all_wait, assert_is, send},
};
use actum_runtime::{AppendError, Expected};
use actum_testkit::{Fault, Operation};

#[tokio::test(start_paused = true)]
async fn entities_and_streams_go_in_one_batch() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let gate = rig.hold_next(Operation::Append);
    let first = appending(&ledger(&engine, "first"), Expected::NEW, 1);
    gate.held(1).await;
    let ledgers: Vec<_> =
        (0..5).map(|n| appending(&ledger(&engine, &n.to_string()), Expected::NEW, n)).collect();
    let deposits: Vec<_> =
        (0..5).map(|n| send(account(&engine, &n.to_string()).ask(Deposit(n)))).collect();
    all_wait().await;
    gate.open();
    first.await.unwrap().unwrap();
    for appended in ledgers {
        appended.await.unwrap().unwrap();
    }
    for (deposited, n) in deposits.into_iter().zip(0..) {
        assert_eq!(deposited.await.unwrap().unwrap(), n);
    }
    assert_eq!(rig.faults.calls(Operation::Append), 2, "the first one, and all that gathered");
}

#[tokio::test(start_paused = true)]
async fn many_appends_of_one_stream_do_not_divide_the_batches_of_the_others() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let hot = ledger(&engine, "hot");
    let gate = rig.hold_next(Operation::Append);
    let first = appending(&hot, Expected::NEW, 0);
    gate.held(1).await;
    let racing: Vec<_> = (1..=10).map(|n| appending(&hot, at(1), n)).collect();
    let late: Vec<_> = (1..=10).map(|n| appending(&hot, Expected::NEW, n)).collect();
    let deposits: Vec<_> =
        (0..5).map(|n| send(account(&engine, &n.to_string()).ask(Deposit(n)))).collect();
    all_wait().await;
    gate.open();
    first.await.unwrap().unwrap();
    let mut stored = 0;
    for append in racing {
        match append.await.unwrap() {
            Ok(receipt) => {
                assert_eq!(receipt.sequence_nr.get(), 2);
                stored += 1;
            }
            Err(AppendError::Conflict { expected, actual }) => {
                assert_eq!((expected.get(), actual.get()), (1, 2));
            }
            Err(other) => panic!("{other}"),
        }
    }
    for append in late {
        assert_is!(append.await.unwrap(), Err(AppendError::Conflict { .. }));
    }
    for deposited in deposits {
        deposited.await.unwrap().unwrap();
    }
    assert_eq!((stored, amounts(&rig, "hot").await.len()), (1, 2));
    assert_eq!(rig.faults.calls(Operation::Append), 2, "no question about what is known");
}

#[tokio::test(start_paused = true)]
async fn a_conflict_of_a_stream_fails_no_other_write_of_its_batch() {
    let rig = Rig::of_one_partition();
    let engine = rig.start().await;
    append(&ledger(&engine, "a"), Expected::NEW, [1]).await.unwrap();
    let gate = rig.hold_next(Operation::Append);
    let first = appending(&ledger(&engine, "first"), Expected::NEW, 1);
    gate.held(1).await;
    let conflict = appending(&ledger(&engine, "a"), Expected::NEW, 2);
    let (stored, deposit) = (
        appending(&ledger(&engine, "b"), Expected::NEW, 3),
        send(account(&engine, "a").ask(Deposit(4))),
    );
    all_wait().await;
    gate.open();
    first.await.unwrap().unwrap();
    assert_is!(conflict.await.unwrap(), Err(AppendError::Conflict { .. }));
    stored.await.unwrap().unwrap();
    assert_eq!(deposit.await.unwrap().unwrap(), 4);
    assert_eq!((amounts(&rig, "a").await, amounts(&rig, "b").await), (vec![1], vec![3]));
}

#[tokio::test(start_paused = true)]
async fn an_append_that_the_store_refuses_alone_lets_the_next_one_of_its_stream_go() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = ledger(&engine, "a");
    let gate = crate::rig::Gate::closed();
    let refused = actum_persistence::store::StoreError::invalid("too early");
    rig.faults.next(Operation::Append, Fault::fail(refused).held_before(&gate));
    let (first, second) = (appending(&a, Expected::NEW, 1), appending(&a, Expected::NEW, 2));
    gate.held(1).await;
    gate.open();
    assert_is!(first.await.unwrap(), Err(AppendError::Invalid { .. }));
    second.await.unwrap().unwrap();
    assert_eq!(amounts(&rig, "a").await, [2]);
    assert_eq!(rig.stored(KIND, "a").await.len(), 1);
}
