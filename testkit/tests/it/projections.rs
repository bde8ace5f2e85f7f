//! What a test of a projection says, and what it finds out by itself.

use crate::{
    account::{Account, AccountEvent},
    broken::{As, Odd, Thing},
    failing,
};
use actum_model::{Metadata, Timestamp};
use actum_persistence::panics::guarded;
use actum_projection::{
    AtLeastOnce, HandlerError, OnFailure, Project, ProjectCtx, ProjectStream, Projection,
    Projector, Recorded,
};
use actum_store_memory::MemoryTarget;
use actum_testkit::GivenEvents;
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc};

type Rows = BTreeMap<String, String>;

/// Keeps what was deposited to each account, exactly.
#[derive(Clone, Default)]
struct Sums {
    has_no_clear: bool,
    clears_too_little: bool,
}

impl Projector for Sums {
    type Target = MemoryTarget;

    async fn clear(&mut self, ctx: &mut ProjectCtx<'_, MemoryTarget>) -> Result<(), HandlerError> {
        if self.has_no_clear {
            return Err(HandlerError::failed("no clear"));
        }
        let keys: Vec<_> = ctx.tx().iter("").map(|(key, _)| key.to_owned()).collect();
        for key in keys.iter().skip(usize::from(self.clears_too_little)) {
            ctx.tx().remove(key);
        }
        Ok(())
    }
}

