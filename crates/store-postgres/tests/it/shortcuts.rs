//! The functions that save time: an append behind what this store left there looks nothing up, and stores the same as any
//! other, row by row, with the same outcomes.

use crate::{
    bounded::run_on,
    fixture::PostgresFixture,
    sample::{Writer, account, claim, event},
};
use actum_model::SequenceNr;
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EventStore, Incarnation, NewEvent, WriterStore,
};
use actum_store_postgres::{Migrate, PostgresSettings, PostgresStore};
use bytes::Bytes;
use sqlx::{Executor, PgConnection, Row};

const DROP: &str =
    "DROP FUNCTION IF EXISTS @append_one_after_v1; DROP FUNCTION IF EXISTS @append_many_after_v1";
/// A call that needs the function that looks things up fails from now on.
const HIDE_LOOKING: &str = "ALTER FUNCTION @append_v1 RENAME TO hidden";

fn journal() -> PostgresFixture {
    PostgresFixture::with(PostgresSettings::default())
}

async fn change(fixture: &PostgresFixture, text: &str) {
    fixture.foreign_connection().await.execute(sqlx::raw_sql(fixture.sql(text))).await.unwrap();
}

async fn shortcuts(fixture: &PostgresFixture) -> i64 {
    let query = "SELECT count(*) FROM pg_proc WHERE pronamespace = $1::text::regnamespace
        AND proname IN ('append_one_after_v1', 'append_many_after_v1')";
    let query = sqlx::query_scalar(query).bind(format!("\"{}\"", fixture.settings().schema));
    query.fetch_one(&mut fixture.foreign_connection().await).await.unwrap()
}

fn is_appended(outcomes: &[AppendOutcome]) -> bool {
    outcomes.iter().all(|outcome| matches!(outcome, AppendOutcome::Appended { .. }))
}

#[test]
fn an_append_behind_what_this_store_left_there_looks_nothing_up() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        writer.each(&[account(1), account(2)], 0, 10).await.unwrap();
        change(fixture, HIDE_LOOKING).await;
        writer.write(&account(1), 1).await;
        let events = vec![event("one"), event("two")];
        let several = writer.batch(vec![writer.append(&account(1), 2, events)]);
        assert!(is_appended(&store.append(&several).await.unwrap()));
        let outcomes = writer.each(&[account(2), account(1)], 4, 10).await;
        assert!(outcomes.is_err(), "where account 2 is must be looked up: {outcomes:?}");
        writer.write(&account(2), 1).await;
        let both = writer.batch(vec![
            writer.append(&account(1), 4, vec![event("three")]),
            writer.append(&account(2), 2, vec![event("four")]),
        ]);
        assert!(is_appended(&store.append(&both).await.unwrap()));
    });
}

#[test]
fn a_journal_without_them_gets_them_where_it_may_be_changed_and_is_used_without_otherwise() {
    run_on(journal(), async |fixture| {
        fixture.store().await.close().await;
        change(fixture, DROP).await;
        let never = fixture.settings().with_migrate(Migrate::Never);
        let store = PostgresStore::connect_with(fixture.url(), never).await.unwrap();
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        writer.write(&account(1), 1).await;
        assert_eq!(shortcuts(fixture).await, 0);
        fixture.store().await.close().await;
        assert_eq!(shortcuts(fixture).await, 2);
        change(fixture, DROP).await;
        let settings = fixture.settings();
        actum_store_postgres::migrate(fixture.url(), &settings).await.unwrap();
        assert_eq!(shortcuts(fixture).await, 2);
    });
}

#[test]
fn a_store_goes_on_when_they_are_dropped() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        writer.write(&account(1), 1).await;
        change(fixture, DROP).await;
        writer.write(&account(1), 2).await;
        writer.write(&account(1), 3).await;
    });
}

