//! Other programs that hold transactions open.

use crate::{
    bounded::{run_on, until},
    database::OwnDatabase,
    fixture::PostgresFixture,
    foreign_session::ForeignSession,
    reader::texts,
    writer::{Writer, account},
};
use actum_store_postgres::PostgresSettings;

/// What holds back readers that wait for older transactions: one with a snapshot, and one with a number.
const OPEN: [&str; 3] = [
    "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class",
    "BEGIN; SELECT txid_current()",
    "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT txid_current(), count(*) FROM pg_class",
];

#[test]
fn foreign_open_transactions_stall_no_one() {
    for open in OPEN {
        run_on(PostgresFixture::with(PostgresSettings::default()), async |journal| {
            let mut here = ForeignSession::beside(journal).await;
            here.run(open).await;
            writers_and_readers_go_on(journal).await;
            here.run("COMMIT").await;
        });
    }
}

#[test]
fn open_transactions_in_other_databases_stall_no_one() {
    run_on(PostgresFixture::with(PostgresSettings::default()), async |journal| {
        let database = OwnDatabase::create(&[]).await.unwrap();
        for (round, open) in OPEN.into_iter().enumerate() {
            let mut elsewhere = ForeignSession::connect(&database.url(), "").await;
            elsewhere.run(open).await;
            if round == 0 {
                writers_and_readers_go_on(journal).await;
            }
        }
    });
}

/// A transaction that has read the journal, or written to tables of its own, before and between the events.
#[test]
fn transactions_that_touch_the_journal_stall_no_one() {
    run_on(PostgresFixture::with(PostgresSettings::default()), async |journal| {
        journal.store().await.close().await; // there is a journal
        let mut here = ForeignSession::beside(journal).await;
        here.run("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM @events").await;
        here.run("CREATE TEMPORARY TABLE mine AS SELECT txid_current()").await;
        writers_and_readers_go_on(journal).await;
        assert_eq!(here.number("SELECT count(*) FROM @events").await, 0, "its snapshot is older");
        here.run("COMMIT").await;
    });
}

/// What is stored is read at once, in its order, while the caller holds something open.
async fn writers_and_readers_go_on(journal: &PostgresFixture) {
    let (store, reader) = (journal.store().await, journal.store().await);
    let writer = Writer::claim(store).await;
    let mut expected = Vec::new();
    for nr in 0..20 {
        let text = format!("event {nr}");
        writer.write(&account(nr), 0, &text).await;
        expected.push(text);
        assert_eq!(texts(&reader).await, expected);
    }
    writer.store.close().await;
}

/// Nothing old is left behind that a snapshot would keep and every later append would have to pass.
#[test]
fn appends_update_and_delete_no_rows() {
    run_on(PostgresFixture::with(PostgresSettings::default()), async |journal| {
        let writer = Writer::claim(journal.store().await).await;
        let mut here = ForeignSession::beside(journal).await;
        here.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class").await;
        for nr in 0..2_000 {
            writer.write(&account(nr % 10), nr as u64 / 10, "event").await;
        }
        writer.store.close().await; // its counts are reported at the latest when it leaves
        here.run("COMMIT").await;

        let schema = journal.settings().schema;
        let count = |what: &str, table: &str| {
            format!(
                "SELECT sum({what})::bigint FROM pg_stat_user_tables
                WHERE schemaname = '{schema}' AND relname LIKE '{table}'"
            )
        };
        until("the inserts are counted", async || {
            here.number(&count("n_tup_ins", "events")).await == 2_000
        })
        .await;
        assert_eq!(here.number(&count("n_tup_ins", "entities")).await, 10);
        for what in ["n_tup_upd", "n_tup_del", "n_dead_tup"] {
            assert_eq!(here.number(&count(what, "%")).await, 0, "{what}");
        }
    });
}
