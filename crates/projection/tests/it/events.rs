//! Events in the order of the journal.

use crate::{
    account::{Account, Deposited},
    rig::{Rig, account, at_most, deposited, entity, positions, rest, stored},
};
use actum_model::{Lane, Offset, PartitionCount, Position};
use actum_persistence::store::StoreError;
use actum_projection::{Journal, ReadError};
use actum_testkit::{Damage, Fault, Operation};
use std::collections::BTreeMap;

fn offset(positions: &[u64]) -> Offset {
    Offset::of_positions(positions.iter().copied().map(Position::new).collect::<Vec<_>>())
}

#[tokio::test]
async fn one_lane_is_read_in_the_order_of_its_commits() {
    let rig = Rig::new(1).await;
    for round in 0..5 {
        for id in ["a", "b"] {
            rig.append(&account(id), round, vec![deposited(round)]).await;
        }
    }
    for page in [1, 3, 10, 100] {
        let mut events = rig.journal().events_of::<Account>().page_limit(at_most(page));
        let mut read = Vec::new();
        while let Some(event) = events.next().await.unwrap() {
            assert_eq!(event.event, Deposited { cents: event.sequence_nr.get() - 1 });
            assert_eq!(
                positions(events.offset()),
                [event.position.get()],
                "it is behind the event"
            );
            read.push((event.entity.id().to_owned(), event.sequence_nr.get()));
        }
        let expected = (1..=5).flat_map(|nr| [("a".to_owned(), nr), ("b".to_owned(), nr)]);
        assert!(read.into_iter().eq(expected), "pages of {page}");
    }
}

/// Random entities in four lanes: each event once, those of an entity in order, and from any offset exactly the rest.
#[tokio::test]
async fn lanes_are_read_in_turn_and_any_offset_goes_on_behind_it() {
    let seed = std::env::var("ACTUM_TEST_SEED")
        .map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("seed {seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let rig = Rig::new(4).await;
    let mut written: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..200 {
        let id = format!("acc-{}", rng.u32(..40));
        let head = written.entry(id.clone()).or_default();
        let count = rng.u64(1..4);
        rig.append(&account(&id), *head, (0..count).map(deposited).collect()).await;
        *head += count;
    }
    let expected: Vec<_> =
        written.iter().flat_map(|(id, head)| (1..=*head).map(move |nr| (id.clone(), nr))).collect();
    let stop = rng.usize(..expected.len());
    let page = at_most(rng.u32(1..30));
    let mut events = rig.journal().stored_events().page_limit(page);
    let mut read = Vec::new();
    for _ in 0..stop {
        let event = events.next().await.unwrap().expect("there are more");
        read.push((event.entity.id().to_owned(), event.sequence_nr.get()));
    }
    let mut resumed = rig.journal().stored_events().page_limit(page).after(events.offset().clone());
    read.extend(rest(&mut resumed).await.unwrap());
    assert_eq!(resumed.offset(), &rig.journal().heads().await.unwrap());
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for (id, nr) in &read {
        let before = last.insert(id, *nr).unwrap_or(0);
        assert_eq!(*nr, before + 1, "the events of {id} come in order");
    }
    read.sort_unstable();
    assert_eq!(read, expected);
}

#[tokio::test]
async fn filters_select_and_the_offset_moves_past_what_they_leave_out() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 3).await;
    rig.append(&entity("note", "n"), 0, vec![stored(&"noted".to_owned())]).await;
    rig.deposit(&account("b"), 2).await;
    rig.append(&entity("note", "n"), 1, vec![stored(&"noted".to_owned()); 20]).await;
    let journal = rig.journal();
    let all = |id: &str, count: u64| (1..=count).map(|nr| (id.to_owned(), nr)).collect::<Vec<_>>();
    let accounts = [all("a", 3), all("b", 2)].concat();

    let mut of_kind = journal.events_of::<Account>().page_limit(at_most(2));
    assert_eq!(rest(&mut of_kind).await.unwrap(), accounts);
    assert_eq!(positions(of_kind.offset()), [26], "what follows was looked at");
    let mut of_kinds = journal.stored_events().of_kinds(["note", "account"]);
    assert_eq!(rest(&mut of_kinds).await.unwrap().len(), 26);
    let mut none = journal.stored_events().of_kinds(["order"]);
    assert_eq!(rest(&mut none).await.unwrap(), []);
    assert_eq!(positions(none.offset()), [26]);
    let mut of_manifest = journal.stored_events().of_manifests(["account"]);
    assert_eq!(rest(&mut of_manifest).await.unwrap(), accounts);
    let partition = account("a").partition(PartitionCount::default());
    let mut of_partition = journal.stored_events().in_partitions(partition..=partition);
    assert_eq!(rest(&mut of_partition).await.unwrap(), all("a", 3));
}

#[tokio::test]
async fn the_offset_passes_an_event_that_cannot_be_decoded_only_when_the_next_one_is_asked_for() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 3).await;
    rig.faults.next(Operation::ReadLane, Fault::damaged_event(Damage::Bytes));
    let mut events = rig.journal().events_of::<Account>();
    let error = events.next().await.expect_err("the first event is damaged");
    assert!(matches!(error, ReadError::Undecodable { .. }), "{error}");
    assert_eq!(positions(events.offset()), [0]);
    assert_eq!(events.next().await.unwrap().map(|event| event.position.get()), Some(2));
    assert_eq!(positions(events.offset()), [2]);
}

