//! Nodes that are killed, that are silent, and that lose the journal.

use crate::{
    account::{Balance, Deposit},
    rig::{Rig, RunningNode, ids, settled},
};
use actum_runtime::AskError;
use actum_testkit::{Fault, Operation};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn the_entities_of_one_that_was_killed_answer_elsewhere_within_a_second() {
    let rig = Rig::new();
    let mut nodes = rig.start_all(&["a", "b", "c"]).await;
    for id in ids() {
        nodes[0].account(&id).ask(Deposit(1)).await.unwrap();
    }
    // no one is revoked before an observer has watched for a lease
    tokio::time::sleep(Duration::from_secs(8)).await;
    nodes.pop().unwrap().kill(&rig.network);
    let killed = Instant::now();
    for id in ids() {
        let deposit = nodes[0].account(&id).ask(Deposit(1)).command_id("after");
        assert_eq!(deposit.await.unwrap(), 2);
    }
    assert!(killed.elapsed() < Duration::from_secs(1), "{:?}", killed.elapsed());
    settled(&nodes).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_reach_its_peers_and_renews_stays_a_member() {
    let rig = Rig::new();
    let nodes = rig.start_all(&["a", "b", "c"]).await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    rig.network.isolate(nodes[2].incarnation());
    tokio::time::sleep(Duration::from_secs(20)).await;
    for node in &nodes {
        assert_eq!(node.node.view().members.len(), 3);
    }
    let id = ids().next().unwrap();
    for id in ids() {
        let answer = nodes[0].account(&id).ask(Deposit(1)).timeout(Duration::from_secs(2)).await;
        assert!(matches!(answer, Ok(1) | Err(AskError::Timeout { .. })), "{answer:?}");
    }
    rig.network.heal();
    settled(&nodes).await;
    nodes[2].account(&id).ask(Balance).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_that_is_cut_off_from_the_journal_stops_and_comes_back_as_another_incarnation() {
    let rig = Rig::new();
    let nodes = rig.start_all(&["a", "b", "c"]).await;
    for id in ids() {
        nodes[0].account(&id).ask(Deposit(1)).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(8)).await;
    let before = nodes[2].incarnation();
    nodes[2].lose_journal();
    let cut = Instant::now();
    // its entities answer elsewhere when its lease is over
    for id in ids() {
        assert_eq!(deposited(&nodes[0], &id, "after").await, 2);
    }
    assert!(cut.elapsed() < Duration::from_secs(5), "{:?}", cut.elapsed());
    for id in ids() {
        let read = nodes[2].account(&id).ask(Balance).timeout(Duration::from_secs(1)).await;
        assert!(matches!(read, Ok(2) | Err(_)), "{read:?}");
    }
    nodes[2].faults.stop();
    settled(&nodes).await;
    assert!(nodes[2].incarnation() > before);
    for id in ids() {
        assert_eq!(nodes[2].account(&id).ask(Deposit(1)).await.unwrap(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_journal_was_away_for_all_the_same_incarnations_go_on() {
    let rig = Rig::new();
    let nodes = rig.start_all(&["a", "b"]).await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    let before: Vec<_> = nodes.iter().map(RunningNode::incarnation).collect();
    nodes.iter().for_each(RunningNode::lose_journal);
    tokio::time::sleep(Duration::from_secs(30)).await;
    for node in &nodes {
        let error = node.account("acc-1").ask(Deposit(1)).timeout(Duration::from_secs(1)).await;
        assert!(error.is_err());
    }
    nodes.iter().for_each(|node| node.faults.stop());
    let back = Instant::now();
    for id in ids() {
        assert_eq!(deposited(&nodes[0], &id, "after").await, 1);
    }
    assert!(back.elapsed() < Duration::from_secs(2), "{:?}", back.elapsed());
    settled(&nodes).await;
    let after: Vec<_> = nodes.iter().map(RunningNode::incarnation).collect();
    assert_eq!(before, after);
}

#[tokio::test(start_paused = true)]
async fn of_two_processes_under_one_name_the_younger_wins_once() {
    let rig = Rig::new();
    let older = rig.start("a").await;
    settled(std::slice::from_ref(&older)).await;
    let younger = rig.start("a").await;
    older.runtime.fenced().await;
    let error = older.account("acc-1").ask(Deposit(1)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "unavailable: fenced: another process runs under the name of this node"
    );
    assert_eq!(younger.account("acc-1").ask(Deposit(1)).await.unwrap(), 1);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!younger.runtime.is_fenced());
    settled(&[younger]).await;
}

/// Deposits one under this command id, as often as it takes.
async fn deposited(node: &RunningNode, id: &str, command_id: &str) -> u64 {
    for _ in 0..5_000 {
        let deposit = node.account(id).ask(Deposit(1)).command_id(command_id);
        match deposit.timeout(Duration::from_millis(500)).await {
            Ok(balance) => return balance,
            Err(error) => assert!(error.is_transient(), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{id} does not take {command_id}");
}

#[tokio::test(start_paused = true)]
async fn one_that_was_removed_joins_again_though_answers_of_the_journal_are_lost() {
    let rig = Rig::new();
    let node = rig.start("a").await;
    assert_eq!(deposited(&node, "acc-1", "first").await, 1);
    let before = node.incarnation();
    node.faults.next(Operation::Append, Fault::revoked());
    node.faults.next(Operation::Claim, Fault::unknown_committed());
    node.faults.next(Operation::JoinCluster, Fault::unavailable());
    node.faults.next(Operation::Release, Fault::unavailable());
    assert_eq!(deposited(&node, "acc-1", "second").await, 2);
    assert_eq!(node.faults.left(), 0);
    assert!(node.incarnation() > before);
    settled(&[node]).await;
}

#[tokio::test(start_paused = true)]
async fn one_whose_store_panics_in_a_renewal_goes_on() {
    let rig = Rig::new();
    let node = rig.start("a").await;
    assert_eq!(deposited(&node, "acc-1", "first").await, 1);
    node.faults.next(Operation::RenewMember, Fault::panic());
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(node.faults.left(), 0);
    assert_eq!(deposited(&node, "acc-1", "second").await, 2);
    settled(&[node]).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_table_has_taken_from_its_owner_is_not_written_and_comes_back() {
    let rig = Rig::new();
    let nodes = rig.start_all(&["a", "b"]).await;
    let (id, owner) = ids()
        .find_map(|id| Some((id.clone(), nodes.iter().find(|node| node.owns(&id))?)))
        .expect("every account has an owner");
    assert_eq!(deposited(owner, &id, "first").await, 1);
    // behind its back: it still believes that it owns the partition
    rig.release(owner.incarnation(), &id).await;
    let error = owner.account(&id).ask(Deposit(1)).command_id("second").await.unwrap_err();
    assert!(matches!(error, AskError::Unavailable { .. }), "{error}");
    assert_eq!(owner.runtime.usage().entities, 0, "its entity has left memory");
    assert_eq!(deposited(owner, &id, "second").await, 2);
    settled(&nodes).await;
    assert_eq!(nodes[0].account(&id).ask(Balance).await.unwrap(), 2);
}
