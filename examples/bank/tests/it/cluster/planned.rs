//! Changes that are planned: no order fails in them.

use super::{
    answers,
    node::{LONG_LEASE, Node},
    places, start,
};
use crate::{
    crash::{Journal, Ledger, drive, settle_all},
    place::Place,
    seed,
};
use actum::store::members::TableVersion;
use bank::client::Client;
use std::sync::Arc;

/// Three nodes and those who use them.
struct Service {
    place: Place,
    nodes: Vec<Node>,
    ledger: Arc<Ledger>,
    random: fastrand::Rng,
}

impl Service {
    async fn start(place: Place, names: &[&str], version: &str) -> Self {
        let nodes = start(&place, names, LONG_LEASE, version).await;
        let (ledger, mut random) = (Arc::new(Ledger::new()), seed::random());
        let client = nodes[0].client.clone();
        assert!(settle_all(&client, &ledger, &mut random).await, "all accounts are opened");
        Self { place, nodes, ledger, random }
    }

    /// Lets clients send orders to nodes that stay while something changes; each of them is answered.
    async fn while_used(
        &mut self,
        staying: &[usize],
        change: impl AsyncFnOnce(&mut Vec<Node>, &Place),
    ) {
        let clients: Vec<Client> =
            staying.iter().map(|at| self.nodes[*at].client.clone()).collect();
        self.ledger.reopen();
        let driving: Vec<_> = clients
            .into_iter()
            .map(|client| {
                let (ledger, mut random) = (Arc::clone(&self.ledger), self.random.fork());
                tokio::spawn(async move { drive(&client, &ledger, &mut random).await })
            })
            .collect();
        answers(&self.ledger, 20).await;
        change(&mut self.nodes, &self.place).await;
        answers(&self.ledger, 20).await;
        self.ledger.close();
        for drove in driving {
            assert!(drove.await.unwrap(), "an order was not answered");
        }
    }

    /// Each node in turn is replaced by one of this version, under its name. Returns the [`epochs`] at the moment when the last
    /// old one is gone.
    async fn replace_all(&mut self, version: &str) -> Vec<u64> {
        let (count, mut epochs_then) = (self.nodes.len(), Vec::new());
        for at in 0..count {
            let staying: Vec<usize> = (0..count).filter(|other| *other != at).collect();
            self.while_used(&staying, async |nodes, place| {
                let ending = nodes.remove(at);
                let name = ending.name.clone();
                ending.end().await;
                nodes[0].sees_of(count - 1, None).await;
                epochs_then = epochs(place).await;
                let successor = Node::start_as(place, &name, LONG_LEASE, version).await;
                nodes[0].sees_of(count, Some(version)).await;
                nodes.insert(at, successor);
            })
            .await;
        }
        epochs_then
    }

    async fn end(self) {
        self.ledger.audit(&Journal::read(&self.place).await);
        for node in self.nodes {
            node.end().await;
        }
    }
}

/// How often each partition was claimed, released or freed.
async fn epochs(place: &Place) -> Vec<u64> {
    let stores = place.stores().await;
    let members = stores.members.as_ref().unwrap();
    let sight = members.read_members(TableVersion::ZERO).await.unwrap().unwrap();
    stores.close().await;
    sight.owners.unwrap().iter().map(|row| row.epoch.get()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_order_fails_while_each_node_is_restarted_in_turn() {
    for place in places() {
        let mut service = Service::start(place, &["a", "b", "c"], "1.0.0").await;
        service.replace_all("1.0.0").await;
        service.end().await;
    }
}

/// A move is a release and a claim.
const EPOCHS_A_MOVE: u64 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn no_order_fails_in_an_update_and_a_rollback_and_a_partition_moves_twice_until_the_last_old_node_is_gone()
 {
    for place in places() {
        let mut service = Service::start(place, &["a", "b", "c"], "1.0.0").await;
        for version in ["2.0.0", "1.0.0"] {
            let before = epochs(&service.place).await;
            let then = service.replace_all(version).await;
            let moved = before.iter().zip(then).map(|(before, then)| then - before);
            let most = moved.max().unwrap();
            assert!(most <= 2 * EPOCHS_A_MOVE, "{version}: {most} epochs");
        }
        service.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_order_fails_while_one_node_becomes_five_and_then_two() {
    for place in places() {
        let mut service = Service::start(place, &["a"], "1.0.0").await;
        service
            .while_used(&[0], async |nodes, place| {
                for name in ["b", "c", "d", "e"] {
                    nodes.push(Node::start(place, name, LONG_LEASE).await);
                }
                nodes[0].sees(5).await;
            })
            .await;
        service
            .while_used(&[0, 1], async |nodes, _| {
                for node in nodes.drain(2..) {
                    node.end().await;
                }
                nodes[0].sees(2).await;
            })
            .await;
        service.end().await;
    }
}
