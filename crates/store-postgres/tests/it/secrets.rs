//! No password is in an error, in what a developer is shown, or in the log.

use crate::{
    bounded::{run, until, within},
    guarded::{PASSWORD, guarded},
    messages::{assert_says, failure},
    sample::{Writer, account, claim, head_of},
};
use actum_persistence::store::{EventStore, WriterStore};
use actum_store_postgres::{PostgresSettings, PostgresStore, migrate, migrations};
use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
    time::Duration,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Whatever it is written as.
const PASSWORDS: [&str; 4] = [PASSWORD, "hunter2", "Zauber", "%2FZauber"];

/// A text that anybody may read has none of it.
pub(crate) fn assert_no_password(text: &str) {
    for password in PASSWORDS {
        assert!(!text.contains(password), "{password} is in {text}");
    }
}

#[test]
fn a_connection_that_is_lost_says_how_and_the_password_is_in_none_of_it() {
    let Some(server) = guarded() else { return };
    run(async {
        let database = server.database("").await;
        let url = server.url("actum", &database);
        let settings = PostgresSettings::default().with_ping_after_idle(Duration::from_secs(3600));
        let store = PostgresStore::connect_with(&url, settings).await.unwrap();
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        for statement in [
            format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false"),
            format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
            ),
        ] {
            server.run("postgres", statement).await;
        }
        assert_says(
            failure(writer.each(&[account(1)], 1, 10).await),
            "it is unknown whether the store has committed: appending events: terminating connection due to \
            administrator command (SQLSTATE 57P01)",
        );
        let away = format!(
            "the store is unavailable: reading the heads: database \"{database}\" is not currently accepting connections \
            (SQLSTATE 55000)"
        );
        assert_says(failure(store.heads().await), &away);
        assert_says(failure(store.heads().await), &away);
    });
}

/// Keeps all that is logged, of every level and by everybody.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn add(&self, text: &dyn Debug) {
        write!(self.0.lock().unwrap(), "{text:?} ").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        span.record(&mut self.clone());
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(&format_args!("{field}={value:?}"));
    }
}

/// All that the store says of itself, and what is logged meanwhile.
#[test]
fn nothing_that_is_logged_or_shown_has_the_password() {
    let Some(server) = guarded() else { return };
    let log = Log::default();
    // what another thread asks for first would be off for all, if this were the only one who listens
    let _beside = tracing::Dispatch::new(Log::default());
    // on this thread alone, which does everything
    let _logging = tracing::subscriber::set_default(log.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let test = async {
        let database = server.database("").await;
        let url = server.url("actum", &database);
        let settings = PostgresSettings::default().with_ping_after_idle(Duration::ZERO);
        for wrong in [
            url.replacen("actum", "nobody", 1),
            url.replacen(&database, "no_bank", 1),
            format!("{url}?sslmode=verify-full"),
            format!("{url}?sslpassword=hunter2"),
            url.replacen("%2F", "?", 1),
            url.replacen("%2F", "%07", 1),
            url.replacen("127.0.0.1", "no-such-host.invalid", 1),
        ] {
            let error = PostgresStore::connect(&wrong).await.expect_err("it is wrong");
            log.add(&error);
            log.add(&format_args!("{error}"));
        }
        log.add(&migrations(&url, &settings).await.unwrap());
        log.add(&migrate(&url, &settings).await.unwrap());
        let store = PostgresStore::connect_with(&url, settings.clone()).await.unwrap();
        log.add(&(&store, &settings, store.address()));
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        head_of(&store, &account(1)).await;
        log.add(&store.claim(&claim("a rival")).await.unwrap_err());
        // the log says when there is no connection, and when there is one again
        for allowed in [false, true] {
            let allow = format!("ALTER DATABASE {database} ALLOW_CONNECTIONS {allowed}");
            server.run("postgres", allow).await;
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname =";
            server.run("postgres", format!("{end} '{database}'")).await;
            until("it is noticed", async || {
                let heads = store.heads().await;
                log.add(&heads);
                heads.is_ok() == allowed
            })
            .await;
        }
        store.close().await;
    };
    runtime.block_on(within(Duration::from_secs(60), "the test", test));
    let logged = log.0.lock().unwrap();
    for said in
        ["raised the schema", "no connection to the database", "connections to the database"]
    {
        assert!(logged.contains(said), "{said}: {logged}");
    }
    assert_no_password(&logged);
}
