//! For how long ids are remembered, what that takes, and what is kept for them.

use crate::{
    account::{Account, AccountEvent, Balance, Deposit},
    listener::Listener,
    note::{Add, Note},
    rig::{Rig, account, all_wait, assert_is, key},
};
use actum_model::{
    CommandId, EntityKey, Lane, Metadata, Offset, Payload, Position, Revision, SequenceNr,
    StoredPayload, Timestamp,
};
use actum_persistence::{
    serializer::{RecordedReply, Serializer, SizeLimits},
    store::{
        AppendBatch, COMMANDS_READ_MAX, ChangeFilter, ChangePage, CommandRead, DurableStateStore,
        EntityAppend, EntitySearch, EventStore, ListedState, Listing, NewEvent, PageLimit,
        Resolution, Snapshot, SnapshotStore, StateBatch, StateChange, StateOutcome, StateRecord,
        StateWrite, StoreError, StoredCommand, Stores, WriterClaim, WriterStore,
    },
};
use actum_proto::storage::v1;
use actum_runtime::{
    AskError, EntityRef, Registration, Runtime,
    settings::{CommandWindow, EntitySettings, RuntimeSettings, SnapshotSettings},
};
use async_trait::async_trait;
use bytes::Bytes;
use prost::Message;
use std::{sync::Arc, time::Duration};
use tokio::time::advance;
use tracing::Level;

/// Deposits 1 with each of these ids.
async fn deposit(account: &EntityRef<Account>, ids: impl Iterator<Item = u64>) {
    for id in ids {
        account.ask(Deposit(1)).command_id(format!("c{id}")).await.unwrap();
    }
}

/// Sends command `id` again, and says what its caller gets.
async fn again(account: &EntityRef<Account>, id: u64) -> u64 {
    account.ask(Deposit(1)).command_id(format!("c{id}")).await.unwrap()
}

fn remembering(window: CommandWindow) -> EntitySettings<Account> {
    EntitySettings::default().with_command_window(window)
}

fn last(commands: usize) -> CommandWindow {
    CommandWindow::default().with_commands_min(commands).with_commands_max(commands)
}

#[tokio::test(start_paused = true)]
async fn a_busy_entity_remembers_its_ids_for_their_time() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    deposit(&a, 1..=5_000).await;
    advance(Duration::from_secs(590)).await;
    for id in [1, 2, 2_500, 4_999, 5_000] {
        assert_eq!(again(&a, id).await, id);
    }
    assert_eq!(a.ask(Balance).await.unwrap(), 5_000);
    assert_eq!(engine.usage().command_ids_forgotten_early, 0);
    let bytes = engine.usage().command_ids_bytes;
    assert!(bytes < 5_000 * 60, "{bytes} bytes are taken");
}

#[tokio::test(start_paused = true)]
async fn ids_go_after_their_time_and_the_last_ones_never() {
    let rig = Rig::new();
    let ten_seconds = CommandWindow::default().with_age_min(Duration::from_secs(10));
    let engine = rig.start_accounts(remembering(ten_seconds.with_commands_min(3))).await;
    let a = account(&engine, "a");
    deposit(&a, 1..=5).await;
    advance(Duration::from_secs(3_600)).await;
    assert_eq!(again(&a, 1).await, 1, "nothing has come since");
    deposit(&a, 6..=6).await;
    for id in [4, 5, 6] {
        assert_eq!(again(&a, id).await, id);
    }
    assert_eq!(again(&a, 1).await, 7, "it is a new command");
    assert_eq!(engine.usage().command_ids_forgotten_early, 0, "they had their time");
}

#[tokio::test(start_paused = true)]
async fn only_the_time_of_one_run_counts() {
    let rig = Rig::new();
    let second = CommandWindow::default().with_age_min(Duration::from_secs(1));
    let settings = || remembering(second.with_commands_min(1));
    let engine = rig.start_accounts(settings()).await;
    deposit(&account(&engine, "a"), 1..=1).await;
    let _ = engine.shutdown().await;
    advance(Duration::from_secs(3_600)).await;
    let engine = rig.start_accounts(settings()).await;
    let a = account(&engine, "a");
    deposit(&a, 2..=2).await;
    assert_eq!(again(&a, 1).await, 1, "no run was as long as a second");
    advance(Duration::from_secs(3)).await;
    deposit(&a, 3..=3).await;
    assert_eq!(again(&a, 1).await, 4);
}

