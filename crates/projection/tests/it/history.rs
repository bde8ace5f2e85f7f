//! The events of one entity.

use crate::{
    account::{Account, Deposited, DepositedV1},
    rig::{Rig, account, at_most, deposited, stored},
};
use actum_model::{SequenceNr, Timestamp};
use actum_persistence::store::StoreError;
use actum_projection::{History, ReadError};
use actum_testkit::{Damage, Fault, Gate, Operation};

async fn numbers<E>(mut history: History<E>) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(event) = history.next().await.unwrap() {
        numbers.push(event.sequence_nr.get());
    }
    numbers
}

fn nr(nr: u64) -> SequenceNr {
    SequenceNr::new(nr)
}

#[tokio::test]
async fn an_event_comes_with_all_that_is_known_of_it() {
    let rig = Rig::new(4).await;
    rig.deposit(&account("other"), 3).await;
    rig.deposit(&account("acc-1"), 2).await;
    let mut history = rig.journal().history::<Account>("acc-1");
    let first = history.next().await.unwrap().expect("there is one");
    assert_eq!(first.entity, account("acc-1"));
    assert_eq!(first.event, Deposited { cents: 1 });
    assert_eq!(first.lane, rig.lane_of(&account("acc-1")));
    assert_eq!((first.sequence_nr, first.timestamp), (nr(1), Timestamp::from_micros(7)));
    assert_eq!(first.metadata.correlation_id(), Some("c-1"));
    let second = history.next().await.unwrap().expect("there are two");
    assert_eq!(second.position, first.position.plus(1));
    assert_ne!(second.event_id, first.event_id);
    assert_eq!(history.next().await.unwrap(), None);
    assert_eq!(history.next().await.unwrap(), None, "and still none");
}

#[tokio::test]
async fn any_part_is_read_in_either_direction() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 10).await;
    let journal = rig.journal();
    for page in [1, 3, 10, 100] {
        for (first, last) in [(0, 10), (1, 99), (4, 7), (7, 7), (10, u64::MAX), (11, 20), (8, 3)] {
            let part = || {
                let history = journal.history::<Account>("a").page_limit(at_most(page));
                history.from(nr(first)).to(nr(last))
            };
            let expected: Vec<_> = (first.max(1)..=last.min(10)).collect();
            assert_eq!(numbers(part()).await, expected, "{first} to {last}, pages of {page}");
            let backward: Vec<_> = expected.iter().rev().copied().collect();
            assert_eq!(numbers(part().backward()).await, backward, "{last} back to {first}");
            let limited = numbers(part().backward().limit(2)).await;
            assert!(limited.iter().eq(backward.iter().take(2)), "{limited:?}");
            assert!(numbers(part().limit(0)).await.is_empty());
        }
    }
    assert!(numbers(journal.history::<Account>("never written")).await.is_empty());
}

#[tokio::test]
async fn what_was_deleted_is_left_out() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 10).await;
    rig.delete(&account("a"), 6).await;
    let journal = rig.journal();
    let history = || journal.history::<Account>("a").page_limit(at_most(3));
    assert_eq!(numbers(history()).await, [7, 8, 9, 10]);
    assert_eq!(numbers(history().from(nr(3)).to(nr(8))).await, [7, 8]);
    assert_eq!(numbers(history().backward()).await, [10, 9, 8, 7]);
    assert!(numbers(history().backward().to(nr(5))).await.is_empty());
}

#[tokio::test]
async fn events_that_are_deleted_between_two_pages_are_not_missed_in_silence() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 10).await;
    let gate = Gate::closed();
    rig.faults.next(Operation::ReadEntities, Fault::none());
    rig.faults.next(Operation::ReadEntities, Fault::none().held_before(&gate));
    let mut history = rig.journal().history::<Account>("a").page_limit(at_most(2));
    for expected in [1, 2] {
        assert_eq!(
            history.next().await.unwrap().map(|event| event.sequence_nr),
            Some(nr(expected))
        );
    }
    rig.delete(&account("a"), 7).await;
    gate.open();
    let error = history.next().await.expect_err("there is a hole");
    assert_eq!(error.to_string(), "events of account/a up to 7 were deleted while they were read");
    assert_eq!(numbers(history).await, [8, 9, 10], "it goes on behind it");
}

#[tokio::test]
async fn events_of_older_schemas_are_upcast() {
    let rig = Rig::new(1).await;
    let old = stored(&DepositedV1 { euros: 3 });
    rig.append(&account("a"), 0, vec![old, deposited(5)]).await;
    let mut history = rig.journal().history::<Account>("a");
    let mut cents = Vec::new();
    while let Some(event) = history.next().await.unwrap() {
        cents.push(event.event.cents);
    }
    assert_eq!(cents, [300, 5]);
    let mut raw = rig.journal().stored_history(account("a"));
    let first = raw.next().await.unwrap().expect("there is one");
    assert_eq!((first.event.schema_version, &*first.event.bytes), (1, &b"{\"euros\":3}"[..]));
}

#[tokio::test]
async fn an_event_that_cannot_be_decoded_is_named_and_not_skipped() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 3).await;
    for damage in [Damage::Bytes, Damage::Manifest, Damage::NewerSchema, Damage::Metadata] {
        rig.faults.next(Operation::ReadEntities, Fault::damaged_event(damage));
        let mut history = rig.journal().history::<Account>("a");
        let error = history.next().await.expect_err("the first event is damaged");
        assert!(error.to_string().contains("event 1 of account/a"), "{error}");
        let is_metadata = matches!(error, ReadError::Metadata { .. });
        assert_eq!(is_metadata, damage == Damage::Metadata, "{error:?}");
        let next = history.next().await.unwrap().expect("it goes on behind it");
        assert_eq!(next.sequence_nr, nr(2));
    }
}

#[tokio::test]
async fn an_id_that_nothing_can_have_is_an_error() {
    let rig = Rig::new(1).await;
    let mut history = rig.journal().history::<Account>("");
    for _ in 0..2 {
        let error = history.next().await.expect_err("no entity can be called that");
        assert!(matches!(error, ReadError::Invalid(_)), "{error}");
    }
    assert_eq!(rig.calls(Operation::ReadEntities), 0);
}

#[tokio::test]
async fn a_store_that_was_away_is_asked_again_for_the_same_page() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 9).await;
    for direction in [Operation::ReadEntities, Operation::ReadBackward] {
        rig.faults.next(direction, Fault::none());
        rig.faults.next_n(direction, 2, Fault::unavailable());
        let history = rig.journal().history::<Account>("a").page_limit(at_most(4));
        let is_backward = direction == Operation::ReadBackward;
        let mut history = if is_backward { history.backward() } else { history };
        let (mut numbers, mut failed) = (Vec::new(), 0);
        loop {
            match history.next().await {
                Ok(Some(event)) => numbers.push(event.sequence_nr.get()),
                Ok(None) => break,
                Err(ReadError::Store(StoreError::Unavailable { .. })) => failed += 1,
                Err(error) => panic!("{error}"),
            }
        }
        if is_backward {
            numbers.reverse();
        }
        assert_eq!((numbers, failed), ((1..=9).collect(), 2));
    }
}
