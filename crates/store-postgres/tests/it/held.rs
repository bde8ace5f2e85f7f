//! Writes that are late: the network keeps them while their sender gives up, and brings them after all.

use crate::{
    bounded::{run_on, until},
    fixture::PostgresFixture,
    foreign_session::ForeignSession,
    proxied::Proxied,
    reader::texts,
    writer::{Writer, account},
};
use actum_model::Position;
use actum_persistence::store::{
    AppendOutcome, DurableStateStore, EventStore, Resolution, StoreError, WriterStore,
};
use actum_store_postgres::PostgresSettings;
use actum_testkit::{Rule, Then};
use std::{sync::Arc, time::Duration};

/// How the sender of a write gives up.
#[derive(Clone, Copy, Debug, PartialEq)]
enum GivesUp {
    ByDropping,
    ByTimeout,
}

fn settings(gives_up: GivesUp) -> PostgresSettings {
    let settings = PostgresSettings::default();
    match gives_up {
        GivesUp::ByDropping => settings,
        GivesUp::ByTimeout => settings
            .with_lock_timeout(Duration::from_millis(1_000))
            .with_statement_timeout(Duration::from_millis(1_200))
            .with_answer_timeout(Duration::from_millis(1_500)),
    }
}

#[test]
fn a_late_append_is_not_carried_out_once_it_was_said_not_to_be_stored() {
    for gives_up in [GivesUp::ByDropping, GivesUp::ByTimeout] {
        run_on(PostgresFixture::with(settings(gives_up)), async |journal| {
            assert_eq!(late_append(journal, gives_up).await, ["before", "after"], "{gives_up:?}");
        });
    }
}

/// What the test above finds where settling leaves no trace.
#[test]
fn a_late_append_would_be_carried_out_if_nothing_shut_it_out() {
    run_on(PostgresFixture::with(settings(GivesUp::ByDropping)), async |journal| {
        journal.store().await.close().await; // there is a journal
        let forget = "CREATE FUNCTION @forget() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN NEW.settled := OLD.settled; RETURN NEW; END';
            CREATE TRIGGER forget BEFORE UPDATE ON @writers
                FOR EACH ROW EXECUTE FUNCTION @forget()";
        ForeignSession::beside(journal).await.run(forget).await;
        let stored = late_append(journal, GivesUp::ByDropping).await;
        assert_eq!(stored, ["before", "after", "marked event"]);
    });
}

/// What is stored when an append has arrived that was held back while it was settled.
async fn late_append(journal: &PostgresFixture, gives_up: GivesUp) -> Vec<String> {
    let (direct, (proxied, store)) = (journal.store().await, Proxied::open(journal).await);
    let writer = Writer::claim(store).await;
    writer.write(&account(1), 0, "before").await;

    let rule = proxied.proxy.on(b"marked event", Then::Hold);
    let batch = Arc::new(writer.one(&account(2), 0, "marked event"));
    let appending = tokio::spawn({
        let (store, batch) = (Arc::clone(&writer.store), Arc::clone(&batch));
        async move { store.append(&batch).await }
    });
    rule.fired().await;
    match gives_up {
        GivesUp::ByDropping => appending.abort(),
        GivesUp::ByTimeout => {
            let error = appending.await.unwrap().unwrap_err();
            assert!(error.maybe_written(), "{error:?}");
        }
    }
    assert_eq!(EventStore::resolve(&*writer.store, &batch).await.unwrap(), [Resolution::NotStored]);
    writer.write(&account(1), 1, "after").await;
    arrives(&rule).await;
    texts(&direct).await
}

#[test]
fn a_late_state_write_is_not_carried_out_once_it_was_said_not_to_be_stored() {
    for gives_up in [GivesUp::ByDropping, GivesUp::ByTimeout] {
        run_on(PostgresFixture::with(settings(gives_up)), async |journal| {
            let (direct, (proxied, store)) = (journal.store().await, Proxied::open(journal).await);
            let writer = Writer::claim(store).await;
            writer.store.write(&writer.put(&account(1), 0, "before")).await.unwrap();

            let rule = proxied.proxy.on(b"marked state", Then::Hold);
            let batch = Arc::new(writer.put(&account(2), 0, "marked state"));
            let writing = tokio::spawn({
                let (store, batch) = (Arc::clone(&writer.store), Arc::clone(&batch));
                async move { store.write(&batch).await }
            });
            rule.fired().await;
            match gives_up {
                GivesUp::ByDropping => writing.abort(),
                GivesUp::ByTimeout => assert!(writing.await.unwrap().unwrap_err().maybe_written()),
            }
            let outcomes = DurableStateStore::resolve(&*writer.store, &batch).await.unwrap();
            assert_eq!(outcomes, [Resolution::NotStored], "{gives_up:?}");
            writer.store.write(&writer.put(&account(1), 1, "after")).await.unwrap();
            arrives(&rule).await;
            let found = DurableStateStore::load(&direct, &[account(2)]).await.unwrap();
            assert_eq!(found, [None], "{gives_up:?}");
        });
    }
}

