//! What cannot be right is refused with an error that says so, before anything is done.

use crate::{
    account::{Account, AccountEvent, Balance, Deposit},
    note::{Read, note, notes},
    rig::{Rig, account, accounts, assert_is},
};
use actum_model::{Ctx, Effect, Entity, EventSourced, Handle, Metadata};
use actum_persistence::{
    group_commit::GroupCommitSettings, serializer::SizeLimits, store::PageLimit,
};
use actum_runtime::{
    AskError, Registration, Runtime, StartError,
    settings::{Batching, CommandWindow, EntitySettings, RuntimeSettings, SnapshotSettings},
};
use actum_testkit::Operation;
use std::{convert::Infallible, time::Duration};

/// Every setting that can be wrong is.
fn all_wrong() -> RuntimeSettings {
    RuntimeSettings::default()
        .with_ask_timeout(Duration::ZERO)
        .with_shutdown_timeout(Duration::from_secs(24 * 60 * 60 + 1))
        .with_slow_handler_after(Duration::ZERO)
        .with_entities_max(0)
        .with_commands_max(0)
        .with_partition_commands_max(0)
        .with_journal_bytes_max((1 << 20) - 1)
        .with_command_ids_bytes_max((64 << 10) - 1)
        .with_snapshot_bytes_max(0)
        .with_readers(65)
        .with_read_batch_max(0)
        .with_read_bytes_max((1 << 20) - 1)
        .with_page(PageLimit::default().with_bytes(0))
        .with_writer_lease(Duration::from_millis(99))
        .with_size_limits(SizeLimits::default().with_reply_bytes_max(0))
        .with_group_commit(GroupCommitSettings::default().with_batch_events_max(0))
}

fn window(commands_min: usize, age_min: Duration, commands_max: usize) -> CommandWindow {
    CommandWindow::default()
        .with_commands_min(commands_min)
        .with_age_min(age_min)
        .with_commands_max(commands_max)
}

fn wrong_entity() -> EntitySettings<Account> {
    EntitySettings::default()
        .with_batching(Batching::default().with_threshold(0).with_flush_window(Duration::ZERO))
        .with_snapshots(SnapshotSettings::every(0).with_snapshots_kept(0))
        .with_idle_timeout(Some(Duration::ZERO))
        .with_commands_max(0)
        .with_command_window(window(100_001, Duration::ZERO, 10_000_001))
}

async fn problems(registrations: Vec<Registration>, settings: RuntimeSettings) -> Vec<String> {
    let rig = Rig::new();
    let error = rig.try_start("bank", registrations, settings).await.unwrap_err();
    assert_eq!(rig.faults.calls(Operation::Claim), 0, "nothing was done before the check");
    let text = error.to_string();
    let StartError::Invalid { problems } = error else { panic!("{error:?}") };
    for problem in &problems {
        assert!(text.contains(&format!("\n  - {problem}")), "{text}");
    }
    problems
}