/// Stores the events of commands `Deposit(1)` to `a` with these ids, as if they were handled then by another engine.
async fn store_as_of(rig: &Rig, commands: &[(&str, i64)]) {
    let store = rig.memory.reopen();
    let (slot, holder, lease) = ("journal".into(), "of old".into(), Duration::from_secs(10));
    let incarnation =
        store.claim(&WriterClaim { slot, holder, lease, replaces: None }).await.unwrap();
    let entity = key("account", "a");
    let append = EntityAppend {
        partition: entity.partition(store.layout().partitions),
        owned_as: None,
        entity,
        expected: SequenceNr::ZERO,
        first_event_nr: 1,
        events: commands.iter().map(|(id, days)| deposited(id, *days)).collect(),
    };
    let batch = AppendBatch { lane: Default::default(), incarnation, appends: vec![append] };
    store.append(&batch).await.unwrap();
    store.release(incarnation).await.unwrap();
}

fn deposited(id: &str, days: i64) -> NewEvent {
    let reply = RecordedReply {
        command_manifest: "deposit".into(),
        command_schema_version: 0,
        command_fingerprint: None,
        uptime_seconds: None,
        payload: StoredPayload::encode(&1234u64).unwrap(),
    };
    let metadata = Metadata::new().with_command_id(CommandId::new(id).unwrap());
    let metadata = Serializer::default().encode_metadata(&metadata, Some(&reply)).unwrap();
    let payload = StoredPayload::encode(&AccountEvent::Deposited(1)).unwrap();
    NewEvent { timestamp: Timestamp::from_micros(days * 86_400_000_000), payload, metadata }
}

#[tokio::test(start_paused = true)]
async fn no_wall_clock_lets_an_id_go() {
    let rig = Rig::new();
    store_as_of(&rig, &[("in 1970", 0), ("in 2240", 100_000), ("in 1970 again", 1)]).await;
    let shortest = CommandWindow::default().with_age_min(Duration::from_secs(1));
    let engine = rig.start_accounts(remembering(shortest.with_commands_min(1))).await;
    let a = account(&engine, "a");
    deposit(&a, 1..=1).await;
    for id in ["in 1970", "in 2240", "in 1970 again"] {
        // recorded before the content of commands was
        assert_eq!(a.ask(Deposit(77)).command_id(id).await.unwrap(), 1234);
    }
}

#[tokio::test(start_paused = true)]
async fn ids_go_early_when_their_memory_is_used_up_but_never_the_last_ones() {
    let (listener, _guard) = Listener::listen(Level::WARN);
    let rig = Rig::new();
    let settings = RuntimeSettings::default().with_command_ids_bytes_max(64 << 10);
    let accounts = Registration::event_sourced((), EntitySettings::<Account>::default());
    let engine = rig.start_with(vec![accounts], settings).await;
    let a = account(&engine, "a");
    deposit(&a, 1..=10_000).await;
    let usage = engine.usage();
    assert!(usage.command_ids_bytes <= 64 << 10, "{usage:?}");
    assert!(usage.command_ids_forgotten_early > 5_000, "{usage:?}");
    for id in 9_901..=10_000 {
        assert_eq!(again(&a, id).await, id);
    }
    assert_eq!(again(&a, 1).await, 10_001, "it was forgotten");
    let warned = listener
        .saying("command ids forgotten before their age, their commands would be applied again");
    let [warning] = &warned[..] else { panic!("{warned:?}") };
    assert_eq!(warning.field("setting"), Some("command_ids_bytes_max"));
}

