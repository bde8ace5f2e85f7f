//! Several banks over one database, as nodes of a cluster, in processes of their own.

mod node;
mod planned;

use crate::{
    crash::{Journal, Ledger, drive, settle_all, settle_in_the_end},
    place::Place,
    program, seed,
};
use bank::{
    client::{Action, Client, Order, Outcome},
    domain::{Applied, Money},
};
use node::{LONG_LEASE, Node, SHORT_LEASE};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// Of the application.
const VERSION: &str = "1.0.0";

/// The file, and the schema where there is a server.
fn places() -> impl Iterator<Item = Place> {
    [Some(Place::file()), Place::postgres()].into_iter().flatten()
}

async fn start(place: &Place, names: &[&str], lease: Duration, version: &str) -> Vec<Node> {
    let mut nodes = Vec::new();
    for name in names {
        nodes.push(Node::start_as(place, name, lease, version).await);
    }
    for node in &nodes {
        node.sees(nodes.len()).await;
    }
    nodes
}

fn order(account: &str, action: Action, key: String) -> Order {
    Order { account: account.to_owned(), action, key }
}

async fn applied(client: &Client, order: &Order) -> Applied {
    match client.send(order).await {
        Outcome::Applied(applied) => applied,
        other => panic!("{order:?}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_serves_every_account() {
    for place in places() {
        let nodes = start(&place, &["a", "b", "c"], LONG_LEASE, VERSION).await;
        for nr in 0..12 {
            let account = format!("acc-{nr}");
            let opening = order(&account, Action::Open("Ada".to_owned()), format!("open-{nr}"));
            applied(&nodes[nr % 3].client, &opening).await;
            for node in &nodes {
                let amount = Money::new(5).unwrap();
                let key = format!("{}-{nr}", node.name);
                applied(&node.client, &order(&account, Action::Deposit(amount), key)).await;
            }
            for node in &nodes {
                assert_eq!(node.client.standing(&account).await.unwrap().revision, 4);
            }
        }
        for node in nodes {
            node.end().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_order_fails_while_one_node_is_asked_to_end_and_another_one_is_started() {
    for place in places() {
        let mut random = seed::random();
        let mut nodes = start(&place, &["a", "b", "c"], LONG_LEASE, VERSION).await;
        let ledger = Arc::new(Ledger::new());
        let (a, b) = (nodes[0].client.clone(), nodes[1].client.clone());
        assert!(settle_all(&a, &ledger, &mut random).await, "all accounts are opened");
        let driving = [a.clone(), b].map(|client| {
            let (ledger, mut random) = (Arc::clone(&ledger), random.fork());
            tokio::spawn(async move { drive(&client, &ledger, &mut random).await })
        });
        // each of them is answered, and more than a few while things move
        answers(&ledger, 50).await;
        nodes.pop().unwrap().end().await;
        nodes[0].sees(2).await;
        answers(&ledger, 50).await;
        nodes.push(Node::start(&place, "d", LONG_LEASE).await);
        nodes[0].sees(3).await;
        answers(&ledger, 50).await;
        ledger.close();
        for drove in driving {
            assert!(drove.await.unwrap(), "an order was not answered");
        }
        ledger.audit(&Journal::read(&place).await);
        for node in nodes {
            node.end().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_are_killed_over_and_over_keep_what_they_acknowledged_and_do_nothing_twice() {
    for place in places() {
        harmed_over_and_over(&place, 8, Node::kill).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_are_stopped_for_longer_than_their_lease_write_nothing_and_join_again() {
    // a process that is stopped in the midst of writing to a file keeps everyone from it
    let Some(place) = Place::postgres() else { return };
    let mut random = seed::random();
    let nodes = start(&place, &["a", "b", "c"], SHORT_LEASE, VERSION).await;
    let ledger = Arc::new(Ledger::new());
    settle_in_the_end(&nodes[0].client, &ledger, &mut random).await;
    for _ in 0..3 {
        let victim = &nodes[random.usize(1..3)];
        let before = victim.incarnation().await;
        ledger.reopen();
        let driving = keep_driving(&nodes[0].client, &ledger, &mut random);
        let stopping = async {
            answers(&ledger, 20).await;
            victim.program.signal("STOP").await;
            nodes[0].sees(2).await;
            answers(&ledger, 20).await;
            victim.program.signal("CONT").await;
            nodes[0].sees(3).await;
            answers(&ledger, 20).await;
            ledger.close();
        };
        tokio::join!(driving, stopping);
        victim.sees(3).await;
        assert!(victim.incarnation().await > before, "it goes on as another incarnation");
        settle_in_the_end(&victim.client, &ledger, &mut random).await;
        ledger.audit(&Journal::read(&place).await);
    }
    ledger.assert_settled();
    for node in nodes {
        node.end().await;
    }
}

/// Of three nodes one or another is harmed under load, and started again.
async fn harmed_over_and_over<F: Future<Output = ()>>(
    place: &Place,
    times: usize,
    harm: impl Fn(Node) -> F,
) {
    let mut random = seed::random();
    let mut nodes = start(place, &["a", "b", "c"], SHORT_LEASE, VERSION).await;
    let ledger = Arc::new(Ledger::new());
    settle_in_the_end(&nodes[0].client, &ledger, &mut random).await;
    let mut gaps = Vec::new();
    for _ in 0..times {
        let at = random.usize(1..3);
        let (victim, a) = (nodes.remove(at), nodes[0].client.clone());
        let name = victim.name.clone();
        ledger.reopen();
        let driving = keep_driving(&a, &ledger, &mut random);
        let harming = async {
            answers(&ledger, 20).await;
            harm(victim).await;
            let harmed = Instant::now();
            nodes[0].sees(2).await;
            gaps.push(harmed.elapsed());
            answers(&ledger, 20).await;
            ledger.close();
        };
        tokio::join!(driving, harming);
        settle_in_the_end(&a, &ledger, &mut random).await;
        ledger.audit(&Journal::read(place).await);
        nodes.insert(at, Node::start(place, &name, SHORT_LEASE).await);
        nodes[0].sees(3).await;
    }
    println!("until every partition had a living owner: {gaps:?}");
    ledger.assert_settled();
    for node in nodes {
        node.end().await;
    }
}

/// Sends orders, and those again that have no answer, until the ledger is closed.
async fn keep_driving(client: &Client, ledger: &Arc<Ledger>, random: &mut fastrand::Rng) {
    while !ledger.is_closed() {
        if settle_all(client, ledger, random).await {
            drive(client, ledger, random).await;
        }
    }
}

/// Waits for so many more answers.
async fn answers(ledger: &Ledger, count: usize) {
    let mut answers = ledger.answers();
    let wanted = *answers.borrow() + count;
    answers.wait_for(|answers| *answers >= wanted).await.unwrap();
}

/// How often a node is asked what it sees.
const ASKED_EVERY: Duration = Duration::from_millis(20);

async fn pause() {
    sleep(ASKED_EVERY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn banks_that_are_shown_end_by_themselves_and_every_balance_is_right() {
    let place = Place::file();
    let args = ["cluster", "--seconds", "3", "--accounts", "20"].map(str::to_owned);
    let ended = program::run(args.into_iter().chain(place.database_args())).await;
    let (said, complained) = (ended.stdout, String::from_utf8(ended.stderr).unwrap());
    let said = String::from_utf8(said).unwrap();
    assert!(ended.status.success(), "{said}{complained}");
    assert!(said.ends_with("all 20 balances are exactly what was acknowledged\n"), "{said}");
    for node in ["n1", "n2", "n3"] {
        assert!(said.contains(node), "{said}");
    }
}
