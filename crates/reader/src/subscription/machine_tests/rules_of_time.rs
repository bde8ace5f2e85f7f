use super::{
    super::{Nack, NotAcked},
    oracle::{DeliveryWorld, place, rules},
    rules_of_delivery::at,
};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The same, where an event may be in flight for a second, and is tried again once.
fn impatient(entities: &[&str]) -> DeliveryWorld {
    let mut rules = rules();
    (rules.ack_timeout, rules.retries) = (Some(SECOND), 1);
    let mut world = DeliveryWorld::new(1, rules);
    entities.iter().for_each(|entity| world.append(0, entity, 1));
    world.read(0, 100, |_| true);
    world
}

#[test]
fn what_is_in_flight_for_too_long_goes_to_others_first_with_all_of_its_entity_behind_it() {
    let mut world = impatient(&["a", "b", "a", "c"]);
    let [hangs, other] = [0; 2].map(|_| world.join().unwrap());
    assert_eq!(world.ask(hangs), [(hangs, at(1))]);
    world.now = SECOND / 2;
    assert_eq!(world.ask(other), [(other, at(2))]);
    assert_eq!(world.ask(hangs), [(hangs, at(3))], "it has its entity in flight");
    world.ack(other, 0);
    assert_eq!(world.machine.due(Duration::ZERO), Some(SECOND), "no save is due before");
    world.now = SECOND;
    world.time_out();
    assert_eq!(world.machine.in_flight(), 0, "the second one of `a` goes with the first");
    let got: Vec<_> = (0..3).flat_map(|_| world.ask(other)).collect();
    assert_eq!(got, [(other, at(1)), (other, at(3)), (other, at(4))]);
    assert_eq!(world.ask(hangs), [], "one that asks again goes on");
}

#[test]
fn the_checkpoint_goes_on_when_another_has_handled_what_hung() {
    let mut world = impatient(&["a", "b"]);
    let [hangs, other] = [0; 2].map(|_| world.join().unwrap());
    world.ask(hangs);
    world.ask(other);
    world.ack(other, 0);
    world.save(true, true);
    assert_eq!(world.kept(), [0]);
    world.now = SECOND;
    world.time_out();
    world.ask(other);
    world.ack(other, 0);
    world.save(true, true);
    assert_eq!(world.kept(), [2]);
}

#[test]
fn a_late_acknowledgement_is_an_error_also_when_another_has_handled_the_event() {
    let mut world = impatient(&["a"]);
    let [hangs, other] = [0; 2].map(|_| world.join().unwrap());
    world.ask(hangs);
    let held = world.in_flight[&hangs][0].clone();
    world.now = SECOND;
    world.time_out();
    let with = world.with("sorry");
    let late = |world: &mut DeliveryWorld| {
        let (epoch, place, machine) = (held.epoch, place(&held), &mut world.machine);
        let acked_up_to = machine.ack_up_to(hangs, epoch, &held.offset).map(drop);
        let nacked = machine.nack(hangs, epoch, place, Nack::Skip, &with);
        [machine.ack(hangs, epoch, place), acked_up_to, nacked]
    };
    assert_eq!(late(&mut world), [Err(NotAcked::TimedOut); 3]);
    world.ask(other);
    assert_eq!(late(&mut world), [Err(NotAcked::TimedOut); 3]);
    world.ack(other, 0);
    assert_eq!(late(&mut world), [Err(NotAcked::TimedOut); 3]);
}

#[test]
fn an_event_that_hangs_every_consumer_is_given_up_at_last() {
    let mut world = impatient(&["poison", "a"]);
    let consumer = world.join().unwrap();
    for attempt in 1..=2 {
        assert_eq!(world.ask(consumer), [(consumer, at(1))]);
        assert_eq!(world.in_flight[&consumer][0].attempt, attempt);
        world.now += SECOND;
        world.settled.extend((attempt == 2).then(|| at(1)));
        world.time_out();
    }
    assert_eq!(world.ask(consumer), [(consumer, at(2))]);
    world.save(true, true);
    assert!(world.letters.contains(&at(1)), "it was tried again once");
}

#[test]
fn what_was_not_fetched_goes_to_others_and_is_not_counted_as_tried() {
    let mut world = impatient(&["a"]);
    let [sleeps, other] = [0; 2].map(|_| world.join().unwrap());
    for _ in 0..3 {
        world.machine.set_asking(sleeps, true);
        assert_eq!(world.machine.hand_out(world.now), [sleeps]);
        world.now += SECOND;
        assert_eq!(world.machine.time_out(&world.with("late")), [(sleeps, at(1))]);
        assert!(world.machine.fetch(sleeps).is_none());
    }
    assert_eq!(world.ask(other), [(other, at(1))]);
}