#[tokio::test(start_paused = true)]
async fn every_life_warns_again_and_counts_nothing_again_that_it_reads_back() {
    let warning = "command ids forgotten before their age, their commands would be applied again";
    let rig = Rig::new();
    let engine = rig.start_accounts(remembering(last(10))).await;
    tokio::time::sleep(Duration::from_secs(30 * 24 * 3600)).await;
    deposit(&account(&engine, "a"), 1..=100).await;
    assert_eq!(engine.usage().command_ids_forgotten_early, 90);
    assert!(engine.shutdown().await.is_clean());

    let (listener, _guard) = Listener::listen(Level::WARN);
    let engine = rig.start_accounts(remembering(last(10))).await;
    deposit(&account(&engine, "a"), 101..=101).await;
    assert_eq!(engine.usage().command_ids_forgotten_early, 1);
    assert_eq!(listener.saying(warning).len(), 1);
    tokio::time::sleep(Duration::from_secs(61)).await;
    deposit(&account(&engine, "a"), 102..=102).await;
    assert_eq!(listener.saying(warning).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_warning_names_the_bound_of_the_window() {
    let (listener, _guard) = Listener::listen(Level::WARN);
    let rig = Rig::new();
    let engine = rig.start_accounts(remembering(last(10))).await;
    deposit(&account(&engine, "a"), 1..=100).await;
    assert_eq!(engine.usage().command_ids_forgotten_early, 90);
    let warned = listener
        .saying("command ids forgotten before their age, their commands would be applied again");
    let [warning] = &warned[..] else { panic!("{warned:?}") };
    assert_eq!(warning.field("setting"), Some("commands_max"));
}

#[tokio::test(start_paused = true)]
async fn entities_leave_memory_when_the_ids_they_remember_take_too_much() {
    let rig = Rig::new();
    let settings = RuntimeSettings::default().with_command_ids_bytes_max(64 << 10);
    let accounts = Registration::event_sourced((), EntitySettings::<Account>::default());
    let engine = rig.start_with(vec![accounts], settings).await;
    for entity in 0..50 {
        deposit(&account(&engine, &entity.to_string()), 1..=100).await;
    }
    all_wait().await;
    let usage = engine.usage();
    assert!(usage.command_ids_bytes <= 70 << 10 && usage.entities < 40, "{usage:?}");
    for entity in 0..50 {
        assert_eq!(again(&account(&engine, &entity.to_string()), 1).await, 1, "{entity}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_entity_that_leaves_memory_gives_back_what_its_ids_took() {
    let rig = Rig::new();
    let idle = EntitySettings::default().with_idle_timeout(Some(Duration::from_secs(1)));
    let engine = rig.start_accounts(idle).await;
    for entity in ["a", "b", "c"] {
        deposit(&account(&engine, entity), 1..=500).await;
    }
    assert!(engine.usage().command_ids_bytes > 3 * 500 * 24);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((engine.usage().entities, engine.usage().command_ids_bytes), (0, 0));
}

fn snapshots(every: u64) -> SnapshotSettings<Account> {
    SnapshotSettings::every(every).with_snapshots_kept(1).with_events_deleted(true)
}

async fn newest(rig: &Rig) -> Option<Snapshot> {
    let store = rig.memory.reopen();
    let found = SnapshotStore::load(&store, &key("account", "a"), SequenceNr::new(u64::MAX)).await;
    found.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_does_not_grow_with_the_ids_and_is_saved_however_large_it_is() {
    let rig = Rig::new();
    let small = SizeLimits::default().with_payload_bytes_max(1_000);
    let settings =
        RuntimeSettings::default().with_size_limits(small).with_snapshot_bytes_max(1_000);
    let entities = EntitySettings::default().with_snapshots(snapshots(1_500));
    let kinds = vec![Registration::event_sourced::<Account>((), entities)];
    let engine = rig.start_with(kinds, settings).await;
    deposit(&account(&engine, "a"), 1..=6_000).await;
    all_wait().await;
    let newest = newest(&rig).await.unwrap();
    assert_eq!(newest.sequence_nr.get(), 6_000);
    let bytes = newest.recent_commands.len();
    assert!((10_000..13_000).contains(&bytes), "{bytes}");
}

#[tokio::test(start_paused = true)]
async fn ids_beyond_those_in_the_snapshot_are_read_from_the_events() {
    let rig = Rig::new();
    let settings = || EntitySettings::default().with_snapshots(snapshots(500));
    let engine = rig.start_accounts(settings()).await;
    deposit(&account(&engine, "a"), 1..=2_600).await;
    let _ = engine.shutdown().await;
    let engine = rig.start_accounts(settings()).await;
    let a = account(&engine, "a");
    for id in [1, 2, 999, 1_500, 1_501, 2_500, 2_600] {
        assert_eq!(again(&a, id).await, id);
    }
    assert_eq!(a.ask(Balance).await.unwrap(), 2_600);
}

#[tokio::test(start_paused = true)]
async fn events_that_hold_a_promised_reply_are_not_deleted() {
    let rig = Rig::new();
    let settings = || remembering(last(7)).with_snapshots(snapshots(10));
    let engine = rig.start_accounts(settings()).await;
    deposit(&account(&engine, "a"), 1..=100).await;
    let _ = engine.shutdown().await;
    let left = rig.stored("account", "a").await;
    let left: Vec<u64> = left.iter().map(|event| event.sequence_nr.get()).collect();
    assert_eq!(left, (94..=100).collect::<Vec<_>>());
    let engine = rig.start_accounts(settings()).await;
    for id in 94..=100 {
        assert_eq!(again(&account(&engine, "a"), id).await, id);
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_event_a_retry_learns_that_its_reply_is_gone_and_nothing_is_applied() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    deposit(&a, 1..=3).await;
    let deleted = rig
        .memory
        .reopen()
        .delete_events(engine.incarnation(), &key("account", "a"), SequenceNr::new(2))
        .await;
    deleted.unwrap();
    let error = a.ask(Deposit(1)).command_id("c2").await.unwrap_err();
    assert_is!(&error, AskError::ReplyDeleted { sequence_nr, .. } if sequence_nr.get() == 2);
    assert_eq!(
        error.to_string(),
        "the command `c2` was applied as 2, its reply is not stored any more"
    );
    assert!(error.maybe_applied() && !error.is_transient());
    assert_eq!(a.ask(Balance).await.unwrap(), 3);
    assert_eq!(again(&a, 3).await, 3);
}

/// The commands of an entity, as schema version 1 kept them.
fn whole<R: Payload>(commands: &[(&str, u64, &str, R)]) -> Bytes {
    let command = |(id, nr, manifest, reply): &(&str, u64, &str, R)| {
        let reply = StoredPayload::encode(reply).unwrap();
        v1::RecentCommand {
            command_id: (*id).to_owned(),
            sequence_nr: *nr,
            timestamp_micros: 0,
            reply: Some(v1::RecordedReply {
                command_manifest: (*manifest).to_owned(),
                payload: Some(v1::Payload {
                    codec: reply.codec.into_owned(),
                    manifest: reply.manifest.into_owned(),
                    schema_version: reply.schema_version,
                    bytes: reply.bytes,
                }),
                ..Default::default()
            }),
        }
    };
    let commands = commands.iter().map(command).collect();
    v1::RecentCommands { commands, ..Default::default() }.encode_to_vec().into()
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_version_1_is_remembered() {
    let rig = Rig::new();
    store_as_of(&rig, &[("one", 0), ("two", 0), ("three", 0)]).await;
    let snapshot = Snapshot {
        entity: key("account", "a"),
        sequence_nr: SequenceNr::new(2),
        timestamp: Timestamp::from_micros(0),
        state: StoredPayload::encode(&Account { balance: 2 }).unwrap(),
        recent_commands: whole(&[("one", 1, "deposit", 1234u64), ("two", 2, "deposit", 1234)]),
    };
    rig.memory.reopen().save(&[snapshot]).await.unwrap();
    let settings = EntitySettings::default().with_snapshots(SnapshotSettings::every(100));
    let engine = rig.start_accounts(settings).await;
    for id in ["one", "two", "three"] {
        let again = account(&engine, "a").ask(Deposit(1)).command_id(id).await;
        assert_eq!(again.unwrap(), 1234, "{id}");
    }
}

fn notes() -> Registration {
    Registration::durable_state::<Note>((), EntitySettings::default())
}

async fn add(engine: &Runtime, id: &str) -> String {
    engine.entity::<Note>("n").ask(Add(format!("{id};"))).command_id(id).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_durable_state_remembers_more_ids_than_one_read_brings() {
    let rig = Rig::new();
    let engine = rig.start_with(vec![notes()], RuntimeSettings::default()).await;
    for id in 1..=2_200 {
        add(&engine, &id.to_string()).await;
    }
    let _ = engine.shutdown().await;
    let engine = rig.start_with(vec![notes()], RuntimeSettings::default()).await;
    for id in [1, 5, 1_200, 1_201, 2_200] {
        assert!(add(&engine, &id.to_string()).await.ends_with(&format!(";{id};")) || id == 1);
    }
    assert_eq!(add(&engine, "1").await, "1;");
}

#[tokio::test(start_paused = true)]
async fn records_that_a_durable_state_does_not_need_are_deleted() {
    let rig = Rig::new();
    let settings = EntitySettings::default().with_command_window(last(5));
    let kinds = vec![Registration::durable_state::<Note>((), settings)];
    let engine = rig.start_with(kinds, RuntimeSettings::default()).await;
    for id in 1..=500 {
        add(&engine, &id.to_string()).await;
    }
    let record = rig.memory.reopen();
    let record = DurableStateStore::load(&record, &[key("note", "n")]).await.unwrap().remove(0);
    let kept = record.unwrap().commands;
    assert!((5..100).contains(&kept.len()), "{} are kept", kept.len());
    assert_eq!(kept.last().unwrap().revision, Revision::new(500));
}

#[tokio::test(start_paused = true)]
async fn records_are_deleted_although_each_life_of_an_entity_needs_few_less() {
    let rig = Rig::new();
    let settings =
        || EntitySettings::<Note>::default().with_command_window(last(COMMANDS_READ_MAX));
    let mut next = 0;
    for commands in std::iter::once(COMMANDS_READ_MAX).chain([60; 10]) {
        let kinds = vec![Registration::durable_state((), settings())];
        let engine = rig.start_with(kinds, RuntimeSettings::default()).await;
        for id in next..next + commands {
            add(&engine, &id.to_string()).await;
        }
        next += commands;
        let _ = engine.shutdown().await;
    }
    let read = CommandRead { entity: key("note", "n"), revision: Revision::new(601) };
    let before = rig.memory.reopen().commands_before(&[read]).await.unwrap().remove(0);
    // of 1600 the last 1000 are remembered
    assert!(before.len() < 64, "{} more are kept", before.len());
}

/// A store whose row of `note/n` is as schema version 1 left it, until it is written.
struct OfVersion1 {
    inner: Arc<dyn DurableStateStore>,
    recent_commands: Bytes,
}

#[async_trait]
impl DurableStateStore for OfVersion1 {
    async fn write(&self, batch: &StateBatch) -> Result<Vec<StateOutcome>, StoreError> {
        self.inner.write(batch).await
    }

    async fn resolve(
        &self,
        batch: &StateBatch,
    ) -> Result<Vec<Resolution<StateOutcome>>, StoreError> {
        self.inner.resolve(batch).await
    }

    async fn load(&self, entities: &[EntityKey]) -> Result<Vec<Option<StateRecord>>, StoreError> {
        let mut records = self.inner.load(entities).await?;
        for record in records.iter_mut().flatten().filter(|record| record.revision.get() == 2) {
            record.recent_commands = self.recent_commands.clone();
        }
        Ok(records)
    }

    async fn list_states(&self, search: &EntitySearch) -> Result<Listing<ListedState>, StoreError> {
        self.inner.list_states(search).await
    }

    async fn has_states_of(&self, kind: &str) -> Result<bool, StoreError> {
        self.inner.has_states_of(kind).await
    }

    async fn command_records(
        &self,
        reads: &[CommandRead],
    ) -> Result<Vec<Option<Bytes>>, StoreError> {
        self.inner.command_records(reads).await
    }

    async fn commands_before(
        &self,
        reads: &[CommandRead],
    ) -> Result<Vec<Vec<StoredCommand>>, StoreError> {
        self.inner.commands_before(reads).await
    }

    async fn read_changes(
        &self,
        lane: Lane,
        after: Position,
        filter: &ChangeFilter,
        limit: PageLimit,
    ) -> Result<ChangePage, StoreError> {
        self.inner.read_changes(lane, after, filter, limit).await
    }

    async fn change_heads(&self) -> Result<Offset, StoreError> {
        self.inner.change_heads().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_of_version_1_is_remembered_and_the_first_write_moves_it() {
    let rig = Rig::new();
    let store = rig.memory.reopen();
    let (slot, holder, lease) = ("journal".into(), "of old".into(), Duration::from_secs(10));
    let incarnation =
        store.claim(&WriterClaim { slot, holder, lease, replaces: None }).await.unwrap();
    let entity = key("note", "n");
    let write = StateWrite {
        partition: entity.partition(store.layout().partitions),
        owned_as: None,
        entity: entity.clone(),
        expected: Revision::ZERO,
        revision: Revision::new(2),
        write_nr: 1,
        timestamp: Timestamp::from_micros(0),
        change: StateChange::Put(StoredPayload::encode(&Note { text: "1;2;".into() }).unwrap()),
        commands: Vec::new(),
        forget_to: Revision::ZERO,
    };
    store.write(&StateBatch { incarnation, writes: vec![write] }).await.unwrap();
    store.release(incarnation).await.unwrap();

    let recent_commands =
        whole(&[("1", 1, "add", "1;".to_owned()), ("2", 2, "add", "1;2;".to_owned())]);
    let stores = || {
        let stores = Stores::of(rig.memory.reopen());
        let old = OfVersion1 {
            inner: Arc::clone(&stores.states),
            recent_commands: recent_commands.clone(),
        };
        Some(stores.with_states(Arc::new(old)))
    };
    let start = async || {
        Runtime::start("notes", stores(), vec![notes()], RuntimeSettings::default()).await.unwrap()
    };
    let engine = start().await;
    assert_eq!(add(&engine, "1").await, "1;");
    assert_eq!(add(&engine, "2").await, "1;2;");
    assert_eq!(add(&engine, "3").await, "1;2;3;");
    assert_eq!(add(&engine, "1").await, "1;");
    let record = DurableStateStore::load(&store.reopen(), &[entity]).await.unwrap().remove(0);
    assert_eq!(record.unwrap().commands.len(), 3);
    let _ = engine.shutdown().await;
    let engine = start().await;
    for (id, text) in [("1", "1;"), ("2", "1;2;"), ("3", "1;2;3;")] {
        assert_eq!(add(&engine, id).await, text);
    }
}
