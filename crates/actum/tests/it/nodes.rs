//! Engines that are nodes of one cluster share what reads their journal.

use crate::{counter::Counter, nothing::Nothing};
use actum::{
    Consumer, Engine, Entity, EntityKey, MemoryStore, PartitionCount, Projection, Recorded,
    Subscription,
    cluster::{Cluster, MemoryNetwork},
    store::Stores,
};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(60);
const SEGMENTS: u16 = 6;

async fn node(store: &MemoryStore, network: &MemoryNetwork, name: &str) -> Engine {
    let nothing = Projection::at_least_once("nothing", Nothing).from::<Counter>();
    let engine = Engine::builder("bank").store(store.reopen()).entity::<Counter>(());
    let engine = engine.projection(nothing.segments(SEGMENTS));
    engine.cluster(Cluster::in_memory(network).node(name)).start().await.unwrap()
}

/// Who has each segment, and for the how manieth time it was claimed.
async fn segments(store: &MemoryStore) -> BTreeMap<String, (String, u64)> {
    let progress = Stores::from(store.reopen()).progress;
    let projections = progress.projections().await.unwrap();
    // it is entered while the engine starts
    let Some(nothing) = projections.first() else { return BTreeMap::new() };
    let kept = progress.load(nothing).await.unwrap().unwrap();
    kept.segments
        .iter()
        .filter_map(|one| {
            let owner = one.owner.as_ref()?.to_string();
            Some((one.segment.to_string(), (owner, one.epoch.get())))
        })
        .collect()
}

/// Waits until each of these has so many segments.
async fn shared_out(store: &MemoryStore, wanted: &[(&str, usize)]) {
    let began = Instant::now();
    loop {
        let segments = segments(store).await;
        let has =
            |node: &str| segments.values().filter(|(owner, _)| owner.starts_with(node)).count();
        if wanted.iter().all(|(node, count)| has(node) == *count) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{segments:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nodes_share_the_segments_of_a_projection_and_leave_each_other_theirs() {
    let (store, network) = (MemoryStore::new(), MemoryNetwork::new());
    let a = node(&store, &network, "a").await;
    shared_out(&store, &[("bank/a@1", 6)]).await;
    let b = node(&store, &network, "b").await;
    let c = node(&store, &network, "c").await;
    shared_out(&store, &[("bank/a@1", 2), ("bank/b@2", 2), ("bank/c@3", 2)]).await;
    let before = segments(&store).await;
    sleep(Duration::from_secs(120)).await;
    assert_eq!(segments(&store).await, before, "none was claimed again");
    assert!(b.shutdown().await.is_clean());
    shared_out(&store, &[("bank/a@1", 3), ("bank/c@3", 3)]).await;
    for engine in [a, c] {
        assert!(engine.shutdown().await.is_clean());
    }
}

/// Waits until both see that the partitions are shared out, and each other.
async fn connected(engines: &[&Engine]) {
    for engine in engines {
        let node = engine.cluster().expect("it is a node");
        node.sees(|view| {
            view.is_complete()
                && view.members.iter().all(|member| member.partitions > 0)
                && view.partitions.iter().all(|partition| !partition.is_moving)
                && view.links.iter().any(|link| link.connected_for.is_some())
        })
        .await;
    }
}

/// The id of a counter that this node owns.
fn owned_id(engine: &Engine) -> String {
    let view = engine.cluster().expect("it is a node").view();
    let count = PartitionCount::new(u16::try_from(view.partitions.len()).unwrap()).unwrap();
    let owned = |id: &String| {
        let partition = EntityKey::new(Counter::KIND, id.as_str()).unwrap().partition(count);
        view.partitions[partition.index()].owner == Some(view.me)
    };
    (0..1_000).map(|nr| format!("c-{nr}")).find(owned).expect("it owns some")
}

/// How long a consumer on another node waits for an event that is written now, when nothing was written for a while.
async fn waited(writer: &Engine, id: &str, by: u64, consumer: &mut Consumer<u64>) -> Duration {
    sleep(Duration::from_secs(30)).await;
    let counter = writer.entity::<Counter>(id);
    counter.ask(by).await.unwrap();
    let written = Instant::now();
    assert_eq!(consumer.next().await.unwrap().unwrap().into_event(), by);
    written.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_reader_sees_at_once_what_another_node_writes_and_later_without_a_link() {
    let (store, network) = (MemoryStore::new(), MemoryNetwork::new());
    let a = node(&store, &network, "a").await;
    let b = node(&store, &network, "b").await;
    connected(&[&a, &b]).await;
    let id = owned_id(&a);
    let subscription =
        Subscription::transient().from::<Counter, _>(|event: Recorded<u64>| Some(event.event));
    let mut consumer = b.subscribe(subscription).await.unwrap();
    for by in 1..=5 {
        let waited = waited(&a, &id, by, &mut consumer).await;
        assert!(waited < Duration::from_millis(20), "{waited:?}");
    }
    network.isolate(b.cluster().expect("it is a node").view().me);
    let waited = waited(&a, &id, 6, &mut consumer).await;
    assert!(waited > Duration::from_millis(20), "{waited:?}: it polls");
    assert!(waited <= Duration::from_secs(2), "{waited:?}");
    network.heal();
    for engine in [a, b] {
        let _ = engine.shutdown().await;
    }
}
