//! What is recorded of the commands of durable states.

use super::{
    StoreFixture,
    refusal::assert_invalid,
    sample::{account, accounts, payload},
    writer::Writer,
};
use actum_model::{EntityKey, Revision};
use actum_persistence::store::{
    COMMANDS_READ_MAX, CommandRead, CommandRecord, StateChange, StateOutcome, StateWrite,
    StoredCommand, Stores,
};
use bytes::Bytes;

/// Commands come back as they were written, of each entity its own, and stay when the state is deleted.
pub async fn commands_come_back_as_they_were_written(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let large = Bytes::from(vec![7; 1 << 20]);
    let mut first = write(&writer, &account(1), (0, 3), &[1, 3]);
    (first.commands[0].id_hash, first.commands[1].id_hash) = (u64::MAX, 0);
    first.commands[0].uptime_seconds = u32::MAX;
    first.commands[1].record = large.clone();
    let other = write(&writer, &account(2), (0, 1), &[1]);
    let outcomes = writer.store_states(vec![first, other]).await.expect("the store accepts it");
    assert_eq!(outcomes, [StateOutcome::Written; 2]);
    let mut delete = write(&writer, &account(1), (3, 4), &[4]);
    delete.change = StateChange::Delete;
    writer.store_states(vec![delete]).await.expect("the store accepts the write");

    let stored = |revision, id_hash, uptime_seconds| StoredCommand {
        revision: Revision::new(revision),
        id_hash,
        incarnation: writer.incarnation,
        uptime_seconds,
    };
    let expected = [stored(1, u64::MAX, u32::MAX), stored(3, 0, 3), stored(4, 4, 4)];
    assert_eq!(commands(&stores, &account(1)).await, expected);
    assert_eq!(commands(&stores, &account(2)).await, [stored(1, 1, 1)]);
    let asked = [(1, 4), (2, 1), (1, 2), (1, 3), (3, 1), (1, 1), (1, u64::MAX)];
    let reads: Vec<_> = asked.iter().map(|(nr, revision)| read(&account(*nr), *revision)).collect();
    let records = stores.states.command_records(&reads).await.expect("records can be read");
    let expected =
        [Some(record(4)), Some(record(1)), None, Some(large), None, Some(record(1)), None];
    assert!(records == expected, "the records are those of their commands");
    let none = stores.states.command_records(&[]).await.expect("nothing can be read");
    assert_eq!(none, Vec::<Option<Bytes>>::new());
}

/// A write that conflicts stores no command and deletes none; its neighbours in the batch do.
pub async fn a_write_that_conflicts_leaves_commands_alone(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let both = [1, 2].map(|nr| write(&writer, &account(nr), (0, 2), &[1, 2]));
    writer.store_states(both.to_vec()).await.expect("the store accepts it");
    let mut late = write(&writer, &account(1), (1, 3), &[3]);
    late.forget_to = Revision::new(2);
    let mut good = write(&writer, &account(2), (2, 3), &[3]);
    good.forget_to = Revision::new(2);
    let outcomes = writer.store_states(vec![late, good]).await.expect("a conflict is no error");
    let conflict = StateOutcome::Conflict { actual: Revision::new(2) };
    assert_eq!(outcomes, [conflict, StateOutcome::Written]);
    assert_eq!(revisions(&commands(&stores, &account(1)).await), [1, 2]);
    assert!(revisions(&commands(&stores, &account(2)).await).contains(&3));
    let reads = [read(&account(1), 3), read(&account(1), 2)];
    let records = stores.states.command_records(&reads).await.expect("records can be read");
    assert_eq!(records, [None, Some(record(2))]);
}

/// What is not needed any more goes in time, and nothing else does.
pub async fn commands_that_are_not_needed_do_not_pile_up(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    for revision in 1..=100 {
        let mut next = write(&writer, &account(1), (revision - 1, revision), &[revision]);
        next.forget_to = Revision::new(revision.saturating_sub(5));
        let other = write(&writer, &account(2), (revision - 1, revision), &[revision]);
        writer.store_states(vec![next, other]).await.expect("the store accepts it");
        let kept = revisions(&commands(&stores, &account(1)).await);
        assert!(kept.ends_with(&[revision]) && kept.len() >= revision.min(5) as usize, "{kept:?}");
        assert!(kept.len() < 50, "{} are kept", kept.len());
    }
    assert_eq!(commands(&stores, &account(2)).await.len(), 100);
}

/// Of many commands a load brings the newest, and those before them come page by page.
pub async fn many_commands_are_read_page_by_page(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let count = 2 * COMMANDS_READ_MAX as u64 + 100;
    let all: Vec<u64> = (1..=count).collect();
    let writes = [1, 2].map(|nr| write(&writer, &account(nr), (0, count), &all));
    writer.store_states(writes.to_vec()).await.expect("the store accepts it");
    for nr in [1, 2] {
        let mut seen = commands(&stores, &account(nr)).await;
        assert_eq!(seen.len(), COMMANDS_READ_MAX);
        while let Some(oldest) = seen.first().map(|oldest| oldest.revision.get()) {
            // the other entity's page does not disturb
            let reads =
                [read(&account(nr), oldest), read(&account(9), 5), read(&account(3 - nr), 10)];
            let found = stores.states.commands_before(&reads).await.expect("commands can be read");
            assert_eq!(found[1], []);
            assert_eq!(revisions(&found[2]), (1..10).collect::<Vec<_>>());
            if found[0].is_empty() {
                break;
            }
            assert!(found[0].len() <= COMMANDS_READ_MAX);
            seen.splice(0..0, found[0].clone());
        }
        assert_eq!(revisions(&seen), all);
    }
}

/// Commands whose revisions do not grow, or pass that of the write: the whole batch is refused.
pub async fn an_invalid_list_of_commands_stores_nothing(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let keys = accounts(3);
    for wrong in [&[2, 1][..], &[1, 1], &[1, 3], &[0]] {
        let good = || keys.iter().skip(1).map(|key| write(&writer, key, (0, 2), &[1, 2]));
        let mut batch: Vec<_> = good().collect();
        batch.push(write(&writer, &keys[0], (0, 2), wrong));
        assert_invalid(writer.store_states(batch).await);
    }
    let loaded = stores.states.load(&keys).await.expect("states can be loaded");
    assert_eq!(loaded, vec![None; 3]);
}

fn write(
    writer: &Writer,
    entity: &EntityKey,
    revisions: (u64, u64),
    commands: &[u64],
) -> StateWrite {
    let command = |revision: &u64| CommandRecord {
        revision: Revision::new(*revision),
        id_hash: *revision,
        uptime_seconds: *revision as u32,
        record: record(*revision),
    };
    let mut write = writer.change(entity, revisions, StateChange::Put(payload("state")));
    write.commands = commands.iter().map(command).collect();
    write
}

fn record(revision: u64) -> Bytes {
    Bytes::from(format!("\0record of {revision}"))
}

fn read(entity: &EntityKey, revision: u64) -> CommandRead {
    CommandRead { entity: entity.clone(), revision: Revision::new(revision) }
}

fn revisions(commands: &[StoredCommand]) -> Vec<u64> {
    commands.iter().map(|command| command.revision.get()).collect()
}

async fn commands(stores: &Stores, entity: &EntityKey) -> Vec<StoredCommand> {
    let loaded = stores.states.load(std::slice::from_ref(entity)).await;
    let record = loaded.expect("states can be loaded").remove(0);
    record.map(|record| record.commands).unwrap_or_default()
}
