//! What is appended is read back like the events of entities.

use super::{Booked, BookedEuros, Rig, amounts};
use actum::{
    AppendError, Engine, Expected, MemoryStore, Metadata, ReadError, Stream,
    settings::RuntimeSettings,
};

#[tokio::test]
async fn a_stream_is_read_back_as_it_was_appended_with_what_came_with_it() {
    let rig = Rig::start().await;
    let ledger = rig.ledger();
    assert!(amounts(&ledger).await.is_empty());
    let metadata = Metadata::new().with_correlation_id("request-7");
    let noted = ledger.with_metadata(metadata.clone()).caused_by("event-1");
    let receipt = noted.append(Expected::NEW, [Booked(1), Booked(2)]).await.unwrap();
    ledger.append(receipt, [Booked(3)]).await.unwrap();
    ledger.append(Expected::Any, [Booked(4)]).await.unwrap();
    assert_eq!(amounts(&ledger).await, [1, 2, 3, 4]);
    let mut history = ledger.history().backward().limit(3);
    let mut newest = Vec::new();
    while let Some(recorded) = history.next().await.unwrap() {
        assert_eq!((recorded.entity.kind(), recorded.entity.id()), ("ledger", "2026-11"));
        newest.push((recorded.event.0, recorded.metadata));
    }
    let none = Metadata::new();
    let metadata = metadata.with_causation_id("event-1");
    assert_eq!(newest, [(4, none.clone()), (3, none), (2, metadata)]);
    assert_eq!(
        ledger.history().from(receipt.sequence_nr).next().await.unwrap().unwrap().lane,
        receipt.lane
    );
}

#[tokio::test]
async fn events_of_an_older_schema_are_upcast() {
    let rig = Rig::start().await;
    let before: Stream<BookedEuros> = rig.engine.stream("ledger", "2026-11");
    before.append(Expected::NEW, [BookedEuros { euros: 5 }]).await.unwrap();
    assert_eq!(amounts(&rig.ledger()).await, [500]);
    let (balance, _) = rig.ledger().transact(0, super::add, super::book(1)).await.unwrap();
    assert_eq!(balance, 501);
}

#[tokio::test]
async fn readers_of_the_journal_see_streams_among_its_entities() {
    let rig = Rig::start().await;
    let ledger = rig.ledger();
    ledger.append(Expected::NEW, [Booked(1), Booked(2)]).await.unwrap();
    rig.engine.entity::<crate::counter::Counter>("a").ask(7u64).await.unwrap();
    let mut listed = rig.engine.journal().entities("ledger");
    let first = listed.next().await.unwrap().unwrap();
    assert_eq!((first.entity.id(), first.head.get()), ("2026-11", 2));
    assert!(listed.next().await.unwrap().is_none());
    let mut events = rig.engine.journal().stored_events();
    let mut kinds = Vec::new();
    while let Some(recorded) = events.next().await.unwrap() {
        kinds.push(recorded.entity.kind().to_owned());
    }
    assert_eq!(kinds, ["ledger", "ledger", "counter"]);
}

#[tokio::test]
async fn an_engine_without_entities_has_streams_whatever_its_settings() {
    for settings in [RuntimeSettings::default(), RuntimeSettings::default().with_streams_only(true)]
    {
        let builder = Engine::builder("ledgers").store(MemoryStore::new()).streams_only();
        let engine = builder.settings(settings).start().await.unwrap();
        let ledger: Stream<Booked> = engine.stream("counter", "2026-11");
        ledger.append(Expected::NEW, [Booked(1)]).await.unwrap();
        assert_eq!(ledger.transact(0, super::add, super::book(2)).await.unwrap().0, 3);
        assert!(engine.health().reasons.is_empty());
        assert!(engine.shutdown().await.is_clean());
    }
    let forgotten = Engine::builder("ledgers").store(MemoryStore::new()).start().await;
    let why = forgotten.unwrap_err().to_string();
    assert!(why.contains("no entity was registered"), "{why}");
}

#[tokio::test]
async fn what_cannot_be_a_stream_of_its_own_is_refused_whatever_is_asked() {
    let rig = Rig::start().await;
    let nameless: Stream<Booked> = rig.engine.stream("ledger", "");
    assert!(matches!(nameless.history().next().await, Err(ReadError::Invalid(_))));
    let error = nameless.append(Expected::NEW, [Booked(1)]).await.unwrap_err();
    assert!(matches!(error, AppendError::Invalid { .. }));
    let counter: Stream<u64> = rig.engine.stream("counter", "a");
    rig.engine.entity::<crate::counter::Counter>("a").ask(7u64).await.unwrap();
    let nothing = |_: &u64| Ok::<_, std::convert::Infallible>(Vec::new());
    let error = counter.transact(0, |sum, by| *sum += by, nothing).await.unwrap_err();
    let why = error.to_string();
    assert!(
        why.starts_with("invalid: `counter` is a kind of entity that this engine runs: "),
        "{why}"
    );
    let mut history = counter.history();
    assert_eq!(history.next().await.unwrap().unwrap().event, 7, "to read it does no harm");
}
