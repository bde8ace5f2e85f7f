use super::{
    node::LEASE,
    world::{Coverage, World},
};
use crate::seed::seeds;

/// Whatever happens, a member is revoked only for a reason that holds; when all is well again, those who died are gone, and
/// those who live stay.
#[test]
fn members_that_died_are_revoked_and_those_that_renew_only_when_two_are_refused() {
    let mut all = Coverage::default();
    for seed in seeds(120) {
        let mut world = World::new(seed.nr());
        for _ in 0..8_000 {
            if world.rng.u16(0..200) == 0 {
                world.disturb();
            }
            world.step();
        }
        world.mend();
        world.join();
        world.run(3 * LEASE + 1_000);
        world.check_all_well();
        let seen = &world.coverage;
        all.silent += seen.silent;
        all.by_two += seen.by_two;
        all.by_the_only_other += seen.by_the_only_other;
        all.alive += seen.alive;
        all.outages += seen.outages;
    }
    if std::env::var_os("ACTUM_TEST_SEED").is_none() {
        let counts = [all.silent, all.by_two, all.by_the_only_other, all.alive, all.outages];
        assert!(counts.iter().all(|count| *count > 10), "it is seldom tried: {all:?}");
    }
}

/// Nothing else goes wrong.
#[test]
fn a_member_that_is_killed_is_revoked_within_a_second() {
    for seed in seeds(60) {
        let mut world = World::new(seed.nr());
        let (pause, nr) = (world.rng.u64(0..LEASE), world.rng.u64(1..=world.nodes.len() as u64));
        world.run(2 * LEASE + pause);
        world.kill(nr);
        world.run(1_000);
        assert!(!world.is_member(nr), "{nr} of {}", world.nodes.len() + 1);
        world.run(LEASE);
        world.check_all_well();
    }
}

/// Clocks, latencies and pauses are all that differs.
#[test]
fn members_that_are_well_stay_members() {
    for seed in seeds(25) {
        let mut world = World::new(seed.nr());
        let members = world.nodes.len();
        world.run(20 * LEASE);
        world.check_all_well();
        assert_eq!(world.nodes.len(), members);
        assert!((1..=members as u64).all(|nr| world.is_member(nr)));
    }
}

#[test]
fn members_between_which_a_firewall_refuses_connections_stay_members() {
    for seed in seeds(25) {
        let mut world = World::new(seed.nr());
        let members = world.nodes.len() as u64;
        world.run(2 * LEASE);
        world.refuse(1, 2);
        world.run(20 * LEASE);
        assert!((1..=members).all(|nr| world.is_member(nr)), "of {members}");
    }
}
