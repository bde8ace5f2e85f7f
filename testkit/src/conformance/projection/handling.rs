//! Which events are handled, and in which order.

use super::counting::{COUNTS, Counting, until_all_is_kept};
use crate::conformance::{
    StoreFixture,
    readers::{Label, ReaderProcess, WrittenJournal, numbers, stream, tally, until},
    sample::entity,
    seed::random,
};
use actum_model::Entity;
use actum_projection::Projection;

/// What is there and what is written meanwhile is handled once where nothing goes wrong, and in the order of its entity.
pub async fn every_event_is_handled_in_the_order_of_its_entity(fixture: &dyn StoreFixture) {
    const EVENTS: u64 = 400;
    let mut rng = random();
    let mut journal = WrittenJournal::create(fixture).await;
    let ids: Vec<_> = (0..20).map(|nr| nr.to_string()).collect();
    for id in &ids {
        journal.write(&tally(id), 5).await;
    }
    let counting = Counting::default();
    let projection = counting.projection().segments(4);
    let process = ReaderProcess::run(fixture, "a@1", vec![projection.into()]).await;
    while journal.events < EVENTS {
        let count = rng.u64(1..=4).min(EVENTS - journal.events);
        journal.write(&tally(&ids[rng.usize(0..ids.len())]), count).await;
    }
    until_all_is_kept(&process.projection(COUNTS), EVENTS).await;
    let heads = ids.iter().map(|id| (id.clone(), journal.head_of(&tally(id)))).collect();
    assert_eq!(counting.heads(), heads);
    counting.assert_once();
    process.end().await;
}

/// A process that comes after one that was shut down handles what is behind that, and nothing else.
pub async fn it_goes_on_behind_what_was_saved(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    let counting = Counting::default();
    for life in 1..=3 {
        journal.write(&tally("a"), 3).await;
        let name = format!("a@{life}");
        let projection = counting.projection();
        let process = ReaderProcess::run(fixture, &name, vec![projection.into()]).await;
        journal.write(&tally("a"), 1).await;
        until_all_is_kept(&process.projection(COUNTS), journal.events).await;
        process.end().await;
        assert_eq!(counting.all(), numbers("a", 1..=journal.events));
    }
}

/// Events of entities and of streams feed one projection, in the order of their lane.
pub async fn entities_and_streams_are_handled_together(fixture: &dyn StoreFixture) {
    let mut journal = WrittenJournal::create(fixture).await;
    let counting = Counting::default();
    journal.write(&stream("s"), 2).await;
    journal.write(&tally("a"), 1).await;
    let projection = counting.projection().from_streams::<u64>("stream");
    let process = ReaderProcess::run(fixture, "a@1", vec![projection.into()]).await;
    until_all_is_kept(&process.projection(COUNTS), 3).await;
    journal.write(&stream("s"), 1).await;
    journal.write(&tally("a"), 1).await;
    until_all_is_kept(&process.projection(COUNTS), 5).await;
    let order = [numbers("s", [1, 2]), numbers("a", [1]), numbers("s", [3]), numbers("a", [2])];
    assert_eq!(counting.all(), order.concat());
}

/// Of durable states the last one of each entity is handled, deletions included; those in between may be left out.
pub async fn the_last_state_of_every_entity_is_handled(fixture: &dyn StoreFixture) {
    let mut rng = random();
    let mut journal = WrittenJournal::create(fixture).await;
    let labels: Vec<_> = (0..12).map(|nr| entity(Label::KIND, &nr.to_string())).collect();
    let counting = Counting::default();
    let of_states = Projection::at_least_once(COUNTS, counting.clone()).from_states::<Label>();
    let of_states = of_states.segments(3);
    let process = ReaderProcess::run(fixture, "a@1", vec![of_states.into()]).await;
    let mut deleted = vec![false; labels.len()];
    for _ in 0..150 {
        let nr = rng.usize(0..labels.len());
        deleted[nr] = rng.u8(0..4) == 0;
        journal.put(&labels[nr], deleted[nr]).await;
    }
    let last = |(label, is_deleted): (&actum_model::EntityKey, &bool)| {
        let revision = if *is_deleted { 0 } else { journal.head_of(label) };
        (label.id().to_owned(), revision)
    };
    let written = labels.iter().zip(&deleted).filter(|(label, _)| journal.head_of(label) > 0);
    let expected: std::collections::BTreeMap<_, _> = written.map(last).collect();
    until("the last states are handled", async || {
        counting.all().into_iter().collect::<std::collections::BTreeMap<_, _>>() == expected
    })
    .await;
    process.end().await;
}
