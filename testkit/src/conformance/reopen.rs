//! Opening a journal again, after a close and after a crash.

use super::{
    StoreFixture,
    reading::{events_of, head, journal, page},
    refusal::assert_unavailable,
    sample::{account, accounts, events, payload, timestamp},
    seed,
    writer::{LONG_LEASE, SHORT_LEASE, Writer, claim_of},
};
use actum_model::{Lane, Position, Revision, SequenceNr};
use actum_persistence::store::{
    ClaimError, CommandRead, CommandRecord, EntityRead, EventFilter, Incarnation, PageLimit,
    RecoveryRead, Snapshot, StateChange, Stores,
};
use bytes::Bytes;

/// Everything that was confirmed is there when the journal was closed and is opened again, and numbers, positions and
/// incarnations go on.
pub async fn everything_is_there_after_a_close(fixture: &dyn StoreFixture) {
    let mut last = None;
    for life in 0..4 {
        let stores = fixture.open().await;
        assert_lives(&stores, life).await;
        let writer = Writer::claim(&stores).await;
        live(&writer, life, &mut last).await;
        stores.writers.release(writer.incarnation).await.expect("a slot can be released");
        stores.close().await;
    }
    assert_lives(&fixture.open().await, 4).await;
}

/// The same when the process is killed with its slot held and nothing closed.
pub async fn everything_is_there_after_a_crash(fixture: &dyn StoreFixture) {
    let mut last = None;
    for life in 0..4 {
        let stores = fixture.open().await;
        assert_lives(&stores, life).await;
        let writer = Writer::take_over(&stores, SHORT_LEASE).await;
        live(&writer, life, &mut last).await;
        drop(writer);
        fixture.kill(stores).await;
        fixture.pass_time(SHORT_LEASE * 2).await;
    }
    assert_lives(&fixture.open().await, 4).await;
}

/// A process is killed while appends are under way. Whatever was confirmed is there; of what was not, each batch is
/// there as a whole or not at all, and `resolve` says which.
pub async fn appends_under_way_at_a_crash_are_stored_whole_or_not(fixture: &dyn StoreFixture) {
    let mut rng = seed::random();
    for life in 0..8 {
        let stores = fixture.open().await;
        let writer = Writer::take_over(&stores, SHORT_LEASE).await;
        let confirmed = life * 1000 + 500;
        writer.write(&account(confirmed), 0, 3).await;
        let appends = (0..30).map(|n| writer.append(&account(life * 1000 + n), 0, events(2)));
        let batch = writer.batch(appends.collect());
        let sent = {
            let (stores, batch) = (stores.clone(), batch.clone());
            tokio::spawn(async move { stores.events.append(&batch).await.is_ok() })
        };
        let turns_max = 1 << rng.u32(1..12);
        for _ in 0..rng.usize(..turns_max) {
            tokio::task::yield_now().await;
        }
        sent.abort();
        let acknowledged = sent.await.unwrap_or(false);
        drop(writer);
        fixture.kill(stores).await;
        fixture.pass_time(SHORT_LEASE * 2).await;

        let stores = fixture.open().await;
        assert_eq!(events_of(&stores, &account(confirmed)).await.len(), 3);
        let settled = stores.events.resolve(&batch).await.expect("the batch can be settled");
        let found = settled.iter().filter(|found| found.stored().is_some()).count();
        assert!(found == 30 || found == 0 && !acknowledged, "{found} of 30, {acknowledged}");
        for (append, settled) in batch.appends.iter().zip(&settled) {
            let stored = events_of(&stores, &append.entity).await.len();
            assert_eq!(stored, if settled.stored().is_some() { 2 } else { 0 });
        }
        stores.close().await;
    }
}

/// A closed handle refuses everything, a second close does nothing, and other handles go on.
pub async fn a_closed_handle_refuses_everything(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = Writer::claim(&stores).await;
    writer.write(&account(1), 0, 1).await;
    let incarnation = writer.incarnation;
    stores.close().await;
    stores.close().await;

    assert_unavailable(writer.store_one(&account(1), 1, events(1)).await);
    let batch = writer.batch(vec![writer.append(&account(1), 1, events(1))]);
    assert_unavailable(stores.events.resolve(&batch).await);
    assert_unavailable(
        stores.events.delete_events(incarnation, &account(1), SequenceNr::new(1)).await,
    );
    assert_unavailable(writer.put(&account(2), (0, 1), "late").await);
    let write = writer.change(&account(2), (0, 1), StateChange::Delete);
    assert_unavailable(stores.states.resolve(&writer.state_batch(vec![write])).await);
    assert_unavailable(stores.snapshots.save(&[snapshot(1)]).await);
    let first = SequenceNr::new(1);
    assert_unavailable(stores.snapshots.delete(&account(1), first..=first).await);
    assert_reads_unavailable(&stores).await;
    assert_writers_unavailable(&stores, incarnation).await;

    assert_eq!(events_of(&other, &account(1)).await.len(), 1);
    Writer::claim_slot(&other, "another").await.write(&account(1), 1, 1).await;
}

