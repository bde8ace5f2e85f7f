use super::{
    super::{LastResort, Nack, NotAcked},
    oracle::{DeliveryWorld, place, rules},
};
use actum_model::{Lane, Position};
use actum_persistence::progress::DeadLetterPlace;
use std::time::Duration;

pub(super) fn at(position: u64) -> DeadLetterPlace {
    DeadLetterPlace { lane: Lane::new(0), position: Position::new(position) }
}

/// A world whose first lane has one event of each of these entities, read and not delivered.
fn world(entities: &[&str]) -> DeliveryWorld {
    let mut world = DeliveryWorld::new(1, rules());
    entities.iter().for_each(|entity| world.append(0, entity, 1));
    world.read(0, 100, |_| true);
    world
}

#[test]
fn an_event_goes_to_the_consumer_that_has_its_entity_in_flight() {
    let mut world = world(&["a", "b", "a", "c"]);
    let [first, second] = [0; 2].map(|_| world.join().unwrap());
    assert_eq!(world.ask(first), [(first, at(1))]);
    assert_eq!(world.ask(second), [(second, at(2))]);
    assert_eq!(world.ask(second), [(second, at(4))], "not the second one of `a`");
    assert_eq!(world.ask(second), []);
    assert_eq!(world.ask(first), [(first, at(3))]);
}

#[test]
fn an_entity_belongs_to_no_one_when_none_of_its_events_is_in_flight() {
    let mut world = world(&["a", "a"]);
    let [first, second] = [0; 2].map(|_| world.join().unwrap());
    world.ask(first);
    assert_eq!(world.ask(second), []);
    world.ack(first, 0);
    assert_eq!(world.hand_out(), [(second, at(2))]);
}

#[test]
fn of_two_that_ask_the_one_that_was_served_least_recently_gets_an_event() {
    let mut world = world(&["a", "b"]);
    let [first, second] = [0; 2].map(|_| world.join().unwrap());
    world.ask(second);
    world.ask(first);
    assert_eq!(world.ask(first), []);
    assert_eq!(world.ask(second), []);
    world.append(0, "c", 1);
    world.read(0, 1, |_| true);
    assert_eq!(world.hand_out(), [(second, at(3))]);
    world.append(0, "d", 1);
    world.read(0, 1, |_| true);
    assert_eq!(world.hand_out(), [(first, at(4))]);
}

#[test]
fn what_a_consumer_that_died_had_in_flight_comes_first_and_to_the_others() {
    let mut world = world(&["x", "a", "b", "a"]);
    let [first, second] = [0; 2].map(|_| world.join().unwrap());
    world.ask(second); // x
    world.ask(first);
    world.ask(first);
    world.append(0, "x", 2);
    world.read(0, 2, |_| true);
    world.leave(first);
    let got: Vec<_> = (0..3).flat_map(|_| world.ask(second)).collect();
    assert_eq!(got, [(second, at(2)), (second, at(3)), (second, at(4))]);
    let attempts: Vec<_> = world.in_flight[&second].iter().map(|it| it.attempt).collect();
    assert_eq!(attempts, [1, 2, 2, 1]);
}

#[test]
fn a_consumer_has_so_many_events_in_flight_and_no_more() {
    let mut world = world(&["a", "b", "c", "d", "e"]);
    let consumer = world.join().unwrap();
    (0..4).for_each(|_| assert_eq!(world.ask(consumer).len(), 1));
    assert_eq!(world.ask(consumer), []);
    world.ack(consumer, 2);
    assert_eq!(world.hand_out(), [(consumer, at(5))]);
}

#[test]
fn so_many_consumers_join_and_no_more() {
    let mut world = world(&[]);
    let joined: Vec<_> = (0..4).filter_map(|_| world.join()).collect();
    assert_eq!(joined.len(), 3);
    world.leave(joined[1]);
    assert!(world.join().is_some());
}

