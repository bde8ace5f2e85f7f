//! Connections that end in the middle of a write.

use crate::{
    bounded::run_on,
    fixture::PostgresFixture,
    proxied::Proxied,
    reader::texts,
    writer::{Writer, account},
};
use actum_model::Position;
use actum_persistence::store::{
    AppendOutcome, DurableStateStore, EventStore, Resolution, StoreError,
};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use actum_testkit::Then;

/// The word alone: a transaction also begins `READ COMMITTED`.
const COMMIT: &[u8] = b"COMMIT\0";
const CUTS: [Then; 3] = [Then::CutBefore, Then::CutAfterSending, Then::CutAfterAnswer];

/// The two ways a call commits, and what its last words to the server hold.
fn modes() -> [(PostgresSettings, &'static [u8]); 2] {
    let settings = PostgresSettings::default();
    [(settings.clone(), b"marked event"), (settings.with_transaction_pooling(true), COMMIT)]
}

#[test]
fn an_append_that_is_cut_off_is_found_out_about() {
    for (settings, last_words) in modes() {
        for then in CUTS {
            run_on(PostgresFixture::with(settings.clone()), async |journal| {
                cut_append(journal, last_words, then).await;
            });
        }
    }
}

async fn cut_append(journal: &PostgresFixture, last_words: &[u8], then: Then) {
    let (direct, (proxied, store)) = (journal.store().await, Proxied::open(journal).await);
    let writer = Writer::claim(store).await;
    writer.write(&account(1), 0, "before").await;

    let rule = proxied.proxy.on(last_words, then);
    let batch = writer.one(&account(1), 1, "marked event");
    let error = writer.store.append(&batch).await.unwrap_err();
    assert!(error.maybe_written(), "{then:?}: {error:?}");
    let outcomes = EventStore::resolve(&*writer.store, &batch).await.unwrap();
    rule.settled().await;
    let stored = texts(&direct).await.len() as u64 == 2;
    let truth = stored.then_some(AppendOutcome::Appended { last: Position::new(2) });
    assert_eq!(outcomes, [Resolution::of(truth)], "{then:?}");
    match then {
        Then::CutBefore => assert!(!stored),
        Then::CutAfterAnswer => assert!(stored),
        _ => {} // no matter which came first: the statement, or the question
    }
    let next = 1 + u64::from(stored);
    assert_eq!(writer.write(&account(1), next, "after").await.get(), next + 1, "{then:?}");
    assert_eq!(writer.write(&account(2), 0, "another").await.get(), next + 2, "{then:?}");
}

#[test]
fn a_state_write_that_is_cut_off_is_found_out_about() {
    for (settings, last_words) in modes() {
        for then in CUTS {
            run_on(PostgresFixture::with(settings.clone()), async |journal| {
                cut_state_write(journal, last_words, then).await;
            });
        }
    }
}

async fn cut_state_write(journal: &PostgresFixture, last_words: &[u8], then: Then) {
    let (direct, (proxied, store)) = (journal.store().await, Proxied::open(journal).await);
    let writer = Writer::claim(store).await;
    let first = writer.put(&account(1), 0, "before");
    writer.store.write(&first).await.unwrap();

    let rule = proxied.proxy.on(last_words, then);
    let batch = writer.put(&account(1), 1, "marked event");
    let error = writer.store.write(&batch).await.unwrap_err();
    assert!(error.maybe_written(), "{then:?}: {error:?}");
    let outcomes = DurableStateStore::resolve(&*writer.store, &batch).await.unwrap();
    rule.settled().await;
    let revision = revision(&direct).await;
    assert_eq!(outcomes[0].stored().is_some(), revision == 2, "{then:?}");
    let next = writer.put(&account(1), revision, "after");
    writer.store.write(&next).await.unwrap();
}

/// The question for the outcome of an append is cut off too, at its own commit; asked again it is answered.
#[test]
fn finding_out_can_be_cut_off_and_begun_again() {
    for append_cut in [Then::CutBefore, Then::CutAfterAnswer] {
        for resolve_cut in CUTS {
            run_on(PostgresFixture::with(PostgresSettings::default()), async |journal| {
                cut_resolve(journal, append_cut, resolve_cut).await;
            });
        }
    }
}

async fn cut_resolve(journal: &PostgresFixture, append_cut: Then, resolve_cut: Then) {
    let (direct, (proxied, store)) = (journal.store().await, Proxied::open(journal).await);
    let writer = Writer::claim(store).await;
    let rule = proxied.proxy.on(b"marked event", append_cut);
    let batch = writer.one(&account(1), 0, "marked event");
    writer.store.append(&batch).await.unwrap_err();
    rule.settled().await;
    let stored = texts(&direct).await.len() == 1;
    assert_eq!(stored, append_cut == Then::CutAfterAnswer);

    let rule = proxied.proxy.on(COMMIT, resolve_cut);
    let cut = EventStore::resolve(&*writer.store, &batch).await;
    assert!(rule.has_fired());
    cut.unwrap_err();
    let truth = stored.then_some(AppendOutcome::Appended { last: Position::new(1) });
    for _ in 0..2 {
        let outcomes = EventStore::resolve(&*writer.store, &batch).await.unwrap();
        assert_eq!(outcomes, [Resolution::of(truth)], "{append_cut:?}, {resolve_cut:?}");
    }
    writer.write(&account(1), u64::from(stored), "after").await;
}

/// Where nothing that commits was sent, no one needs to ask.
#[test]
fn an_append_whose_commit_was_never_sent_is_unavailable() {
    let settings = PostgresSettings::default().with_transaction_pooling(true);
    run_on(PostgresFixture::with(settings), async |journal| {
        let (proxied, store) = Proxied::open(journal).await;
        let writer = Writer::claim(store).await;
        writer.write(&account(1), 0, "before").await;
        for (then, text) in CUTS.into_iter().zip(["marked 1", "marked 2", "marked 3"]) {
            proxied.proxy.on(text.as_bytes(), then);
            let error = writer.try_write(&account(1), 1, text).await.unwrap_err();
            assert!(matches!(error, StoreError::Unavailable { .. }), "{then:?}: {error:?}");
        }
        writer.write(&account(1), 1, "after").await;
        assert_eq!(texts(&journal.store().await).await, ["before", "after"]);
    });
}

async fn revision(store: &PostgresStore) -> u64 {
    let found = DurableStateStore::load(store, &[account(1)]).await.unwrap();
    found[0].as_ref().map_or(0, |record| record.revision.get())
}