async fn assert_reads_unavailable(stores: &Stores) {
    let (filter, limit) = (EventFilter::default(), PageLimit::default());
    let read = EntityRead { entity: account(1), after: SequenceNr::ZERO };
    assert_unavailable(stores.events.read_entities(&[read], limit).await);
    let lane = stores.events.read_lane(Lane::default(), Position::ZERO, &filter, limit).await;
    assert_unavailable(lane);
    assert_unavailable(stores.events.heads().await);
    let first = SequenceNr::new(1);
    assert_unavailable(stores.snapshots.load(&account(1), first).await);
    let one = std::num::NonZeroU32::MIN;
    assert_unavailable(stores.snapshots.list(&account(1), first, one).await);
    assert_unavailable(stores.events.has_events_of("account").await);
    assert_unavailable(stores.states.has_states_of("account").await);
    assert_unavailable(stores.states.load(&[account(1)]).await);
    assert_unavailable(stores.states.command_records(&[command_read(1)]).await);
    assert_unavailable(stores.states.commands_before(&[command_read(1)]).await);
    let read = RecoveryRead { entity: account(1), snapshot: true };
    assert_unavailable(stores.recovery.recover(&[read], limit).await);
}

async fn assert_writers_unavailable(stores: &Stores, incarnation: Incarnation) {
    match stores.writers.claim(&claim_of("another")).await {
        Err(ClaimError::Store(error)) => assert_unavailable::<()>(Err(error)),
        other => panic!("the store is closed, but it says {other:?}"),
    }
    assert_unavailable(stores.writers.renew(incarnation, LONG_LEASE).await);
    assert_unavailable(stores.writers.release(incarnation).await);
    assert_unavailable(stores.writers.revoke(incarnation).await);
}

/// What one life leaves behind: ten accounts with two more events, a state and the command that led to it, a snapshot.
async fn live(writer: &Writer, life: u64, last: &mut Option<Incarnation>) {
    assert!(Some(writer.incarnation) > *last, "an incarnation is never used again");
    *last = Some(writer.incarnation);
    let appends = accounts(10).iter().map(|key| writer.append(key, life * 2, events(2))).collect();
    writer.store(appends).await.expect("the store accepts the batch");
    let state = StateChange::Put(payload(&life.to_string()));
    let mut put = writer.change(&account(77), (life, life + 1), state);
    put.commands = vec![CommandRecord {
        revision: Revision::new(life + 1),
        id_hash: u64::MAX - life,
        uptime_seconds: life as u32,
        record: command_record(life),
    }];
    writer.store_states(vec![put]).await.expect("the store accepts the write");
    let saved = writer.stores.snapshots.save(&[snapshot(life + 1)]).await;
    saved.expect("snapshots can be saved");
}

/// Looks for what `lives` lives have left.
async fn assert_lives(stores: &Stores, lives: u64) {
    assert_eq!(head(stores, Lane::default()).await, Position::new(lives * 20));
    let positions = journal(stores).await.into_iter().map(|event| event.event.position.get());
    assert!(positions.eq(1..=lives * 20));
    for key in accounts(10) {
        assert_eq!(page(stores, &key, 0).await.head, SequenceNr::new(lives * 2));
        assert_eq!(events_of(stores, &key).await.len() as u64, lives * 2);
    }
    let record = stores.states.load(&[account(77)]).await.expect("states can be loaded").remove(0);
    assert_eq!(record.as_ref().map_or(0, |record| record.revision.get()), lives);
    let commands = record.as_ref().map_or(&[][..], |record| &record.commands);
    let marks = commands.iter().map(|c| (c.revision.get(), c.id_hash, c.uptime_seconds));
    assert!(marks.eq((0..lives).map(|life| (life + 1, u64::MAX - life, life as u32))));
    let incarnations: Vec<_> = commands.iter().map(|command| command.incarnation).collect();
    assert!(incarnations.is_sorted_by(|a, b| a < b), "each life was another incarnation");
    let reads: Vec<_> = (1..=lives).map(command_read).collect();
    let records = stores.states.command_records(&reads).await.expect("records can be read");
    assert!(records.into_iter().eq((0..lives).map(|life| Some(command_record(life)))));
    let all = stores.states.commands_before(&[command_read(lives + 1)]).await;
    assert_eq!(all.expect("commands can be read"), [commands]);
    let text = lives.checked_sub(1).map(|life| payload(&life.to_string()));
    assert_eq!(record.and_then(|record| record.state), text);
    for nr in 1..=lives {
        let loaded = stores.snapshots.load(&account(1), SequenceNr::new(nr)).await;
        assert_eq!(loaded.expect("snapshots can be loaded"), Some(snapshot(nr)));
    }
}

fn command_record(life: u64) -> Bytes {
    Bytes::from(format!("the reply of life {life}"))
}

fn command_read(revision: u64) -> CommandRead {
    CommandRead { entity: account(77), revision: Revision::new(revision) }
}

fn snapshot(sequence_nr: u64) -> Snapshot {
    Snapshot {
        entity: account(1),
        sequence_nr: SequenceNr::new(sequence_nr),
        timestamp: timestamp(),
        state: payload("state"),
        recent_commands: Bytes::new(),
    }
}