/// Where others write to a lane all the time it would be tried in vain.
#[test]
fn the_end_of_a_lane_is_relied_on_only_while_no_one_else_moves_it() {
    run_on(journal(), async |fixture| {
        let (store, other) = (fixture.store().await, fixture.store().await);
        let writer = Writer::claim(&store).await;
        let rival = Writer::of(&other, writer.incarnation);
        for expected in 0..2 {
            writer.write(&account(1), expected).await;
            rival.write(&account(2), expected).await;
        }
        let fails = "DROP FUNCTION @append_one_after_v1;
            CREATE FUNCTION @append_one_after_v1(
                integer, integer, bigint, bigint, bigint, integer, bigint, bigint, bigint, bigint, bigint, bigint, bigint,
                text, text, bigint, bytea, bytea
            ) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'tried'; END $$";
        change(fixture, fails).await;
        writer.write(&account(1), 2).await; // another has written behind the last one
        writer.write(&account(1), 3).await; // another may do so again
        let tried = writer.each(&[account(1)], 4, 10).await;
        assert!(tried.is_err(), "{tried:?}");
    });
}

/// What a call of either function shows: the writer, then the lane and its last event.
async fn shown(fixture: &PostgresFixture) -> Vec<i64> {
    let query = "SELECT ARRAY[
            j.lock_space, -1 - w.incarnation, w.incarnation, w.nonce, w.settled, e.lane, e.position, e.incarnation, e.event_nr
        ]
        FROM @journal AS j, @writers AS w, @events AS e ORDER BY e.position DESC LIMIT 1";
    let query = sqlx::query_scalar(fixture.sql(query));
    query.fetch_one(&mut fixture.foreign_connection().await).await.unwrap()
}

/// Calls of both functions, which show `#` and are to store the event behind the last.
const CALLS: [&str; 2] = [
    "SELECT @append_one_after_v1(#, 1, 2, 7, 8, 'utf8', 'x', 1, '', '')",
    "SELECT @append_many_after_v1(#, ARRAY[2], ARRAY[1], ARRAY[2], ARRAY[7], ARRAY[8], ARRAY['utf8'], ARRAY['x'],
        ARRAY[1], ARRAY[''::bytea], ARRAY[''::bytea])",
];

/// Runs statements of which the last is a call, and says what the function answers.
async fn call(foreign: &mut PgConnection, fixture: &PostgresFixture, text: String) -> bool {
    foreign.fetch_one(sqlx::raw_sql(fixture.sql(&text))).await.unwrap().get(0)
}

/// What each function answers that is shown this; nothing is committed.
async fn called(fixture: &PostgresFixture, shown: &[i64]) -> [bool; 2] {
    let mut answers = [false; 2];
    for (text, answer) in CALLS.into_iter().zip(&mut answers) {
        let text = format!("BEGIN; {}", text.replace('#', &list(shown)));
        *answer = call(&mut fixture.foreign_connection().await, fixture, text).await;
    }
    answers
}

fn list(shown: &[i64]) -> String {
    shown.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}

#[test]
fn either_function_holds_the_locks_of_an_append_to_its_commit_which_is_durable() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        Writer::claim(&store).await.write(&account(1), 0).await;
        let shown = shown(fixture).await;
        for text in CALLS.map(|text| text.replace('#', &list(&shown))) {
            let mut foreign = fixture.foreign_connection().await;
            foreign.execute("SET synchronous_commit = off").await.unwrap();
            assert!(call(&mut foreign, fixture, format!("BEGIN; {text}")).await);
            let held = "SELECT l.objid::bigint, l.mode FROM pg_locks AS l
                WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.granted ORDER BY 1";
            let held: Vec<(i64, String)> =
                sqlx::query_as(held).fetch_all(&mut foreign).await.unwrap();
            let fence = i64::from(i32::try_from(shown[1]).unwrap().cast_unsigned());
            let expected = [(shown[5], "ExclusiveLock".into()), (fence, "ShareLock".into())];
            assert_eq!(held, expected);
            let setting = sqlx::query_scalar::<_, String>("SHOW synchronous_commit");
            assert_eq!(setting.fetch_one(&mut foreign).await.unwrap(), "on");
            let strict = format!("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; {text}");
            assert!(!call(&mut foreign, fixture, strict).await, "it sees an old state");
        }
    });
}

