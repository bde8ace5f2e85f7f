//! Whole nodes of a cluster, real engines and real nodes, under random faults in virtual time: all of it drawn from a seed.
//!
//! Each node is a process of its own: a tokio runtime on this one thread, whose clock stands still unless the [`world`] lets it
//! run. So a node that is killed runs no line more, one that is stopped sleeps through its time as after SIGSTOP, and clocks run
//! apart. Between nodes there is the network in memory (delays, cuts in one or both directions) and the store in memory behind
//! delays, failures, lost answers and outages. Connections keep their order and repeat nothing, as those of TCP: what comes
//! twice, or in another order, are commands that clients send again with their id, to other nodes.
//!
//! In the end [`checks`] reads the journal and what every client has seen: no acknowledged event is lost, none is there twice,
//! numbers are contiguous, who has written owned the partition, the history of each entity is linearizable, what is reported as
//! not applied is not stored, answers come in time, no node is removed that is well, where nothing goes wrong no command
//! fails, and once everything is mended all of it is served and shared out again in time.
//!
//! What cannot be repeated exactly: the watchdog of an engine is a thread, which looks at the real time how often it looks, and
//! may end an ask that is late a moment before its partition does; times of events are those of the wall clock, and nothing
//! depends on them. ractor itself can be simulated, as far as partitions run on it: its actors are tasks of tokio, and its
//! `select!`s are biased. What it does with sockets (ractor_cluster) is beyond the border: tests with real processes and
//! networks cover that.
//!
//! `ACTUM_SIMULATION_SEED` plays one seed alone and prints its story; `ACTUM_SIMULATION_SEEDS` says how many are played.

mod checks;
mod entity;
mod happened;
mod lasting_members;
mod plan;
mod sim_node;
mod watched_members;
mod world;

use plan::Flaw;
use std::{env, thread, time::SystemTime};
use world::{Played, World};

/// How many seeds are played, unless told otherwise.
const SEEDS: u64 = 120;

fn play(seed: u64, flaw: Flaw) -> Played {
    World::new(seed, flaw).run()
}

/// Plays a seed in which no promise may be broken; returns how many commands were sent.
fn play_checked(seed: u64) -> usize {
    let played = play(seed, Flaw::None);
    assert!(
        played.wrong.is_empty(),
        "broken promises, reproduced by ACTUM_SIMULATION_SEED={seed}\n{}\n{}",
        played.story.join("\n"),
        played.wrong.join("\n")
    );
    played.attempts
}

#[test]
fn promises_hold_whatever_happens_to_nodes() {
    if let Some(seed) = number("ACTUM_SIMULATION_SEED") {
        let played = play(seed, Flaw::None);
        played.story.iter().for_each(|line| println!("{line}"));
        assert!(played.wrong.is_empty(), "{}", played.wrong.join("\n"));
        return;
    }
    let seeds = number("ACTUM_SIMULATION_SEEDS").unwrap_or(SEEDS);
    let beginning = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let beginning = beginning.map_or(0, |now| now.as_nanos() as u64);
    // the first half of them is always the same
    let seed = |nth| if nth < seeds / 2 { nth } else { beginning.wrapping_add(nth << 32) };
    let play_some =
        |first: u64| (first..seeds).step_by(2).map(|nth| play_checked(seed(nth))).sum::<usize>();
    let attempts = thread::scope(|scope| {
        let other = scope.spawn(|| play_some(1));
        play_some(0) + other.join().expect("no promise is broken")
    });
    println!("{seeds} seeds, {attempts} commands");
}

#[test]
fn one_seed_is_one_run() {
    for seed in 0..6 {
        let [one, again] = [play(seed, Flaw::None), play(seed, Flaw::None)];
        assert_eq!((one.digest, one.story), (again.digest, again.story), "seed {seed}");
    }
    assert_ne!(play(1, Flaw::None).digest, play(2, Flaw::None).digest);
}

/// Plays seeds until a flaw is found, and called by these words.
fn is_found(flaw: Flaw, words: &str) {
    let is_found = |seed| play(seed, flaw).wrong.iter().any(|what| what.contains(words));
    assert!((0..60).any(is_found), "{flaw:?} is not found in 60 seeds");
}

#[test]
fn a_command_that_is_sent_twice_is_found() {
    is_found(Flaw::SentTwice, "is stored twice");
}

#[test]
fn a_member_that_never_loses_its_lease_is_found() {
    is_found(Flaw::LeaseForgotten, "is stale");
}

#[test]
fn an_event_that_is_lost_is_found() {
    is_found(Flaw::EventLost, "of its entity");
}

#[test]
fn a_removal_of_a_node_that_is_well_is_found() {
    is_found(Flaw::FineNodeRemoved, "a node that is well was removed");
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, it is `{text}`")))
}