impl Project<Account> for Sums {
    async fn project(
        &mut self,
        event: &Recorded<AccountEvent>,
        ctx: &mut ProjectCtx<'_, MemoryTarget>,
    ) -> Result<(), HandlerError> {
        let id = event.entity.id();
        let sum = ctx.tx().get(id).map_or(0, |row| String::from_utf8_lossy(&row).parse().unwrap());
        match event.event {
            AccountEvent::Deposited(cents) => ctx.tx().insert(id, (sum + cents).to_string()),
            AccountEvent::Closed => {
                return Err(HandlerError::failed("closed accounts are unknown"));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Keeps what was booked to each ledger beside it.
impl ProjectStream<i64> for Sums {
    async fn project_stream(
        &mut self,
        event: &Recorded<i64>,
        ctx: &mut ProjectCtx<'_, MemoryTarget>,
    ) -> Result<(), HandlerError> {
        let id = event.entity.id();
        let sum = ctx.tx().get(id).map_or(0, |row| String::from_utf8_lossy(&row).parse().unwrap());
        ctx.tx().insert(id, (sum + event.event).to_string());
        Ok(())
    }
}

fn sums(target: &MemoryTarget, projector: Sums) -> Projection<Sums> {
    Projection::exact("sums", target.clone(), projector).from::<Account>()
}

fn rows_of(target: &MemoryTarget) -> Rows {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    target.rows("").into_iter().map(|(key, row)| (key, text(&row))).collect()
}

fn rows<const N: usize>(rows: [(&str, &str); N]) -> Rows {
    rows.map(|(key, row)| (key.to_owned(), row.to_owned())).into()
}

fn given() -> GivenEvents {
    GivenEvents::new()
        .of::<Account>("a", [AccountEvent::Opened, AccountEvent::Deposited(5)])
        .of::<Account>("b", [AccountEvent::Deposited(1)])
        .of::<Account>("a", [AccountEvent::Deposited(2)])
}

/// Writes somewhere else, which may see an event again.
#[derive(Clone, Default)]
struct Index {
    rows: Arc<Mutex<Rows>>,
    adds: bool,
}

impl Projector for Index {
    type Target = AtLeastOnce;
}

impl Project<Account> for Index {
    async fn project(
        &mut self,
        event: &Recorded<AccountEvent>,
        _: &mut ProjectCtx<'_, AtLeastOnce>,
    ) -> Result<(), HandlerError> {
        let mut rows = self.rows.lock();
        let row = rows.entry(event.entity.id().to_owned()).or_default();
        let seen = format!(
            "{} {} {:?}",
            event.sequence_nr,
            event.timestamp.as_micros(),
            event.metadata.correlation_id()
        );
        *row = if self.adds { format!("{row}|{seen}") } else { seen };
        Ok(())
    }
}

fn index(projector: &Index) -> Projection<Index> {
    Projection::at_least_once("index", projector.clone()).from::<Account>()
}

/// What a test panics with.
async fn failure(test: impl Future<Output = ()>) -> String {
    guarded(test).await.expect_err("the test is to fail")
}

#[tokio::test]
async fn rows_are_what_the_events_make_of_them() {
    let target = MemoryTarget::new();
    let expected = rows([("a", "7"), ("b", "1")]);
    let projected = given().when_projected(sums(&target, Sums::default())).await;
    projected.then_rows(async || rows_of(&target), expected).await;
}

#[tokio::test]
async fn streams_are_given_beside_entities() {
    let target = MemoryTarget::new();
    let both = sums(&target, Sums::default()).from_streams::<i64>("ledger");
    let given =
        given().of_stream("ledger", "2026", [5_i64, -7]).of_stream("other", "2026", [1_i64]);
    let projected = given.when_projected(both).await;
    let expected = rows([("2026", "-2"), ("a", "7"), ("b", "1")]);
    projected.then_rows(async || rows_of(&target), expected).await;
}

#[tokio::test]
async fn rows_that_differ_are_shown() {
    let target = MemoryTarget::new();
    let text = failure(async {
        let projected = given().when_projected(sums(&target, Sums::default())).await;
        projected.then_rows(async || rows_of(&target), rows([("a", "7"), ("b", "2")])).await;
    })
    .await;
    assert!(text.starts_with("then rows: the rows differ (- expected, + there)"), "{text}");
    assert!(text.contains("-     \"b\": \"2\"") && text.contains("+     \"b\": \"1\""), "{text}");
}

#[tokio::test]
async fn rows_must_be_the_same_after_they_were_removed() {
    let target = MemoryTarget::new();
    let projector = Sums { clears_too_little: true, ..Sums::default() };
    let text = failure(async {
        let projected = given().when_projected(sums(&target, projector)).await;
        projected.then_rows(async || rows_of(&target), rows([("a", "7"), ("b", "1")])).await;
    })
    .await;
    assert!(text.starts_with("then rows, begun again without any"), "{text}");
    assert!(text.contains("\"a\": \"14\""), "{text}");
}

#[tokio::test]
async fn a_projector_that_cannot_begin_again_says_so_or_the_test_does() {
    let projector = Sums { has_no_clear: true, ..Sums::default() };
    let expected = rows([("a", "7"), ("b", "1")]);
    let target = MemoryTarget::new();
    let text = failure(async {
        let projected = given().when_projected(sums(&target, projector.clone())).await;
        projected.then_rows(async || rows_of(&target), expected.clone()).await;
    })
    .await;
    assert!(text.contains("handled again, it fails") && text.contains("no clear"), "{text}");
    let target = MemoryTarget::new();
    let projected = given().handled_once().when_projected(sums(&target, projector)).await;
    projected.then_rows(async || rows_of(&target), expected).await;
}

#[tokio::test]
async fn at_least_once_events_may_come_twice() {
    let latest = Index::default();
    let read = async || latest.rows.lock().clone();
    let given_twice = GivenEvents::new()
        .at(Timestamp::from_micros(9))
        .with_metadata(Metadata::new().with_correlation_id("c"))
        .of::<Account>("a", [AccountEvent::Opened, AccountEvent::Closed]);
    let projected = given_twice.when_projected(index(&latest)).await;
    projected.then_rows(read, rows([("a", "2 9 Some(\"c\")")])).await;
    let adding = Index { adds: true, ..Index::default() };
    let text = failure(async {
        let one = GivenEvents::new().of::<Account>("a", [AccountEvent::Opened]);
        let projected = one.when_projected(index(&adding)).await;
        projected.then_rows(async || adding.rows.lock().clone(), rows([("a", "|1 0 None")])).await;
    })
    .await;
    assert!(text.starts_with("then rows, when every event has come twice"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_fails_fails_the_test_whatever_is_done_about_it() {
    for on_failure in [OnFailure::Stop, OnFailure::SkipToDeadLetters, OnFailure::ParkEntity] {
        let target = MemoryTarget::new();
        let given = || given().of::<Account>("b", [AccountEvent::Closed]);
        let projection = || sums(&target, Sums::default()).on_failure(on_failure);
        let failed = given().when_projected(projection()).await;
        failed.then_failed(|why| why.contains("closed accounts are unknown"));
        let target = MemoryTarget::new();
        let projection = sums(&target, Sums::default()).on_failure(on_failure);
        let text = failure(async {
            let projected = given().when_projected(projection).await;
            projected.then_rows(async || rows_of(&target), rows([])).await;
        })
        .await;
        assert!(text.starts_with("then rows: not all was handled: "), "{text}");
    }
}

#[tokio::test]
async fn a_failure_that_is_expected_must_come_and_for_the_reason_that_is_expected() {
    let target = MemoryTarget::new();
    let text = failure(async {
        let projected = given().when_projected(sums(&target, Sums::default())).await;
        projected.then_failed(|_| true);
    })
    .await;
    assert_eq!(text, "then failed: everything was handled");
    let target = MemoryTarget::new();
    let text = failure(async {
        let closed = GivenEvents::new().of::<Account>("b", [AccountEvent::Closed]);
        let projected = closed.when_projected(sums(&target, Sums::default())).await;
        projected.then_failed(|why| why.contains("open"));
    })
    .await;
    assert!(text.starts_with("then failed: for another reason: "), "{text}");
}

#[tokio::test]
async fn a_projection_that_is_not_defined_as_it_must_be_is_refused() {
    let target = MemoryTarget::new();
    let text = failure(async {
        let no_source = Projection::exact("sums", target.clone(), Sums::default());
        let _ = given().when_projected(no_source).await;
    })
    .await;
    assert!(text.contains("has no source"), "{text}");
}

#[test]
fn events_survive_their_codec() {
    let text = failing::failure(|| GivenEvents::new().of::<Odd>("a", [As(Thing::Forgets(7))]));
    assert!(text.contains("the event does not survive its codec"), "{text}");
}
