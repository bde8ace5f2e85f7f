//! What a claim may say, whose clock its lease goes by, and what becomes of it when its store closes.

use crate::{
    bounded::{run_on, until},
    fixture::PostgresFixture,
    sample::{Writer, account, claim},
};
use actum_persistence::store::{ClaimError, EventStore, StoreError, WriterClaim, WriterStore};
use actum_store_postgres::PostgresSettings;
use sqlx::Executor;
use std::time::Duration;

fn journal() -> PostgresFixture {
    PostgresFixture::with(PostgresSettings::default())
}

fn short(slot: &str, lease: Duration) -> WriterClaim {
    WriterClaim { slot: slot.to_owned(), lease, ..claim("a short life") }
}

#[test]
fn names_of_slots_and_holders_are_kept_as_they_are() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let name = "día ' \" \\ $1 %";
        let named = |holder: &str| WriterClaim {
            slot: name.to_owned(),
            holder: holder.to_owned(),
            ..claim("")
        };
        store.claim(&named(name)).await.unwrap();
        match store.claim(&named("a rival")).await {
            Err(ClaimError::Held { slot, holder, .. }) => {
                assert_eq!((&*slot, &*holder), (name, name));
            }
            other => panic!("{other:?}"),
        }
    });
}

/// A server's clock is the only one: what this process believes of the time is not asked.
#[test]
fn a_lease_runs_out_by_the_clock_of_the_server() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let hour = Duration::from_secs(3600);
        let first = store.claim(&short("journal", hour)).await.unwrap();
        match store.claim(&claim("a rival")).await {
            Err(ClaimError::Held { expires_in: Some(left), holder, .. }) => {
                assert_eq!(holder, "a short life");
                assert!(left <= hour && left > hour / 2, "{left:?}");
            }
            other => panic!("{other:?}"),
        }
        // the hour passes on the server
        let pass = "UPDATE @writers SET lease_until = lease_until - interval '1 hour'";
        fixture.stranger().await.execute(fixture.sql(pass)).await.unwrap();
        let writer = Writer::of(&store, first);
        writer.each(&[account(1)], 0, 10).await.expect("nobody has taken over");
        store.renew(first, hour).await.expect("nobody has taken over");
        store.claim(&claim("a rival")).await.expect_err("it has renewed");
        fixture.stranger().await.execute(fixture.sql(pass)).await.unwrap();
        let second = store.claim(&claim("a rival")).await.unwrap();
        assert!(second > first);
        let late =
            [store.renew(first, hour).await, writer.each(&[account(1)], 1, 10).await.map(drop)];
        for fenced in late {
            assert!(matches!(fenced, Err(StoreError::Fenced { .. })), "{fenced:?}");
        }
    });
}

#[test]
fn a_lease_of_any_length_is_kept() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        for (nr, lease) in
            [Duration::ZERO, Duration::from_nanos(1), Duration::MAX].iter().enumerate()
        {
            let slot = nr.to_string();
            let first = store.claim(&short(&slot, *lease)).await.unwrap();
            store.renew(first, *lease).await.unwrap();
            let again = store.claim(&short(&slot, *lease)).await;
            assert_eq!(again.is_ok(), *lease < Duration::from_secs(1), "{lease:?}: {again:?}");
        }
        let soon = short("soon", Duration::from_millis(100));
        store.claim(&soon).await.unwrap();
        until("the lease has run out", async || store.claim(&soon).await.is_ok()).await;
    });
}

/// Unlike a file's lock, a lease is not bound to the life of a process: the slot is free when it was given back, or when
/// the lease has run out.
#[test]
fn a_slot_that_was_not_given_back_stays_taken_when_its_store_is_closed() {
    run_on(journal(), async |fixture| {
        let (one, two) = (fixture.store().await, fixture.store().await);
        let first = Writer::claim(&one).await;
        EventStore::close(&one).await;
        match two.claim(&claim("another")).await {
            Err(ClaimError::Held { expires_in: Some(_), .. }) => {}
            other => panic!("{other:?}"),
        }
        two.release(first.incarnation).await.unwrap();
        assert!(Writer::claim(&two).await.incarnation > first.incarnation);
    });
}