#[test]
fn neither_function_stores_anything_unless_all_that_it_is_shown_is_true() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        Writer::claim(&store).await.write(&account(1), 0).await;
        let shown = shown(fixture).await;
        assert_eq!(called(fixture, &shown).await, [true, true]);
        // from the incarnation on, whatever is one more or one less
        for nr in 2..shown.len() {
            for wrong in [shown[nr] - 1, shown[nr] + 1] {
                let mut shown = shown.clone();
                shown[nr] = wrong;
                assert_eq!(called(fixture, &shown).await, [false, false], "argument {nr}");
            }
        }
        for (otherwise, back) in [
            ("UPDATE @writers SET revoked_at = now()", "UPDATE @writers SET revoked_at = NULL"),
            ("UPDATE @lanes SET kept = 2", "UPDATE @lanes SET kept = 0"),
        ] {
            change(fixture, otherwise).await;
            assert_eq!(called(fixture, &shown).await, [false, false], "{otherwise}");
            change(fixture, back).await;
        }
        assert_eq!(called(fixture, &shown).await, [true, true]);
    });
}

/// A journal and a store of it.
struct Side<'a> {
    fixture: &'a PostgresFixture,
    store: PostgresStore,
    /// Another store of the same journal.
    other: PostgresStore,
    incarnation: Incarnation,
}

impl<'a> Side<'a> {
    async fn open(fixture: &'a PostgresFixture, with_shortcuts: bool) -> Self {
        let first = fixture.store().await;
        let mut settings = fixture.settings();
        if !with_shortcuts {
            change(fixture, DROP).await;
            settings = settings.with_migrate(Migrate::Never);
        }
        first.close().await;
        let open =
            async || PostgresStore::connect_with(fixture.url(), settings.clone()).await.unwrap();
        let (store, other) = (open().await, open().await);
        let incarnation = store.claim(&claim("a test")).await.unwrap();
        Self { fixture, store, other, incarnation }
    }

    /// Carries a step out, and says what came of it.
    async fn take(&mut self, step: &Step) -> String {
        match step {
            Step::Append(appends) => self.append(&self.store, appends).await,
            Step::AppendElsewhere(appends) => self.append(&self.other, appends).await,
            Step::Delete(nr, up_to) => {
                let up_to = SequenceNr::new(*up_to);
                let deleted =
                    self.other.delete_events(self.incarnation, &account(*nr), up_to).await;
                format!("{deleted:?}")
            }
            Step::Settle => {
                let missing = self.batch(&self.store, &[(99, 0, &["missing"])]);
                // by another store, so that this one does not know
                format!("{:?}", self.other.resolve(&missing).await)
            }
            Step::ByHand(text) => {
                change(self.fixture, text).await;
                String::new()
            }
        }
    }

