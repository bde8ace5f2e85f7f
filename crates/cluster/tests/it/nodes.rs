//! Several nodes share the partitions of a journal, and commands find their entity from each of them.

use crate::{
    account::{Balance, Deposit, Insufficient, Need},
    rig::{PARTITIONS, Rig, ids, settled},
};
use actum_runtime::AskError;

#[tokio::test(start_paused = true)]
async fn a_node_that_is_alone_owns_everything_and_serves_it() {
    let rig = Rig::new();
    let node = rig.start("a").await;
    // before it has claimed anything: the command waits
    assert_eq!(node.account("acc-1").ask(Deposit(5)).await.unwrap(), 5);
    settled(&[node]).await;
}

#[tokio::test(start_paused = true)]
async fn every_node_reaches_every_entity() {
    let rig = Rig::new();
    let nodes = rig.start_all(&["a", "b", "c"]).await;
    for (nr, id) in ids().enumerate() {
        for (before, node) in nodes.iter().enumerate() {
            let balance = node.account(&id).ask(Deposit(1)).await;
            assert_eq!(balance.unwrap(), before as u64 + 1, "{id}, {nr}");
        }
    }
    for node in &nodes {
        assert_eq!(node.account("acc-3").ask(Balance).await.unwrap(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn rejections_and_receipts_come_from_other_nodes_too() {
    let rig = Rig::new();
    let nodes = rig.start_all(&["a", "b"]).await;
    for node in &nodes {
        for id in ids().take(8) {
            let error = node.account(&id).ask(Need(3)).await.unwrap_err();
            assert_eq!(error.rejection(), Some(&Insufficient { short_by: 3 }), "{error}");
        }
    }
    let [here, there] = [&nodes[0], &nodes[1]];
    let (_, one) = here.account("acc-1").ask(Deposit(1)).with_receipt().await.unwrap();
    let (_, two) = there.account("acc-1").ask(Deposit(1)).with_receipt().await.unwrap();
    assert_eq!((one.sequence_nr.get(), two.sequence_nr.get()), (1, 2));
    assert!(one.position < two.position);
}

#[tokio::test(start_paused = true)]
async fn a_command_id_counts_on_every_node() {
    let rig = Rig::new();
    let nodes = rig.start_all(&["a", "b"]).await;
    for id in ids().take(8) {
        for node in &nodes {
            let deposit = node.account(&id).ask(Deposit(5)).command_id("request-1");
            assert_eq!(deposit.await.unwrap(), 5);
        }
        assert_eq!(nodes[0].account(&id).ask(Balance).await.unwrap(), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_joins_takes_its_share_and_no_command_fails() {
    let rig = Rig::new();
    let mut nodes = rig.start_all(&["a"]).await;
    assert_eq!(nodes[0].owned(), usize::from(PARTITIONS));
    for id in ids() {
        nodes[0].account(&id).ask(Deposit(1)).await.unwrap();
    }
    let account = nodes[0].account("acc-7");
    let asking = tokio::spawn(async move {
        for balance in 2..200 {
            assert_eq!(account.ask(Deposit(1)).await.unwrap(), balance);
        }
    });
    nodes.push(rig.start("b").await);
    settled(&nodes).await;
    asking.await.unwrap();
    for node in &nodes {
        assert_eq!(node.owned(), usize::from(PARTITIONS) / 2);
        for id in ids().filter(|id| id != "acc-7") {
            assert_eq!(node.account(&id).ask(Balance).await.unwrap(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_leaves_hands_off_everything_and_no_command_fails() {
    let rig = Rig::new();
    let mut nodes = rig.start_all(&["a", "b", "c"]).await;
    let asking: Vec<_> = ids()
        .map(|id| {
            let account = nodes[0].account(&id);
            tokio::spawn(async move {
                for balance in 1..50 {
                    assert_eq!(account.ask(Deposit(1)).await.unwrap(), balance);
                }
            })
        })
        .collect();
    nodes.pop().unwrap().shut_down().await;
    for asked in asking {
        asked.await.unwrap();
    }
    settled(&nodes).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_one_leaves_at_once_and_the_next_one_goes_on() {
    let rig = Rig::new();
    let nodes = rig.start_all(&["a"]).await;
    nodes[0].account("acc-1").ask(Deposit(3)).await.unwrap();
    for node in nodes {
        node.shut_down().await;
    }
    let next = rig.start("b").await;
    assert_eq!(next.account("acc-1").ask(Balance).await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_only_routes_owns_nothing_and_reaches_everything() {
    let rig = Rig::new();
    let owner = rig.start("a").await;
    let router = rig.start_as(rig.cluster("r").routes_only()).await.unwrap();
    owner.node.sees(|view| view.is_complete() && view.members.len() == 2).await;
    for id in ids() {
        assert_eq!(router.account(&id).ask(Deposit(2)).await.unwrap(), 2);
    }
    assert_eq!((owner.owned(), router.owned()), (usize::from(PARTITIONS), 0));
}

#[tokio::test(start_paused = true)]
async fn nodes_of_another_cluster_or_another_lease_are_refused() {
    let rig = Rig::new();
    let _a = rig.start("a").await;
    let other = rig.cluster("b").name("shop");
    let error = rig.start_as(other).await.err().expect("it is refused");
    let text = format!("{error:#}");
    assert!(text.contains("the cluster `shop`") && text.contains("the cluster `bank`"), "{text}");
    let lease = std::time::Duration::from_secs(5);
    let error = rig.start_as(rig.cluster("b").lease(lease)).await.err().expect("it is refused");
    let text = format!("{error:#}");
    assert!(text.contains("leases of 5s") && text.contains("leases of 3s"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_the_owner_does_not_run_is_an_error_that_says_so() {
    let rig = Rig::new();
    let node = rig.start("a").await;
    let error = node.account("").ask(Balance).await.unwrap_err();
    assert!(matches!(error, AskError::Invalid { .. }), "{error}");
}
