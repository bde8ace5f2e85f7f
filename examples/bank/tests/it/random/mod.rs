//! Processes that read come, die, are stopped for longer than a lease, and are asked things, while one that writes dies too, events
//! come, and projections are split and merged: in the end the rows are the fold of the journal. In real time, over databases.

mod ending;
mod mails;
mod parts;
mod process;
mod sums;
mod trouble;
mod world;
mod writers;

use crate::{place::Place, seed};
use std::sync::atomic::Ordering::Relaxed;
use world::World;

/// How many things happen.
const STEPS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn rows_in_a_file_are_the_fold_whatever_becomes_of_processes() {
    whatever_becomes_of_processes(Place::file()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_on_a_server_are_the_fold_whatever_becomes_of_processes() {
    let Some(place) = Place::postgres() else { return };
    whatever_becomes_of_processes(place).await;
}

async fn whatever_becomes_of_processes(place: Place) {
    let mut world = World::new(place, seed::random()).await;
    for _ in 0..STEPS {
        world.disturb().await;
    }
    world.finish().await;
    println!("{:?}", world.finds);
    let finds = &world.finds;
    for count in [&finds.killed, &finds.stopped, &finds.events] {
        assert!(count.load(Relaxed) > 0, "this proves too little");
    }
}
