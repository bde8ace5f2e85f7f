//! Plays the simulation: `ACTUM_SIMULATION_SEED` plays one seed alone, with
//! `ACTUM_SIMULATION_STORY` it prints all that happens; `ACTUM_SIMULATION_STEPS` says how many steps all runs take together.

use actum_simulation::{Coverage, run, story};
use std::{
    env,
    time::{SystemTime, UNIX_EPOCH},
};

/// How many steps all runs take together, unless told otherwise.
const STEPS: u64 = 20_000_000;

/// How many steps must have been taken before everything must have been seen.
const STEPS_FOR_COVERAGE: u64 = 5_000_000;

/// Seeds that are always played.
const FIXED: [u64; 8] = [0, 1, 2, 3, 0xac7, 0x5eed, 0xdead_beef, u64::MAX];

#[test]
fn promises_hold_whatever_happens() {
    if let Some(seed) = number("ACTUM_SIMULATION_SEED") {
        if env::var_os("ACTUM_SIMULATION_STORY").is_some() {
            story(seed).iter().for_each(|line| println!("{line}"));
        }
        println!("{}", play(seed, 0).table());
        return;
    }
    let steps = number("ACTUM_SIMULATION_STEPS").unwrap_or(STEPS);
    let beginning = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos());
    let new = (0..).map(|nth| (beginning as u64).wrapping_add(nth << 32));
    let mut coverage = Coverage::default();
    for seed in FIXED.into_iter().chain(new) {
        coverage.add(&play(seed, coverage.steps));
        if coverage.steps >= steps {
            break;
        }
    }
    println!("{} steps\n{}", coverage.steps, coverage.table());
    if steps >= STEPS_FOR_COVERAGE {
        let missing = coverage.missing(20);
        assert!(missing.is_empty(), "hardly or never happened: {missing:?}\n{}", coverage.table());
    }
}

#[test]
fn one_seed_is_one_story() {
    assert_eq!(story(7), story(7));
    assert_ne!(story(7), story(8));
}

#[test]
fn readers_are_in_some_stories_and_always_do_the_same() {
    let stories = || (0..9).map(story).collect::<Vec<_>>();
    let (one, again) = (stories(), stories());
    assert!(one == again, "a seed has two stories");
    let has_readers = |story: &Vec<String>| story.iter().any(|line| line.contains(" has claimed "));
    let with_readers = one.iter().filter(|story| has_readers(story)).count();
    assert!((1..9).contains(&with_readers), "{with_readers} of 9");
}

/// Plays a seed, after so many steps of others.
fn play(seed: u64, steps: u64) -> Coverage {
    run(seed).unwrap_or_else(|broken| {
        panic!(
            "broken promises after {steps} steps of other seeds, reproduced by ACTUM_SIMULATION_SEED={seed}\n{broken}"
        )
    })
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, it is `{text}`")))
}
