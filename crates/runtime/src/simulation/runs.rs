use super::{Coverage, World, scene::Faults};
use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{SystemTime, UNIX_EPOCH},
};

/// How many steps a run takes before it settles down.
const STEPS_OF_RUN: u64 = 3_000;

/// How many steps all runs take together, unless told otherwise.
const STEPS: u64 = 20_000_000;

/// How many steps must have been taken before everything must have been seen.
const STEPS_FOR_COVERAGE: u64 = 5_000_000;

/// How many of the last things that happened are shown when a run fails.
const SHOWN_MAX: usize = 120;

/// Seeds that are always run.
const FIXED: [u64; 8] = [0, 1, 2, 3, 0xac7, 0x5eed, 0xdead_beef, u64::MAX];

#[test]
fn promises_hold_whatever_happens() {
    if let Some(seed) = number("ACTUM_SIMULATION_SEED") {
        println!("{}", run(seed).table());
        return;
    }
    let steps = number("ACTUM_SIMULATION_STEPS").unwrap_or(STEPS);
    let beginning = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos());
    let new = (0..).map(|nth| (beginning as u64).wrapping_add(nth << 32));
    let mut coverage = Coverage::default();
    for seed in FIXED.into_iter().chain(new) {
        coverage.add(&run(seed));
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
    let story = |seed| {
        let mut world = World::new(seed, true);
        live(&mut world);
        world.trace().to_vec()
    };
    assert_eq!(story(7), story(7));
    assert_ne!(story(7), story(8));
}

/// Runs one seed; what it met.
fn run(seed: u64) -> Coverage {
    let world = attempt(seed, false);
    match world {
        Ok(world) => world.coverage().clone(),
        Err(_) => {
            let violations = attempt(seed, true).err().unwrap_or_default();
            panic!(
                "broken promises, reproduced by ACTUM_SIMULATION_SEED={seed}\n{}",
                violations.join("\n")
            );
        }
    }
}

/// The world after a run, or what went wrong in it and before.
fn attempt(seed: u64, traced: bool) -> Result<World, Vec<String>> {
    let mut world = World::new(seed, traced);
    let panic = catch_unwind(AssertUnwindSafe(|| live(&mut world))).err();
    if panic.is_none() && world.ledger.violations.is_empty() {
        return Ok(world);
    }
    if panic.is_some() {
        // what was noted and not looked at
        let _ = catch_unwind(AssertUnwindSafe(|| world.look()));
    }
    let trace = world.trace();
    let mut shown = trace[trace.len().saturating_sub(SHOWN_MAX)..].to_vec();
    shown.push(format!("after {} steps:", world.coverage().steps));
    shown.extend(panic.map(|panic| actum_persistence::panics::panic_message(&*panic)));
    shown.append(&mut world.ledger.violations);
    Err(shown)
}

/// A whole run; it ends at the first broken promise.
fn live(world: &mut World) {
    for _ in 0..STEPS_OF_RUN {
        world.step();
        if !world.ledger.violations.is_empty() {
            return;
        }
    }
    if world.faults.is_calm() {
        world.ledger.check_calm();
    }
    world.faults = Faults::default();
    world.come_to_rest();
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, it is `{text}`")))
}
