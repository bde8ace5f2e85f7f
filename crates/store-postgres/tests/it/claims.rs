//! What a claim may say, whose clock its lease goes by, and what becomes of it when its store closes.

use crate::{
    bounded::{run_on, until},
    fixture::PostgresFixture,
    foreign_session::ForeignSession,
    sample::{Writer, account, claim},
};
use actum_persistence::store::{
    ClaimError, EventStore, HeldLease, StoreError, WriterClaim, WriterStore,
};
use actum_store_postgres::{PostgresSettings, PostgresStore};
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

/// The lease of the holder as a rival sees it, and the claim that replaces the holder.
async fn seen(store: &PostgresStore, slot: &str) -> (HeldLease, WriterClaim) {
    let rival = WriterClaim { slot: slot.to_owned(), ..claim("a rival") };
    let held = store.claim(&rival).await.unwrap_err();
    match &held {
        ClaimError::Held { lease: Some(lease), holder, .. } => {
            assert_eq!(holder, "a short life");
            (*lease, WriterClaim { replaces: held.seen(), ..rival })
        }
        other => panic!("{other:?}"),
    }
}

/// The clock of the server steps, which moves the end of every lease.
async fn step_clock(fixture: &PostgresFixture, by: &str) {
    let step = format!("UPDATE @writers SET lease_until = lease_until - interval '{by}'");
    fixture.foreign_connection().await.execute(fixture.sql(&step)).await.unwrap();
}

/// How long a lease lasts by a clock that steps is returned, and decides nothing.
#[test]
fn a_clock_of_the_server_that_steps_neither_frees_a_slot_nor_locks_it() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let (hour, minute) = (Duration::from_secs(3600), Duration::from_secs(60));
        for (at, step) in [(0, "1 hour"), (1, "-1 hour")] {
            let slot = step.to_owned();
            let first = store.claim(&short(&slot, minute)).await.unwrap();
            step_clock(fixture, step).await;
            let writer = Writer::of(&store, first);
            writer.each(&[account(1)], 2 * at, 10).await.expect("no one has taken over");
            let (lease, replacing) = seen(&store, &slot).await;
            assert_eq!(lease.length, Some(minute), "that is not a time");
            if at == 0 {
                assert_eq!(lease.expires_in, Duration::ZERO);
            } else {
                assert!(lease.expires_in > hour, "{lease:?}");
            }
            assert_eq!(seen(&store, &slot).await.1.replaces, replacing.replaces);

            // a holder that has renewed since is alive
            store.renew(first, minute).await.expect("no one has taken over");
            store.claim(&replacing).await.expect_err("it has renewed");
            writer.each(&[account(1)], 2 * at + 1, 10).await.expect("no one has taken over");
            step_clock(fixture, step).await;
            let (_, replacing) = seen(&store, &slot).await;
            let second = store.claim(&replacing).await.expect("it has not renewed");
            assert!(second > first);
            let late = [
                store.renew(first, minute).await,
                writer.each(&[account(1)], 2 * at + 2, 10).await.map(drop),
            ];
            for fenced in late {
                assert!(matches!(fenced, Err(StoreError::Fenced { .. })), "{fenced:?}");
            }
        }
    });
}

#[test]
fn a_lease_of_any_length_is_kept() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let longest = Duration::from_secs(1_000_000_000);
        for (nr, (lease, kept)) in [
            (Duration::ZERO, Duration::ZERO),
            (Duration::from_nanos(1), Duration::ZERO),
            (Duration::from_micros(100_001), Duration::from_micros(100_001)),
            (Duration::MAX, longest),
        ]
        .into_iter()
        .enumerate()
        {
            let slot = nr.to_string();
            let first = store.claim(&short(&slot, lease)).await.unwrap();
            for _ in 0..2 {
                let (holder, _) = seen(&store, &slot).await;
                assert_eq!(holder.length, Some(kept), "{lease:?}");
                assert!(holder.expires_in <= kept, "{holder:?}");
                store.renew(first, lease).await.unwrap();
            }
        }
        let (last, _) = seen(&store, "3").await;
        assert!(last.expires_in > longest / 2, "{last:?}");
        until("the lease has run out", async || seen(&store, "2").await.0.expires_in.is_zero())
            .await;
    });
}

/// Holders that an earlier version has entered did not state their lease.
#[test]
fn a_holder_without_a_length_of_its_lease_can_be_replaced() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let first = store.claim(&claim("a short life")).await.unwrap();
        let forget = "UPDATE @writers SET holder = 'a short life'";
        fixture.foreign_connection().await.execute(fixture.sql(forget)).await.unwrap();
        let (lease, replacing) = seen(&store, "journal").await;
        assert_eq!(lease.length, None);
        assert!(store.claim(&replacing).await.unwrap() > first);
    });
}

/// One that takes over waits for the last write of the holder. Those who ask meanwhile are not kept waiting.
#[test]
fn a_claimant_that_takes_over_keeps_no_other_waiting() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        store.claim(&short("journal", Duration::from_secs(60))).await.unwrap();
        let (_, replacing) = seen(&store, "journal").await;
        let mut foreign = fixture.foreign_connection().await;
        foreign.execute("BEGIN").await.unwrap();
        // the fence of the first incarnation, as one of its writes has it
        let hold = "SELECT pg_advisory_xact_lock_shared(lock_space, -2) FROM @journal";
        foreign.execute(fixture.sql(hold)).await.unwrap();
        let taking_over = {
            let store = fixture.store().await;
            tokio::spawn(async move { store.claim(&replacing).await })
        };
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
            AND objsubid = 2 AND classid = (SELECT lock_space::oid FROM @journal)";
        let mut observer = ForeignSession::beside(fixture).await;
        until("the claim waits", async || observer.number(waiting).await == 1).await;
        seen(&store, "journal").await;
        assert!(!taking_over.is_finished());
        foreign.execute("ROLLBACK").await.unwrap();
        taking_over.await.unwrap().unwrap();
    });
}

/// Unlike a file's lock, a lease is not bound to the life of a process: the slot is free when it was given back, or
/// when the lease has run out.
#[test]
fn a_slot_that_was_not_given_back_stays_taken_when_its_store_is_closed() {
    run_on(journal(), async |fixture| {
        let (one, two) = (fixture.store().await, fixture.store().await);
        let first = Writer::claim(&one).await;
        EventStore::close(&one).await;
        match two.claim(&claim("another")).await {
            Err(ClaimError::Held { lease: Some(_), .. }) => {}
            other => panic!("{other:?}"),
        }
        two.release(first.incarnation).await.unwrap();
        assert!(Writer::claim(&two).await.incarnation > first.incarnation);
    });
}
