//! What an entity takes in memory, counted on one thread as the bytes that an engine gives back when it ends. What the
//! journal and the caller hold is not among them: they outlive it, and share the entities' keys.

use crate::{
    account::{Account, Balance, Deposit},
    rig::{Rig, account, accounts},
};
use actum_runtime::{EntityRef, Runtime as Engine, settings::RuntimeSettings};
use tokio::runtime::{Builder, Runtime};

const ENTITIES: usize = 4_000;
/// The most that an idle entity may take, its state of 8 bytes and its id of 8 bytes included.
const IDLE_MAX: f64 = 265.0;
/// What the first command id takes beyond that.
const FIRST_ID_MAX: f64 = 130.0;

#[test]
fn an_idle_entity_is_light() {
    let bytes = bytes_of_one(&async |accounts| {
        for account in accounts {
            account.ask(Balance).await.unwrap();
        }
    });
    assert!(bytes <= IDLE_MAX, "{bytes} bytes");
}

#[test]
fn an_entity_that_has_written_is_as_light_as_before() {
    let bytes = bytes_of_one(&async |accounts| {
        for account in accounts {
            account.ask(Deposit(1)).await.unwrap();
        }
    });
    assert!(bytes <= IDLE_MAX, "{bytes} bytes");
}

#[test]
fn entities_that_have_written_side_by_side_are_as_light_as_before() {
    let bytes = bytes_of_one(&async |accounts| {
        for some in accounts.chunks(20) {
            let asks = some.iter().map(|account| {
                let account = account.clone();
                tokio::spawn(async move { account.ask(Deposit(1)).await.map(drop) })
            });
            for ask in asks.collect::<Vec<_>>() {
                ask.await.unwrap().unwrap();
            }
        }
    });
    assert!(bytes <= IDLE_MAX, "{bytes} bytes");
}

#[test]
fn a_first_command_id_takes_a_small_window() {
    let bytes = bytes_of_one(&async |accounts| {
        for (nr, account) in accounts.iter().enumerate() {
            account.ask(Deposit(1)).command_id(nr.to_string()).await.unwrap();
        }
    });
    assert!(bytes <= IDLE_MAX + FIRST_ID_MAX, "{bytes} bytes");
}

/// How many bytes an entity of one partition takes after `load`, beyond what an engine without entities gives back.
fn bytes_of_one(load: &impl AsyncFn(&[EntityRef<Account>])) -> f64 {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let none = given_back(&runtime, 0, load);
    let all = given_back(&runtime, ENTITIES, load);
    let bytes = (all - none) as f64 / ENTITIES as f64;
    println!("{bytes} bytes");
    bytes
}

fn given_back(
    runtime: &Runtime,
    entities: usize,
    load: &impl AsyncFn(&[EntityRef<Account>]),
) -> i64 {
    let rig = Rig::of_one_partition();
    let (engine, all) = runtime.block_on(async {
        let settings = RuntimeSettings::default().with_entities_max(2 * ENTITIES);
        let engine = rig.start_with(vec![accounts()], settings).await;
        let all: Vec<_> = (0..entities).map(|nr| account(&engine, &format!("{nr:08}"))).collect();
        load(&all).await;
        assert_eq!(engine.usage().entities, entities, "all are in memory");
        (engine, all)
    });
    let counted = allocation_counter::measure(|| runtime.block_on(end(engine)));
    drop(all);
    -counted.bytes_current
}

async fn end(engine: Engine) {
    assert!(engine.shutdown().await.is_clean());
    drop(engine);
    for _ in 0..1_000 {
        tokio::task::yield_now().await; // what ends by itself ends now
    }
}