    fn batch(
        &self,
        store: &PostgresStore,
        appends: &[(usize, u64, &[&'static str])],
    ) -> AppendBatch {
        let writer = Writer::of(store, self.incarnation);
        let append = |(nr, expected, events): &(usize, u64, &[&'static str])| {
            let mut append =
                writer.append(&account(*nr), *expected, events.iter().map(sample).collect());
            append.first_event_nr += 1_000 * expected + 100_000 * *nr as u64;
            append
        };
        writer.batch(appends.iter().map(append).collect())
    }

    async fn append(
        &self,
        store: &PostgresStore,
        appends: &[(usize, u64, &[&'static str])],
    ) -> String {
        let batch = self.batch(store, appends);
        match store.append(&batch).await {
            Ok(outcomes) => format!("{outcomes:?}"),
            Err(error) => format!("{error:#?}").replace(&self.fixture.settings().schema, "journal"),
        }
    }

    /// Everything that is stored, as text.
    async fn rows(&self) -> Vec<String> {
        let query = "SELECT e::text FROM @events AS e
            UNION ALL SELECT l::text FROM @lanes AS l
            UNION ALL SELECT n::text FROM @entities AS n ORDER BY 1";
        let query = sqlx::query_scalar(self.fixture.sql(query));
        query.fetch_all(&mut self.fixture.foreign_connection().await).await.unwrap()
    }
}

fn sample(text: &&'static str) -> NewEvent {
    let mut event = event(*text);
    event.metadata = Bytes::from(text.repeat(2));
    event.payload.schema_version = 1 + text.len() as u32;
    event.payload.manifest = format!("account.{text}").into();
    event
}

/// Events of entities: which, at what number, and what.
type Appends = &'static [(usize, u64, &'static [&'static str])];

enum Step {
    Append(Appends),
    /// By another store of the same journal.
    AppendElsewhere(Appends),
    /// By the same.
    Delete(usize, u64),
    Settle,
    ByHand(&'static str),
}

/// Wherever something must be looked up, `Append` comes behind one that needed none.
const STEPS: &[Step] = &[
    Step::Append(&[(1, 0, &["a"]), (2, 0, &["b", "c"])]),
    Step::Append(&[(1, 1, &["d"])]),
    Step::Append(&[(1, 2, &["", "e"]), (2, 2, &["f"])]),
    // conflicts
    Step::Append(&[(1, 3, &["too low"])]),
    Step::Append(&[(1, 9, &["too high"]), (2, 3, &["g"])]),
    Step::Append(&[(3, 1, &["never written"]), (1, 4, &["h"])]),
    // what cannot be stored
    Step::Append(&[(1, 5, &["nul\0"])]),
    Step::Append(&[(1, 5, &["i"])]),
    // others write behind it
    Step::AppendElsewhere(&[(4, 0, &["j"])]),
    Step::Append(&[(1, 6, &["k"])]),
    Step::Append(&[(1, 7, &["l"])]),
    Step::Append(&[(1, 8, &["m"])]),
    Step::AppendElsewhere(&[(1, 9, &["n"])]),
    Step::Append(&[(1, 9, &["taken"])]),
    Step::Append(&[(1, 10, &["o"])]),
    Step::Append(&[(1, 11, &["p"])]),
    // others write behind it, and what they wrote is deleted: its positions are not given out again
    Step::AppendElsewhere(&[(5, 0, &["q"])]),
    Step::Delete(5, 1),
    Step::Append(&[(1, 12, &["r"])]),
    Step::Append(&[(1, 13, &["s"])]),
    Step::Append(&[(1, 14, &["t"])]),
    // the last event of the lane is deleted
    Step::Delete(1, 15),
    Step::Append(&[(1, 15, &["u"])]),
    Step::Append(&[(1, 16, &["v"])]),
    // the history is another one from here on
    Step::ByHand("UPDATE @events SET event_nr = event_nr + 1 WHERE sequence_nr = 17"),
    Step::Append(&[(2, 4, &["w"])]),
    Step::Append(&[(2, 5, &["x"])]),
    Step::ByHand("UPDATE @events SET incarnation = 77 WHERE entity = 2 AND sequence_nr = 6"),
    Step::Append(&[(2, 6, &["y"])]),
    Step::Append(&[(2, 7, &["z"])]),
    Step::ByHand("DELETE FROM @events WHERE entity = 2 AND sequence_nr = 8"),
    Step::Append(&[(2, 8, &["of a lost history"])]),
    Step::Append(&[(2, 7, &["A"])]),
    Step::Append(&[(2, 8, &["B"])]),
    // a number is taken that no one could have taken
    Step::ByHand(
        "INSERT INTO @events SELECT 1000000, entity, 10, incarnation, 0, timestamp, schema_version, 1, codec, manifest,
            payload, metadata FROM @events WHERE entity = 2 AND sequence_nr = 9",
    ),
    Step::Append(&[(2, 9, &["taken by hand"])]),
    Step::Append(&[(1, 17, &["C"])]),
    Step::Append(&[(1, 18, &["D"])]),
    // what was sent before that is not carried out any more
    Step::Settle,
    Step::Append(&[(1, 19, &["E"])]),
    Step::Append(&[(1, 20, &["F"])]),
    // the number was given to another
    Step::ByHand("UPDATE @writers SET nonce = nonce + 1"),
    Step::Append(&[(1, 21, &["of a lost number"])]),
    Step::ByHand("UPDATE @writers SET nonce = nonce - 1"),
    Step::Append(&[(1, 21, &["G"])]),
    Step::Append(&[(1, 22, &["H"])]),
    Step::ByHand("UPDATE @writers SET revoked_at = clock_timestamp()"),
    Step::Append(&[(1, 23, &["revoked"])]),
    Step::Append(&[(1, 23, &["revoked"]), (2, 9, &["revoked"])]),
];

#[test]
fn with_them_and_without_the_same_is_stored_and_answered() {
    run_on(journal(), async |fixture| {
        let plain = journal();
        let mut sides = [Side::open(fixture, true).await, Side::open(&plain, false).await];
        for (nr, step) in STEPS.iter().enumerate() {
            let [with, without] = &mut sides;
            let came = (with.take(step).await, without.take(step).await);
            assert_eq!(came.0, came.1, "step {nr}");
            assert_eq!(with.rows().await, without.rows().await, "behind step {nr}: {}", came.0);
        }
    });
}