#[test]
fn no_more_is_read_than_the_buffer_has_room_for_and_than_may_be_ahead() {
    let mut world = DeliveryWorld::new(1, rules());
    world.append(0, "stuck", 1);
    (0..200).for_each(|nr: u32| world.append(0, &nr.to_string(), 1));
    let consumer = world.join().unwrap();
    world.read(0, 20, |_| true);
    assert!(!world.machine.has_room(), "20 events are in it");
    world.ask(consumer);
    for _ in 0..60 {
        world.read(0, 1, |_| true);
        if !world.ask(consumer).is_empty() {
            world.ack(consumer, 1);
        }
    }
    world.save(true, true);
    assert_eq!(world.kept(), [0], "the first one is not acknowledged");
    let ahead = world.deliveries.keys().last().unwrap().position.get();
    assert!((20..=40).contains(&ahead), "{ahead}");
    assert!(!world.machine.has_room());
    world.ack(consumer, 0);
    assert!(world.machine.has_room());
}

#[test]
fn the_checkpoint_lies_before_the_oldest_event_that_is_not_acknowledged() {
    let mut world = world(&["a", "b", "c", "d"]);
    let consumer = world.join().unwrap();
    (0..4).for_each(|_| _ = world.ask(consumer));
    let kept = |world: &mut DeliveryWorld, nr| {
        world.ack(consumer, nr);
        world.save(true, true);
        world.kept()[0]
    };
    assert_eq!([kept(&mut world, 2), kept(&mut world, 1), kept(&mut world, 0)], [0, 0, 3]);
}

#[test]
fn what_was_settled_is_saved_after_so_many_events_or_so_much_time() {
    let mut world = world(&["a", "b", "c", "d", "e", "f"]);
    world.now = Duration::from_millis(10);
    let consumer = world.join().unwrap();
    for acked in 1..=5 {
        assert!(world.due_save(false).is_none(), "{acked}");
        world.ask(consumer);
        world.ack(consumer, 0);
    }
    assert_eq!(world.due_save(false).map(|save| save.handled), Some(5));
    world.save(false, true);
    world.ask(consumer);
    world.ack(consumer, 0);
    assert!(world.due_save(false).is_none());
    assert_eq!(world.machine.due(world.now), Some(Duration::from_millis(1_010)));
    world.now = Duration::from_millis(1_010);
    world.save(false, true);
    assert_eq!((world.kept(), world.machine.due(world.now)), (vec![6], None));
}

#[test]
fn what_is_settled_during_a_save_counts_for_the_next_one() {
    let mut world = world(&["a"; 10]);
    let consumer = world.join().unwrap();
    let acked = |world: &mut DeliveryWorld, count| {
        for _ in 0..count {
            world.ask(consumer);
            world.ack(consumer, 0);
        }
    };
    acked(&mut world, 5);
    let save = world.due_save(false).unwrap();
    acked(&mut world, 4);
    world.machine.saved(&save, world.now);
    assert!(world.due_save(false).is_none(), "four are fewer than a checkpoint");
    acked(&mut world, 1);
    assert_eq!(world.due_save(false).map(|save| save.handled), Some(5));
}

#[test]
fn what_is_not_in_flight_cannot_be_acknowledged() {
    let mut world = world(&["a", "b"]);
    let [first, second] = [0; 2].map(|_| world.join().unwrap());
    world.ask(first);
    let handout = world.in_flight[&first][0].clone();
    let (epoch, offset) = (handout.epoch, handout.offset.clone());
    let machine = &mut world.machine;
    let error = Err(NotAcked::NotInFlight);
    assert_eq!(machine.ack(second, epoch, place(&handout)), error, "another one has it");
    assert_eq!(machine.ack(first, epoch, at(2)), error, "it was not delivered");
    assert_eq!(machine.ack_up_to(second, epoch, &offset), Err(NotAcked::NotInFlight));
    world.lose();
    let ack = world.machine.ack(first, epoch, place(&handout));
    assert_eq!(ack, Err(NotAcked::Lost));
}

