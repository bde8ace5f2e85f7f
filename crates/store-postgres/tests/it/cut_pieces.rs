//! Connections that end in the middle of a write that goes as several statements: it is whole or absent.

use crate::{
    bounded::run_on,
    fixture::PostgresFixture,
    proxied::Proxied,
    reader::texts,
    writer::{Writer, account},
};
use actum_model::{Position, Revision};
use actum_persistence::store::{
    AppendOutcome, CommandRecord, DurableStateStore, EventStore, Resolution, StateBatch,
    StateOutcome, StateWrite, StoreError,
};
use actum_store_postgres::PostgresSettings;
use actum_testkit::Then;
use bytes::Bytes;

/// Events of a write, or commands: more than two statements take.
const MANY: usize = 9_000;
/// What the row carries whose statement is cut off.
const MARK: &str = "marked event";
const COMMIT: &[u8] = b"COMMIT\0";
const CUTS: [Then; 3] = [Then::CutBefore, Then::CutAfterSending, Then::CutAfterAnswer];

/// In which row the mark is: of the first, a middle and the last statement; or in none, and the commit is cut off.
const PLACES: [Option<usize>; 4] = [Some(10), Some(MANY / 2), Some(MANY - 1), None];

fn cut_everywhere(test: &impl AsyncFn(&PostgresFixture, Option<usize>, Then)) {
    for place in PLACES {
        for then in CUTS {
            run_on(PostgresFixture::with(PostgresSettings::default()), async |journal| {
                test(journal, place, then).await;
            });
        }
    }
}

/// Whether the error may be that of a write that was cut off there: what was never committed is known not to be stored.
fn assert_fits(error: &StoreError, place: Option<usize>) {
    match place {
        Some(_) => assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}"),
        None => assert!(error.maybe_written(), "{error:?}"),
    }
}

/// Whether the write is stored, where that is certain.
fn is_stored(place: Option<usize>, then: Then) -> Option<bool> {
    match (place, then) {
        (Some(_), _) | (None, Then::CutBefore) => Some(false),
        (None, Then::CutAfterAnswer) => Some(true),
        _ => None, // whichever came first: the commit, or the question
    }
}

#[test]
fn an_append_in_pieces_that_is_cut_off_is_whole_or_absent() {
    cut_everywhere(&async |journal, place, then| {
        let (direct, (proxied, store)) = (journal.store().await, Proxied::open(journal).await);
        let writer = Writer::claim(store).await;
        let rule = proxied.proxy.on(place.map_or(COMMIT, |_| MARK.as_bytes()), then);
        let mut carried = vec!["event"; MANY];
        place.into_iter().for_each(|place| carried[place] = MARK);
        let batch = writer.batch(vec![writer.append(&account(1), 0, &carried)]);
        assert_fits(&writer.store.append(&batch).await.unwrap_err(), place);
        let settled = EventStore::resolve(&*writer.store, &batch).await.unwrap();
        rule.settled().await;
        let stored = texts(&direct).await.len();
        assert!(stored == 0 || stored == MANY, "{stored} events at {place:?}, {then:?}");
        let last = Position::new(MANY as u64);
        let truth = (stored > 0).then_some(AppendOutcome::Appended { last });
        assert_eq!(settled, [Resolution::of(truth)], "at {place:?}, {then:?}");
        assert!(is_stored(place, then).is_none_or(|is_stored| is_stored == (stored > 0)));
        let next = writer.write(&account(1), stored as u64, "after").await;
        assert_eq!(next, Position::new(stored as u64 + 1));
    });
}

#[test]
fn a_batch_of_states_in_pieces_that_is_cut_off_is_whole_or_absent() {
    cut_everywhere(&async |journal, place, then| {
        let (direct, (proxied, store)) = (journal.store().await, Proxied::open(journal).await);
        let writer = Writer::claim(store).await;
        let rule = proxied.proxy.on(place.map_or(COMMIT, |_| MARK.as_bytes()), then);
        let batch = states(&writer, place);
        assert_fits(&writer.store.write(&batch).await.unwrap_err(), place);
        let settled = DurableStateStore::resolve(&*writer.store, &batch).await.unwrap();
        rule.settled().await;
        let count = async |table: &str| {
            let query = journal.sql(&format!("SELECT count(*) FROM @{table}"));
            let query = sqlx::query_scalar::<_, i64>(query);
            query.fetch_one(&mut journal.foreign_connection().await).await.unwrap()
        };
        let rows = (count("states").await, count("state_commands").await);
        let whole = (batch.writes.len() as i64, MANY as i64);
        assert!(rows == (0, 0) || rows == whole, "{rows:?} at {place:?}, {then:?}");
        let truth = (rows == whole).then_some(StateOutcome::Written);
        assert_eq!(settled, vec![Resolution::of(truth); batch.writes.len()]);
        assert!(is_stored(place, then).is_none_or(|is_stored| is_stored == (rows == whole)));
        let loaded = direct.load(&[account(1)]).await.unwrap().remove(0);
        let revision = loaded.map_or(0, |record| record.revision.get());
        writer.store.write(&writer.put(&account(1), revision, "after")).await.unwrap();
    });
}

/// A few states, one of them after many commands, which carry the mark.
fn states(writer: &Writer, place: Option<usize>) -> StateBatch {
    let command = |nr: usize| CommandRecord {
        revision: Revision::new(1 + nr as u64),
        id_hash: nr as u64,
        uptime_seconds: 0,
        record: Bytes::from_static(if place == Some(nr) { MARK.as_bytes() } else { b"record" }),
    };
    let put = |nr: usize| writer.put(&account(nr), 0, "state").writes.remove(0);
    let busy = StateWrite {
        revision: Revision::new(MANY as u64),
        commands: (0..MANY).map(command).collect(),
        ..put(1)
    };
    let writes = vec![put(0), busy, put(2)];
    StateBatch { incarnation: writer.incarnation, writes }
}
