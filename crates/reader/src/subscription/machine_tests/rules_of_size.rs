use super::{
    super::{Nack, SubscriptionRules},
    oracle::{DeliveryWorld, rules},
    rules_of_delivery::at,
};

/// A world where a consumer may have 100 bytes in flight, and whose lane has one event for each of these entities, of so many
/// bytes, read and not delivered.
fn world(events: &[(&str, usize)]) -> DeliveryWorld {
    let mut world =
        DeliveryWorld::new(1, SubscriptionRules { in_flight_bytes_max: 100, ..rules() });
    events.iter().for_each(|(entity, bytes)| world.append_of(0, entity, *bytes));
    world.read(0, events.len(), |_| true);
    world
}

#[test]
fn a_consumer_has_so_many_bytes_in_flight_and_no_more() {
    let mut world = world(&[("a", 60), ("b", 40), ("c", 1)]);
    let consumer = world.join().unwrap();
    assert_eq!(world.ask(consumer), [(consumer, at(1))]);
    assert_eq!(world.ask(consumer), [(consumer, at(2))]);
    assert_eq!(world.ask(consumer), []);
    assert_eq!(world.machine.bytes(), 101);
    world.ack(consumer, 0);
    assert_eq!(world.hand_out(), [(consumer, at(3))]);
    assert_eq!(world.machine.bytes(), 41);
}

#[test]
fn an_event_that_is_larger_than_all_that_may_be_in_flight_goes_to_a_consumer_that_has_none() {
    let mut world = world(&[("a", 1), ("b", 101), ("c", 1)]);
    let consumer = world.join().unwrap();
    world.ask(consumer);
    assert_eq!(world.ask(consumer), [], "it has one");
    world.ack(consumer, 0);
    assert_eq!(world.hand_out(), [(consumer, at(2))]);
    assert_eq!(world.ask(consumer), []);
    world.ack(consumer, 0);
    assert_eq!(world.hand_out(), [(consumer, at(3))]);
}

#[test]
fn small_events_do_not_pass_a_large_one_and_another_consumer_gets_it() {
    let mut world = world(&[("a", 50), ("b", 51), ("c", 1)]);
    let [first, second] = [0; 2].map(|_| world.join().unwrap());
    world.ask(first);
    assert_eq!(world.ask(first), [], "it does not fit");
    assert_eq!(world.ask(second), [(second, at(2)), (first, at(3))]);
}

#[test]
fn what_is_given_back_leaves_room_in_flight() {
    let mut world = world(&[("a", 60), ("b", 60)]);
    let consumer = world.join().unwrap();
    world.ask(consumer);
    assert_eq!(world.ask(consumer), []);
    world.nack(consumer, 0, Nack::Retry { after: None });
    assert_eq!(world.hand_out(), [(consumer, at(2))]);
    assert_eq!(world.machine.bytes(), 120, "it waits for its next try");
    world.lose();
    assert_eq!(world.machine.bytes(), 0);
    world.read(0, 2, |_| true);
    assert_eq!(world.ask(consumer), [(consumer, at(1))]);
}

#[test]
fn a_consumer_is_short_of_events_where_it_may_have_one_and_none_waits_for_it() {
    let mut world = world(&[("a", 50), ("a", 51)]);
    let [first, second] = [0; 2].map(|_| world.join().unwrap());
    assert!(!world.machine.is_short(), "no one asks");
    world.ask(first);
    world.ask(first);
    assert!(!world.machine.is_short(), "one waits for it, and is too large");
    world.ask(second);
    assert!(world.machine.is_short(), "what waits is of the first one");
    world.machine.set_asking(second, false);
    world.ack(first, 0);
    world.hand_out();
    assert!(!world.machine.is_short(), "it has got the last one");
    world.ask(first);
    assert!(world.machine.is_short());
}