#[test]
fn an_event_that_is_retried_comes_behind_its_pause_and_before_those_of_its_entity() {
    let mut world = world(&["a", "a", "b"]);
    let consumer = world.join().unwrap();
    world.ask(consumer);
    world.nack(consumer, 0, Nack::Retry { after: Some(Duration::from_secs(3)) });
    assert_eq!(world.ask(consumer), [(consumer, at(3))]);
    assert_eq!(world.ask(consumer), []);
    assert_eq!(world.machine.due(world.now), Some(Duration::from_secs(3)));
    world.now = Duration::from_secs(3);
    assert_eq!(world.hand_out(), [(consumer, at(1))]);
    assert_eq!(world.ask(consumer), [(consumer, at(2))]);
}

#[test]
fn pauses_double_where_none_is_said() {
    let mut world = world(&["a"]);
    let consumer = world.join().unwrap();
    for pause in [100, 200, 400, 800, 1_000, 1_000] {
        world.ask(consumer);
        world.nack(consumer, 0, Nack::Retry { after: None });
        assert_eq!(world.machine.due(world.now), Some(world.now + Duration::from_millis(pause)));
        world.now += Duration::from_millis(pause);
    }
}

/// An event that was retried once, where that is all that may be.
fn exhausted(on_exhausted: LastResort) -> DeliveryWorld {
    let mut rules = rules();
    (rules.retries, rules.on_exhausted) = (1, on_exhausted);
    let mut world = DeliveryWorld::new(1, rules);
    world.append(0, "a", 2);
    world.read(0, 2, |_| true);
    let consumer = world.join().unwrap();
    for _ in 0..2 {
        world.ask(consumer);
        let handout = world.in_flight.get_mut(&consumer).unwrap().pop().unwrap();
        let (nack, with) = (Nack::Retry { after: Some(Duration::ZERO) }, world.with("poison"));
        world.machine.nack(consumer, handout.epoch, place(&handout), nack, &with).unwrap();
    }
    if on_exhausted != LastResort::Stop {
        world.settled.insert(at(1));
        assert_eq!(world.ask(consumer), [(consumer, at(2))]);
        world.ack(consumer, 0);
    } else {
        assert_eq!(world.ask(consumer), []);
    }
    world
}

#[test]
fn after_the_last_retry_an_event_is_parked_skipped_or_stops_the_subscription() {
    let mut world = exhausted(LastResort::Park);
    let save = world.due_save(false).expect("a letter is saved at once");
    let [letter] = &save.dead_letters[..] else { panic!("one letter: {save:?}") };
    assert_eq!((letter.place, &*letter.error, letter.attempts), (at(1), "poison", 2));
    world.save(false, true);
    assert!(world.due_save(true).is_none());
    assert_eq!(world.kept(), [2]);

    let mut world = exhausted(LastResort::Skip);
    world.save(true, true);
    assert_eq!((world.kept(), world.letters.len()), (vec![2], 0));

    let mut world = exhausted(LastResort::Stop);
    assert_eq!(world.machine.stops().map(|why| &**why), Some("poison"));
    world.save(true, true);
    assert_eq!(world.kept(), [0]);
}

#[test]
fn a_letter_that_is_replayed_leaves_the_checkpoint_where_it_is_and_is_forgotten_when_it_is_acknowledged()
 {
    let mut world = world(&["a", "b"]);
    let consumer = world.join().unwrap();
    world.ask(consumer);
    let letter = world.in_flight[&consumer][0].clone();
    world.nack(consumer, 0, Nack::Park);
    world.save(false, true);
    assert_eq!(world.kept(), [1]);
    let again = |world: &mut DeliveryWorld| {
        let key =
            |entity: &actum_model::EntityKey| super::super::AffinityKey::Entity(entity.clone());
        world.machine.replay(letter.lane, letter.event.clone(), key);
        world.machine.replay(letter.lane, letter.event.clone(), key);
        assert!(world.machine.replays(&at(1)));
        world.ask(consumer).into_iter().chain(world.ask(consumer)).collect::<Vec<_>>()
    };
    assert_eq!(again(&mut world), [(consumer, at(2)), (consumer, at(1))], "once");
    world.nack(consumer, 1, Nack::Park);
    let save = world.due_save(false).unwrap();
    assert_eq!((save.letters_replayed.len(), save.dead_letters.len()), (1, 1), "in its place");
    world.save(false, true);
    assert_eq!(again(&mut world), [(consumer, at(1))]);
    world.ack(consumer, 1);
    let save = world.due_save(false).unwrap();
    assert_eq!((save.letters_replayed, save.dead_letters.len()), (vec![at(1)], 0));
    assert_eq!(save.progress.offset().position(Lane::new(0)), Position::new(1));
}

