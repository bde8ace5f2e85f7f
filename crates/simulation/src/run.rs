use super::{Coverage, Faults, World};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How many steps a run takes before it settles down.
const STEPS: u64 = 3_000;

/// How many of the last things that happened are shown when a run fails.
const SHOWN_MAX: usize = 120;

/// Plays one seed; says what it has met.
///
/// # Errors
/// When a promise is broken: what was broken, and what happened last before it.
pub fn run(seed: u64) -> Result<Coverage, String> {
    match attempt(World::new(seed, false)) {
        Ok(world) => Ok(world.coverage().clone()),
        Err(_) => {
            let violations = attempt(World::new(seed, true)).err().unwrap_or_default();
            Err(violations.join("\n"))
        }
    }
}

/// Everything that happens when a seed is played.
#[must_use]
pub fn story(seed: u64) -> Vec<String> {
    let mut world = World::new(seed, true);
    live(&mut world);
    world.trace().to_vec()
}

/// The world after a run, or what went wrong in it and before.
pub(crate) fn attempt(mut world: World) -> Result<World, Vec<String>> {
    let panic = catch_unwind(AssertUnwindSafe(|| live(&mut world))).err();
    if panic.is_none() && world.ledger.violations.is_empty() {
        return Ok(world);
    }
    if panic.is_some() {
        // what was noted and not checked
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
    for _ in 0..STEPS {
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
    if world.ledger.violations.is_empty() {
        world.finish_reading();
    }
}
