use super::{
    super::Nack,
    oracle::{DeliveryWorld, rules},
};
use std::time::Duration;

/// What may happen beside deliveries and acknowledgements.
#[derive(Clone, Copy)]
struct Mishaps {
    deaths: bool,
    nacks: bool,
    crashes: bool,
    hangs: bool,
}

fn run(seed: u64, mishaps: Mishaps) -> DeliveryWorld {
    let mut rng = fastrand::Rng::with_seed(seed);
    let lanes = rng.u16(1..4);
    let mut rules = rules();
    rules.in_flight_max = rng.usize(1..5);
    rules.in_flight_bytes_max = rng.usize(1..60);
    rules.consumers_max = rng.usize(1..4);
    rules.checkpoint_events = rng.u64(1..20);
    rules.ack_timeout = mishaps.hangs.then(|| Duration::from_millis(rng.u64(100..1_000)));
    let mut world = DeliveryWorld::new(lanes, rules);
    let skips = rng.u64(0..4);
    let passes = move |position: u64| skips == 0 || !position.is_multiple_of(skips + 1);
    for _ in 0..400 {
        let consumers: Vec<_> = world.in_flight.keys().copied().collect();
        let consumer = rng.choice(&consumers).copied();
        let held = consumer.map_or(0, |consumer| world.in_flight[&consumer].len());
        match (rng.u8(0..20), consumer) {
            (0 | 1, _) => {
                let entity = rng.u8(0..4).to_string();
                world.append(rng.u16(0..lanes), &entity, rng.u64(1..4));
            }
            (2..6, _) => world.read(rng.u16(0..lanes), rng.usize(1..8), passes),
            (6, _) => _ = world.join(),
            (7, _) => {
                world.now += Duration::from_millis(rng.u64(0..500));
                world.time_out();
            }
            (8, _) => world.save(false, rng.u8(0..4) > 0),
            (9, Some(consumer)) if mishaps.deaths && rng.bool() => world.leave(consumer),
            (10, _) if mishaps.crashes && rng.u8(0..4) == 0 => world.crash(),
            (11, _) if mishaps.crashes && rng.u8(0..4) == 0 => world.lose(),
            (12, Some(consumer)) if mishaps.nacks && held > 0 => {
                let after = rng.bool().then(|| Duration::from_millis(rng.u64(0..300)));
                let nack = *rng.choice(&[Nack::Retry { after }, Nack::Skip, Nack::Park]).unwrap();
                world.nack(consumer, rng.usize(0..held), nack);
            }
            (13, Some(consumer)) if held > 0 => world.ack_up_to(consumer, rng.usize(0..held)),
            (14..17, Some(consumer)) if held > 0 => world.ack(consumer, rng.usize(0..held)),
            (_, Some(consumer)) => _ = world.ask(consumer),
            _ => {}
        }
    }
    // then everything works
    let consumer = world.join().unwrap_or_else(|| *world.in_flight.keys().next().unwrap());
    for _ in 0..3_000 {
        world.now += Duration::from_secs(2);
        world.time_out();
        (0..lanes).for_each(|lane| world.read(lane, 8, passes));
        world.ask(consumer);
        let consumers: Vec<_> = world.in_flight.keys().copied().collect();
        for consumer in consumers {
            while !world.in_flight[&consumer].is_empty() {
                world.ack(consumer, 0);
            }
        }
        world.save(true, true);
        if world.kept().iter().sum::<u64>() == world.events() as u64 {
            break;
        }
    }
    let kept: u64 = world.kept().iter().sum();
    assert_eq!(kept, world.events() as u64, "seed {seed}: everything is settled and saved");
    assert_eq!(world.settled.len(), world.events());
    assert_eq!((world.machine.in_flight(), world.machine.bytes()), (0, 0));
    world
}

#[test]
fn every_event_is_delivered_in_order_of_its_entity_whatever_happens() {
    for seed in 0..600 {
        run(seed, Mishaps { deaths: true, nacks: true, crashes: true, hangs: true });
    }
}

#[test]
fn no_event_comes_twice_where_nothing_goes_wrong() {
    for seed in 0..300 {
        let world =
            run(seed, Mishaps { deaths: false, nacks: false, crashes: false, hangs: false });
        assert!(world.deliveries.values().all(|times| *times == 1), "seed {seed}");
    }
}