/// Deleting is no write that anybody settles; but what was sent before a settlement comes too late all the same.
#[test]
fn a_late_deletion_is_not_carried_out_behind_a_settlement() {
    run_on(PostgresFixture::with(PostgresSettings::default()), async |journal| {
        let (direct, (proxied, store)) = (journal.store().await, Proxied::open(journal).await);
        let writer = Writer::claim(store).await;
        let marked = actum_model::EntityKey::new("account", "marked entity").unwrap();
        let batch = writer.one(&marked, 0, "event");
        writer.store.append(&batch).await.unwrap();

        let rule = proxied.proxy.on(b"marked entity", Then::Hold);
        let deleting = tokio::spawn({
            let writer = writer.clone();
            let up_to = actum_model::SequenceNr::new(1);
            async move { writer.store.delete_events(writer.incarnation, &marked, up_to).await }
        });
        rule.fired().await;
        deleting.abort();
        // of another batch: all writes of an incarnation are settled together
        let other = writer.one(&account(1), 0, "never sent");
        assert_eq!(
            EventStore::resolve(&*writer.store, &other).await.unwrap(),
            [Resolution::NotStored]
        );
        arrives(&rule).await;
        assert_eq!(texts(&direct).await, ["event"]);
    });
}

/// In a transaction of several statements it is the commit that may be late, all work done. What is said of it then
/// stays true when it comes.
#[test]
fn what_is_said_of_an_append_whose_commit_is_late_stays_true() {
    let settings = PostgresSettings::default().with_transaction_pooling(true);
    let settings = settings.with_lock_timeout(Duration::from_millis(300));
    run_on(PostgresFixture::with(settings), async |journal| {
        let (direct, (proxied, store)) = (journal.store().await, Proxied::open(journal).await);
        let writer = Writer::claim(store).await;
        writer.write(&account(1), 0, "before").await;

        let rule = proxied.proxy.on(b"COMMIT\0", Then::Hold);
        let batch = Arc::new(writer.one(&account(2), 0, "marked event"));
        let appending = tokio::spawn({
            let (store, batch) = (Arc::clone(&writer.store), Arc::clone(&batch));
            async move { store.append(&batch).await }
        });
        rule.fired().await;
        appending.abort();
        let said = EventStore::resolve(&*writer.store, &batch).await;
        arrives(&rule).await;
        let is_stored = texts(&direct).await.len() == 2;
        match said {
            Ok(outcomes) => assert_eq!(outcomes[0].stored().is_some(), is_stored),
            Err(error) => assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}"),
        }
        let outcomes = EventStore::resolve(&*writer.store, &batch).await.unwrap();
        let truth = is_stored.then_some(AppendOutcome::Appended { last: Position::new(2) });
        assert_eq!(outcomes, [Resolution::of(truth)]);
        writer.write(&account(2), u64::from(is_stored), "after").await;
    });
}

/// A writer that is gone in the middle of a transaction, without a word, is fenced all the same.
#[test]
fn a_late_commit_keeps_no_one_from_fencing_its_writer() {
    let settings = PostgresSettings::default().with_transaction_pooling(true);
    let settings = settings.with_lock_timeout(Duration::from_millis(300));
    run_on(PostgresFixture::with(settings), async |journal| {
        let (direct, (proxied, store)) = (journal.store().await, Proxied::open(journal).await);
        let writer = Writer::claim(store).await;
        writer.write(&account(1), 0, "before").await;
        let rule = proxied.proxy.on(b"COMMIT\0", Then::Hold);
        let appending = writer.spawn_write(&account(2), 0, "late");
        rule.fired().await;
        appending.abort();
        until("the writer is fenced", async || direct.revoke(writer.incarnation).await.is_ok())
            .await;
        let stored = texts(&direct).await;
        arrives(&rule).await;
        assert_eq!(texts(&direct).await, stored, "nothing commits behind a revocation");
        let fenced = writer.try_write(&account(1), 1, "after").await.unwrap_err();
        assert!(matches!(fenced, StoreError::Fenced { .. }), "{fenced:?}");
    });
}

/// Lets what was held back go, and waits until the server has done with it.
async fn arrives(rule: &Rule) {
    rule.release();
    rule.settled().await;
}