#[tokio::test]
async fn it_ends_where_the_journal_ended_when_it_began() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 3).await;
    let mut events = rig.journal().stored_events();
    assert!(events.next().await.unwrap().is_some());
    rig.append(&account("a"), 3, vec![deposited(4)]).await;
    assert_eq!(rest(&mut events).await.unwrap().len(), 2);
    let mut rest_of_it = rig.journal().stored_events().after(events.offset().clone());
    assert_eq!(rest(&mut rest_of_it).await.unwrap(), [("a".to_owned(), 4)]);
    let mut part = rig.journal().stored_events().after(offset(&[1])).to(offset(&[3]));
    assert_eq!(rest(&mut part).await.unwrap(), [("a".to_owned(), 2), ("a".to_owned(), 3)]);
    let mut beyond = rig.journal().stored_events().to(offset(&[1000]));
    assert_eq!(rest(&mut beyond).await.unwrap().len(), 4, "it waits for nothing");
}

#[tokio::test]
async fn no_lane_waits_for_the_end_of_another() {
    let rig = Rig::new(2).await;
    for nr in 0..20 {
        rig.deposit(&account(&format!("acc-{nr}")), 2).await;
    }
    let mut events = rig.journal().stored_events().page_limit(at_most(1));
    let mut lanes = Vec::new();
    for _ in 0..10 {
        lanes.push(events.next().await.unwrap().expect("there are more").lane.nr());
    }
    assert!(lanes.chunks(2).all(|pair| pair == [0, 1]), "{lanes:?}");
}

#[tokio::test]
async fn one_lane_is_read_alone() {
    let rig = Rig::new(2).await;
    for nr in 0..20 {
        rig.deposit(&account(&format!("acc-{nr}")), 1).await;
    }
    for lane in [0, 1].map(Lane::new) {
        let mut events = rig.journal().stored_events().of_lane(lane);
        let mut count = 0;
        while let Some(event) = events.next().await.unwrap() {
            assert_eq!(event.lane, lane);
            count += 1;
        }
        let heads = rig.journal().heads().await.unwrap();
        assert_eq!(count, heads.position(lane).get());
        assert_eq!(events.offset().position(lane), heads.position(lane));
        assert_eq!(events.offset().position(Lane::new(1 - lane.nr())), Position::ZERO);
    }
}

#[tokio::test]
async fn what_was_deleted_is_passed_without_an_event() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 30).await;
    rig.delete(&account("a"), 30).await;
    let mut events = rig.journal().stored_events().page_limit(at_most(3));
    assert_eq!(rest(&mut events).await.unwrap(), []);
    assert_eq!(positions(events.offset()), [30]);
}

async fn refused(journal: &Journal, after: Offset) -> StoreError {
    let mut events = journal.stored_events().after(after);
    match events.next().await {
        Err(ReadError::Store(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_offset_of_another_journal_or_of_a_longer_one_is_an_error() {
    let rig = Rig::new(1).await;
    rig.deposit(&account("a"), 3).await;
    let journal = rig.journal();
    let error = refused(&journal, offset(&[1, 1])).await;
    assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    let error = refused(&journal, offset(&[4])).await;
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("lane 0 ends at 3, and was known up to 4"), "{error}");
    let mut at_the_end = journal.stored_events().after(offset(&[3]));
    assert_eq!(rest(&mut at_the_end).await.unwrap(), []);
    let mut no_lane = journal.stored_events().of_lane(Lane::new(7));
    assert!(matches!(no_lane.next().await, Err(ReadError::Store(StoreError::Invalid { .. }))));
}

#[tokio::test]
async fn a_store_that_was_away_is_asked_again() {
    let rig = Rig::new(2).await;
    for nr in 0..9 {
        rig.deposit(&account(&format!("acc-{nr}")), 2).await;
    }
    rig.faults.next(Operation::Heads, Fault::unavailable());
    rig.faults.next(Operation::ReadLane, Fault::none());
    rig.faults.next_n(Operation::ReadLane, 3, Fault::unavailable());
    let mut events = rig.journal().stored_events().page_limit(at_most(4));
    let (mut read, mut failed) = (0, 0);
    loop {
        match events.next().await {
            Ok(Some(_)) => read += 1,
            Ok(None) => break,
            Err(ReadError::Store(StoreError::Unavailable { .. })) => failed += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((read, failed), (18, 4));
}

#[tokio::test]
async fn a_journal_says_what_it_is() {
    let rig = Rig::new(2).await;
    let info = rig.journal().info().await.unwrap();
    assert_eq!((info.events(), info.kinds), (0, Vec::new()));
    rig.deposit(&account("a"), 3).await;
    rig.append(&entity("note", "n"), 0, vec![stored(&"noted".to_owned())]).await;
    let info = rig.journal().info().await.unwrap();
    assert_eq!((info.layout.lanes.get(), info.events()), (2, 4));
    assert_eq!(info.kinds, ["account", "note"]);
    assert_eq!(info.heads, rig.journal().heads().await.unwrap());
}