#[tokio::test]
async fn all_that_is_wrong_with_an_engine_is_listed_at_once() {
    let kinds = vec![Registration::event_sourced((), wrong_entity()), accounts(), twins()];
    let found = problems(kinds, all_wrong()).await;
    let expected = [
        "`ask_timeout` is 0 ms, it must be at least 1 ms",
        "`shutdown_timeout` is 86,401 s, it must be at most 1 day",
        "`slow_handler_after` is 0 ms, it must be at least 1 ms",
        "`entities_max` is 0, it must be at least 1",
        "`commands_max` is 0, it must be at least 1",
        "`partition_commands_max` is 0, it must be at least 1",
        "`journal_bytes_max` is 1,048,575 bytes, it must be at least 1 MiB",
        "`readers` is 65, it must be 1 to 64",
        "`read_batch_max` is 0, it must be 1 to 1,000",
        "`read_bytes_max` is 1,048,575 bytes, it must be at least 1 MiB",
        "`page.bytes` is 0 bytes, it must be 1 byte to 512 MiB",
        "`writer_lease` is 99 ms, it must be 100 ms to 1 day",
        "`command_ids_bytes_max` is 65,535 bytes, it must be at least 64 KiB",
        "`snapshot_bytes_max` is 0 bytes, it must be at least 1 MiB",
        "`reply_bytes_max` is 0 bytes, it must be 1 byte to",
        "`batch_events_max` is 0, it must be 1 to 10,000",
        "entity `account`: `batching.threshold` is 0, it must be at least 1",
        "entity `account`: `batching.flush_window` is 0 ms, it must be 1 ms to 1 minute",
        "entity `account`: `snapshots.every` is 0, it must be at least 1",
        "entity `account`: `snapshots.snapshots_kept` is 0, it must be at least 1",
        "entity `account`: `idle_timeout` is 0 ms, it must be at least 1 ms",
        "entity `account`: `commands_max` is 0, it must be at least 1",
        "entity `account`: `command_window.commands_min` is 100,001, it must be 1 to 100,000",
        "entity `account`: `command_window.commands_max` is 10,000,001, it must be 1 to 10,000,000",
        "entity `account`: `command_window.age_min` is 0 ms, it must be at least 1 s",
        "two entities have the kind `account`",
        "entity ``: `` cannot name a kind of entity",
        "entity ``: two of its commands have the manifest `balance`",
    ];
    for expected in expected {
        assert!(
            found.iter().any(|problem| problem.starts_with(expected)),
            "{expected}: {found:#?}"
        );
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[tokio::test]
async fn two_entities_under_one_kind_are_named() {
    let found = problems(vec![accounts(), impostor()], RuntimeSettings::default()).await;
    let [problem] = &found[..] else { panic!("{found:?}") };
    assert!(problem.contains("kind `account`"), "{problem}");
    assert!(problem.contains("Account`") && problem.contains("Impostor`"), "{problem}");
}

#[tokio::test]
async fn a_kind_registered_twice_is_a_mistake_too() {
    assert_eq!(problems(vec![notes(), notes()], RuntimeSettings::default()).await.len(), 1);
}

#[tokio::test]
async fn an_engine_without_a_store_and_without_an_entity_lists_that_with_everything_else() {
    let settings = RuntimeSettings::default().with_entities_max(0);
    let error = Runtime::start("bank", None, vec![], settings).await.unwrap_err();
    assert_is!(&error, StartError::Invalid { problems } if problems.len() == 3);
    assert!(error.to_string().contains("no store was given"), "{error}");
    assert!(error.to_string().contains("no entity was registered"), "{error}");
}

#[tokio::test]
async fn an_engine_for_streams_only_has_no_entities() {
    let settings = RuntimeSettings::default().with_streams_only(true);
    let found = problems(vec![accounts()], settings).await;
    let [problem] = &found[..] else { panic!("{found:?}") };
    assert!(
        problem.starts_with("`streams_only` is set, and entities were registered"),
        "{problem}"
    );
}

#[tokio::test]
async fn pages_and_names_are_checked_before_a_store_sees_them() {
    let page = |events: u32, bytes| {
        PageLimit::default().with_events(events.try_into().unwrap()).with_bytes(bytes)
    };
    let bounds = [
        (page(100_000, 512 << 20), 255, 0),
        (page(100_001, 1), 255, 1),
        (page(1, (512 << 20) + 1), 1, 1),
        (page(1, 1), 1, 0),
        (page(1, 1), 0, 1),
        (page(1, 1), 256, 1),
        (page(100_001, 0), 0, 3),
    ];
    for (page, name, wrong) in bounds {
        let settings = RuntimeSettings::default().with_page(page);
        let rig = Rig::new();
        let found = match rig.try_start(&"e".repeat(name), vec![accounts()], settings).await {
            Ok(_) => 0,
            Err(StartError::Invalid { problems }) => problems.len(),
            Err(error) => panic!("{error:?}"),
        };
        assert_eq!(found, wrong, "{page:?}, a name of {name}");
    }
}

#[tokio::test]
async fn settings_without_end_are_taken_or_refused_and_do_no_harm() {
    let settings = RuntimeSettings::default()
        .with_ask_timeout(Duration::MAX)
        .with_slow_handler_after(Duration::MAX)
        .with_entities_max(usize::MAX)
        .with_commands_max(usize::MAX)
        .with_partition_commands_max(usize::MAX)
        .with_journal_bytes_max(usize::MAX)
        .with_snapshot_bytes_max(usize::MAX);
    let timeless =
        settings.clone().with_writer_lease(Duration::MAX).with_shutdown_timeout(Duration::MAX);
    assert_eq!(problems(vec![accounts()], timeless).await.len(), 2);

    let entities = EntitySettings::default()
        .with_idle_timeout(Some(Duration::MAX))
        .with_commands_max(100_000)
        .with_snapshots(SnapshotSettings::every(u64::MAX))
        .with_command_window(window(100_000, Duration::MAX, 10_000_000));
    let rig = Rig::new();
    let kinds = vec![Registration::event_sourced::<Account>((), entities)];
    let engine = rig.start_with(kinds, settings).await;
    for _ in 0..3 {
        assert_eq!(account(&engine, "a").ask(Deposit(1)).command_id("c").await.unwrap(), 1);
    }
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn ids_that_can_name_no_entity_are_refused_wherever_they_are_used() {
    let rig = Rig::new();
    let engine = rig.start().await;
    for (id, expected) in [
        (String::new(), "invalid: an entity id must not be empty"),
        ("x".repeat(513), "invalid: an entity id has at most 512 bytes, this one has 513"),
        ("ü".repeat(257), "invalid: an entity id has at most 512 bytes, this one has 514"),
        ("a\0b".to_owned(), "invalid: an entity id must not contain NUL"),
    ] {
        let entity = account(&engine, &id);
        assert_eq!(entity.id(), None);
        assert_eq!(entity.ask(Deposit(1)).await.unwrap_err().to_string(), expected);
        assert_eq!(entity.state().await.unwrap_err().to_string(), expected);
        assert_eq!(entity.tell(Deposit(1)).unwrap_err().0.to_string(), expected);
        assert_is!(entity.ask(Deposit(1)).with_receipt().await, Err(AskError::Invalid { .. }));
    }
    assert_eq!((engine.usage().commands, rig.faults.calls(Operation::Recover)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn ids_at_the_limit_and_in_any_script_are_taken() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let ids = ["x".repeat(512), "ü".repeat(256), " ".to_owned(), "a/b\n\t\u{202e}🦀".to_owned()];
    for id in &ids {
        assert_eq!(account(&engine, id).ask(Deposit(1)).await.unwrap(), 1);
        assert_eq!(account(&engine, id).id().as_ref(), Some(id));
    }
    assert!(engine.shutdown().await.is_clean());
    let engine = rig.start().await;
    for id in &ids {
        assert_eq!(account(&engine, id).ask(Balance).await.unwrap(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_command_ids_the_last_one_counts() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    assert_eq!(a.ask(Deposit(1)).command_id("").command_id("c").await.unwrap(), 1);
    assert_eq!(a.ask(Deposit(1)).command_id("").command_id("c").await.unwrap(), 1, "the same id");
    a.ask(Deposit(1)).command_id("").command_id("d").tell().unwrap();
    let refused = a.ask(Deposit(1)).command_id("c").command_id("").await;
    assert_is!(refused, Err(AskError::Invalid { .. }));
    let kept = a.ask(Deposit(1)).command_id("").metadata(Metadata::new()).await;
    assert_is!(kept, Err(AskError::Invalid { .. }));
}

#[tokio::test(start_paused = true)]
async fn an_entity_of_a_kind_that_is_not_registered_is_named() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let error = note(&engine, "n").ask(Read).await.unwrap_err();
    assert_eq!(error.to_string(), "invalid: the engine `bank` runs no entity of kind `note`");
    assert_is!(note(&engine, "n").tell(Read).unwrap_err().0, AskError::Invalid { .. });
    assert_is!(note(&engine, "n").state().await, Err(AskError::Invalid { .. }));
    // a type of the same kind is not the type that is registered
    let engine = rig_of(vec![impostor(), notes()]).await;
    assert_is!(account(&engine, "a").ask(Balance).await, Err(AskError::Invalid { .. }));
}

async fn rig_of(kinds: Vec<Registration>) -> Runtime {
    Rig::new().start_with(kinds, RuntimeSettings::default()).await
}

/// Has the kind of [`Account`].
#[derive(Clone, Debug)]
struct Impostor;

/// Has no kind, and a command twice.
#[derive(Clone, Debug)]
struct Twins;

fn impostor() -> Registration {
    Registration::event_sourced::<Impostor>((), EntitySettings::default())
}

fn twins() -> Registration {
    Registration::event_sourced::<Twins>((), EntitySettings::default())
}

macro_rules! does_nothing {
    ($entity:ident, $kind:literal, $commands:ty) => {
        impl Entity for $entity {
            const KIND: &'static str = $kind;
            type Id = String;
            type Env = ();
            type Event = AccountEvent;
            type Commands = $commands;
            fn initial(_: &String) -> Self {
                Self
            }
        }
        impl EventSourced for $entity {
            fn apply(&mut self, _: &AccountEvent) {}
        }
        impl Handle<Balance> for $entity {
            type Reply = u64;
            type Rejection = Infallible;
            fn handle(
                &self,
                _: Balance,
                _: &Ctx<'_, Self>,
            ) -> Result<Effect<Self, u64>, Infallible> {
                Ok(Effect::none().reply(0))
            }
        }
    };
}

does_nothing!(Impostor, "account", (Balance,));
does_nothing!(Twins, "", (Balance, Balance));

#[tokio::test]
async fn a_window_whose_least_number_is_more_than_its_greatest_is_refused() {
    let of = |min: usize, max: usize| {
        let window = window(min, Duration::from_secs(60), max);
        let settings = EntitySettings::<Account>::default().with_command_window(window);
        vec![Registration::event_sourced((), settings)]
    };
    assert_eq!(
        problems(of(11, 10), RuntimeSettings::default()).await,
        [
            "entity `account`: `command_window.commands_min` is 11, more than the 10 of `command_window.commands_max`"
        ]
    );
    let rig = Rig::new();
    rig.try_start("bank", of(10, 10), RuntimeSettings::default()).await.unwrap();
}
