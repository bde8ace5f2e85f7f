//! Which events come, and in which order.

use super::mails::{
    MAILS, assert_idle, handle, mails, next, seen, status, subscribe, take, unsubscribe,
};
use crate::conformance::{
    StoreFixture,
    readers::{
        ReaderProcess, SeenEvent, Tally, WrittenJournal, note, numbers, stream, tally, until,
    },
    seed::random,
};
use actum_projection::{LastResort, Recorded, StartAt, Subscription, SubscriptionError};
use std::{collections::HashMap, time::Duration};

/// A consumer gets what is there and what is written meanwhile, each event once, and those of an entity in order.
pub async fn what_was_there_and_what_comes_is_one_sequence(fixture: &dyn StoreFixture) {
    const EVENTS: u64 = 400;
    let mut rng = random();
    let mut journal = WrittenJournal::create(fixture).await;
    for nr in 0..20 {
        journal.write(&tally(&nr.to_string()), 5).await;
    }
    let process = ReaderProcess::start(fixture, "a@1").await;
    let small = mails().buffer_events(7).checkpoint(20, Duration::from_millis(100));
    let mut consumer = subscribe(&process, small).await;
    let writing = tokio::spawn(async move {
        while journal.events < EVENTS {
            let count = rng.u64(1..=4).min(EVENTS - journal.events);
            journal.write(&tally(&rng.u8(0..20).to_string()), count).await;
        }
        journal
    });
    let mut last: HashMap<String, u64> = HashMap::new();
    for _ in 0..EVENTS {
        let delivered = next(&mut consumer).await;
        delivered.ack().expect("it is in flight");
        let (id, nr) = delivered.into_event();
        let before = last.insert(id.clone(), nr).unwrap_or_default();
        assert_eq!(nr, before + 1, "of {id}");
    }
    let journal = writing.await.expect("it goes through");
    assert_idle(&mut consumer).await;
    for (id, nr) in last {
        assert_eq!(nr, journal.head_of(&tally(&id)), "of {id}");
    }
}

/// Events that are of other kinds, or that the selector leaves out, do not come, and need no acknowledgement to be left behind.
pub async fn what_the_selector_leaves_out_moves_the_checkpoint(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 10).await;
    journal.write(&note("n"), 3).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let seventh = Subscription::durable(MAILS).checkpoint(1, Duration::from_millis(10));
    let seventh = seventh.from::<Tally, _>(|event| (event.event == 7).then(|| seen(&event)));
    let mut consumer = subscribe(&process, seventh).await;
    let delivered = next(&mut consumer).await;
    assert_eq!(delivered.event(), &("a".to_owned(), 7));
    assert_idle(&mut consumer).await; // it has asked for all that is left out
    let kept = async || status(&process).await.offset.positions()[0].get();
    until("what is in front of it is settled", async || kept().await == 6).await;
    delivered.ack().expect("it is in flight");
    until("all is settled", async || kept().await == 13).await;
    unsubscribe(consumer).await;
    let other = ReaderProcess::start(fixture, "b@1").await;
    let status = status(&other).await;
    assert_eq!((status.handled, status.lag.events), (1, 0), "as it is kept");
}

/// Entities and streams are decoded as their types, everything else comes as it is stored: as one sequence.
pub async fn entities_streams_and_stored_events_are_sources(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&stream("s"), 2).await;
    journal.write(&note("n"), 2).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let of_note = |event: Recorded<actum_model::StoredPayload>| {
        let nr: u64 = event.event.decode().expect("a note is a number");
        Some((format!("{} of {}", event.event.manifest, event.entity.id()), nr))
    };
    let all = mails()
        .from_streams::<u64, _>("stream", |event| Some(seen(&event)))
        .of_kinds(["note"], of_note);
    let mut consumer = subscribe(&process, all).await;
    let there = [numbers("s", 1..=2), numbers("u64 of n", 1..=2)].concat();
    assert_eq!(handle(&mut consumer, 4).await, there);
    journal.write(&stream("s"), 1).await;
    journal.write(&tally("a"), 1).await;
    journal.write(&note("n"), 1).await;
    let comes = [numbers("s", [3]), numbers("a", [1]), numbers("u64 of n", [3])].concat();
    assert_eq!(handle(&mut consumer, 3).await, comes);
    let everything = Subscription::transient().start_at(StartAt::Beginning);
    let everything =
        everything.all(|event| Some((event.entity.to_string(), event.sequence_nr.get())));
    let mut consumer = subscribe(&process, everything).await;
    let order = ["stream/s", "stream/s", "note/n", "note/n", "stream/s", "tally/a", "note/n"];
    let seen: Vec<_> = take(&mut consumer, 7).await.into_iter().map(|(entity, _)| entity).collect();
    assert_eq!(seen, order);
}

/// Of an entity that is a source its events come, and no one else's.
pub async fn one_entity_is_a_source(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    for _ in 0..3 {
        journal.write(&tally("a"), 1).await;
        journal.write(&tally("b"), 1).await;
        journal.write(&stream("b"), 1).await;
    }
    let process = ReaderProcess::start(fixture, "a@1").await;
    let of_b = Subscription::durable(MAILS).entity::<Tally, _>("b", |event| Some(seen(&event)));
    let mut consumer = subscribe(&process, of_b).await;
    assert_eq!(handle(&mut consumer, 3).await, numbers("b", 1..=3));
    let of_stream = |event: Recorded<u64>| Some((event.entity.to_string(), event.event));
    let of_stream = Subscription::durable("of-stream").stream::<u64, _>("stream", "b", of_stream);
    let mut other = subscribe(&process, of_stream).await;
    assert_eq!(handle(&mut other, 3).await, numbers("stream/b", 1..=3));
    assert_idle(&mut consumer).await;
}

/// An event that cannot be decoded is never left out in silence.
pub async fn what_cannot_be_decoded_is_parked_or_stops_it_as_is_set(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    journal.write(&tally("a"), 1).await;
    journal.write_damaged(&tally("a")).await;
    journal.write(&tally("a"), 1).await;
    let process = ReaderProcess::start(fixture, "a@1").await;
    let mut consumer = subscribe(&process, mails()).await;
    assert_eq!(handle(&mut consumer, 1).await, numbers("a", [1]));
    let error = consumer
        .next()
        .await
        .map(|next| next.map(|it: actum_projection::Delivered<SeenEvent>| it.into_event()));
    assert!(matches!(error, Err(SubscriptionError::Undecodable(_))), "{error:?}");
    unsubscribe(consumer).await;
    let mails_ref = process.subscription(MAILS);
    mails_ref.resume().await.expect("it can be resumed");
    let parks = mails().on_undecodable(LastResort::Park);
    let mut consumer = subscribe(&process, parks).await;
    assert_eq!(handle(&mut consumer, 1).await, numbers("a", [3]));
    until("it is kept", async || status(&process).await.dead_letters == 1).await;
    let letters = mails_ref.dead_letters(None, 10).await.expect("they can be listed");
    assert_eq!(letters[0].sequence_nr.get(), 2);
}