#[test]
fn what_the_store_did_not_keep_is_saved_later() {
    let mut world = world(&["a"]);
    let consumer = world.join().unwrap();
    world.ask(consumer);
    world.nack(consumer, 0, Nack::Park);
    world.save(false, false);
    assert!(world.due_save(false).is_none(), "not at once");
    world.now += Duration::from_millis(100);
    world.save(false, true);
    assert_eq!((world.kept(), world.letters.len()), (vec![1], 1));
}

#[test]
fn what_is_in_flight_takes_no_room_from_what_is_read() {
    for (buffer_events, buffer_bytes) in [(2, 1_000), (20, 25)] {
        let mut rules = rules();
        (rules.buffer_events, rules.buffer_bytes) = (buffer_events, buffer_bytes);
        let mut world = DeliveryWorld::new(1, rules);
        world.append(0, "a", 10);
        let consumer = world.join().unwrap();
        for _ in 0..4 {
            world.read(0, 1, |_| true);
            assert_eq!(world.ask(consumer).len(), 1);
        }
        (0..10).for_each(|_| world.read(0, 1, |_| true));
        assert!(!world.machine.has_room(), "what waits takes room");
        world.nack(consumer, 3, Nack::Retry { after: None });
        world.ack(consumer, 0);
        assert!(!world.machine.has_room(), "what comes back, too");
        world.leave(consumer);
        let consumer = world.join().unwrap();
        world.now += Duration::from_secs(1);
        while !world.ask(consumer).is_empty() {
            world.ack(consumer, 0);
        }
        assert!(world.machine.has_room());
    }
}

/// How many events come to a consumer, each settled so, while nothing can be saved.
fn settled_unsaved(settle: impl Fn(&mut DeliveryWorld, u64)) -> DeliveryWorld {
    let mut rules = rules();
    (rules.ahead_max, rules.checkpoint_events) = (1_500, 5);
    let mut world = DeliveryWorld::new(1, rules);
    world.append(0, "a", 3_000);
    let consumer = world.join().unwrap();
    for _ in 0..3_000 {
        world.read(0, 1, |_| true);
        if !world.ask(consumer).is_empty() {
            settle(&mut world, consumer);
        }
        world.save(false, false);
    }
    assert!(!world.machine.has_room());
    world.now += Duration::from_secs(1);
    world.save(false, true);
    assert!(world.machine.has_room(), "it is saved");
    world
}

#[test]
fn while_nothing_can_be_saved_no_more_is_read_than_may_come_twice() {
    let world = settled_unsaved(|world, consumer| world.ack(consumer, 0));
    assert_eq!(world.deliveries.len(), 1_500);
}

#[test]
fn while_nothing_can_be_saved_so_many_events_are_parked_and_no_more() {
    let world = settled_unsaved(|world, consumer| world.nack(consumer, 0, Nack::Park));
    assert_eq!(world.letters.len(), 1_000);
}

#[test]
fn a_retry_is_a_day_away_at_most() {
    let mut world = world(&["a"]);
    world.now = Duration::from_secs(1);
    let consumer = world.join().unwrap();
    world.ask(consumer);
    world.nack(consumer, 0, Nack::Retry { after: Some(Duration::MAX) });
    assert_eq!(world.machine.due(world.now), Some(Duration::from_secs(24 * 3_600 + 1)));
}
