use super::world::World;

/// The seeds of a test; one, if `ACTUM_TEST_SEED` says which.
fn seeds() -> Vec<u64> {
    match std::env::var("ACTUM_TEST_SEED") {
        Ok(seed) => vec![seed.parse().expect("ACTUM_TEST_SEED is a number of 64 bits")],
        Err(_) => (0..250).chain((0..50).map(|_| fastrand::u64(..))).collect(),
    }
}

/// Says the seed when a run has failed.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("ACTUM_TEST_SEED={} repeats it", self.0);
        }
    }
}

/// While anything may fail, nothing is handled in the wrong order, without end, or twice where that must not be; when all is
/// well again, nothing is missing.
#[test]
fn every_event_is_handled_whatever_goes_wrong_and_when() {
    for seed in seeds() {
        let _seed = Seed(seed);
        let mut world = World::new(seed);
        for _ in 0..600 {
            if world.rng.u8(0..5) == 0 {
                world.disturb();
            }
            world.step();
        }
        world.mend();
        let mut steps = 0;
        while !world.is_done() {
            if steps % 50 == 0 {
                world.database.parked.values_mut().for_each(|parked| {
                    let replay = actum_persistence::progress::ParkedRequest::Replay;
                    parked.request = Some(replay);
                });
                world.database.letters.values_mut().for_each(|letter| letter.is_requested = true);
                world.request();
            }
            world.step();
            steps += 1;
            assert!(steps < 20_000, "it does not come to an end");
        }
        world.database.check_all(&world.journal);
    }
}
