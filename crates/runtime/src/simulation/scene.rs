use super::{Board, Chain, Dice, subject::size_limits};
use crate::settings::{Batching, CommandWindow, EntitySettings, SnapshotSettings};
use actum_host::{IdBudget, KindContext, cell::FailureBursts};
use actum_model::{CommandId, EntityKey, Lane, LaneCount, Partition, PartitionCount};
use actum_persistence::{
    group_commit::GroupCommitSettings,
    serializer::Serializer,
    store::{Incarnation, JournalLayout},
};
use std::{sync::Arc, time::Duration};

/// What does not change during a run: the entities, the settings, and what goes wrong how often. Drawn from the seed, so
/// that every run is another corner of what is possible.
pub(crate) struct Scene {
    pub(crate) layout: JournalLayout,
    pub(crate) entities: Vec<Member>,
    pub(crate) kinds: Vec<Traits>,
    pub(crate) group_commit: GroupCommitSettings,
    /// How many events a page holds.
    pub(crate) page: usize,
    /// How many bytes of command ids a process may remember: no bound, or hardly any.
    pub(crate) ids_bytes_max: usize,
    pub(crate) faults: Faults,
    /// How likely each sort of step is, see [`World`](super::World).
    pub(crate) odds: [u64; 7],
}

/// An entity.
pub(crate) struct Member {
    pub(crate) key: EntityKey,
    /// Its place in [`Scene::kinds`].
    pub(crate) kind: usize,
    pub(crate) partition: Partition,
    pub(crate) lane: Lane,
}

/// The settings of a kind, before they know its type.
#[derive(Clone, Debug)]
pub(crate) struct Traits {
    pub(crate) by_state: bool,
    batching: Option<(u32, u64)>,
    /// How many events apart, whether on passivation too.
    snapshots: Option<(u64, bool)>,
    pub(crate) snapshots_kept: u32,
    pub(crate) deletes_events: bool,
    idle_timeout: Option<Duration>,
    pub(crate) commands_max: usize,
    pub(crate) window: CommandWindow,
    /// The hashes of command ids; in some runs there are few, so that they collide.
    pub(crate) hash_id: fn(&CommandId) -> u64,
    pub(crate) snapshot_marks_max: usize,
    /// How many commands of a durable state one read brings.
    pub(crate) commands_read_max: usize,
    /// How many entities of the kind stay in memory in one partition.
    pub(crate) cells_max: usize,
}

/// How often something goes wrong, of a thousand times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) append_fails: u64,
    pub(crate) append_unknown: u64,
    pub(crate) resolve_fails: u64,
    pub(crate) late_commit: u64,
    pub(crate) read_fails: u64,
    pub(crate) snapshot_lost: u64,
    pub(crate) snapshot_unreadable: u64,
    /// Whether snapshots may be spoiled that are needed.
    pub(crate) loses_entities: bool,
    pub(crate) tidy_fails: u64,
    pub(crate) foreign: u64,
    pub(crate) takeover: u64,
    pub(crate) crash: u64,
    pub(crate) shutdown: u64,
    pub(crate) no_room: u64,
    pub(crate) flawed: u64,
}

impl Scene {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        let partitions = PartitionCount::new(dice.between(1, 3) as u16).expect("at least 1");
        let lanes = LaneCount::new(dice.between(1, 3) as u16).expect("at least 1");
        let layout = JournalLayout { partitions, lanes };
        let kinds: Vec<Traits> = (0..3).map(|kind| Traits::any(kind == 2, dice)).collect();
        let count = dice.between(1, 12);
        let entities = (0..count).map(|nr| Member::new(nr, dice.place(3), layout)).collect();
        let group_commit = GroupCommitSettings::default()
            .with_batch_events_max(dice.between(1, 12) as usize)
            .with_resolve_attempts_max(dice.between(1, 4) as u32);
        Self {
            layout,
            entities,
            kinds,
            group_commit,
            page: dice.between(1, 4) as usize,
            ids_bytes_max: if dice.chance(200) { 1 } else { usize::MAX },
            faults: Faults::any(dice),
            odds: [
                dice.between(5, 40),  // send
                dice.between(10, 40), // turn
                dice.between(10, 40), // write
                dice.between(5, 30),  // read
                dice.between(1, 10),  // save
                dice.between(2, 15),  // wait
                dice.between(1, 6),   // fault
            ],
        }
    }
}

impl Scene {
    /// One entity, nothing goes wrong, and everybody has all the room there is.
    pub(crate) fn of_one(traits: Traits) -> Self {
        let layout = JournalLayout {
            partitions: PartitionCount::new(1).expect("at least 1"),
            lanes: LaneCount::new(1).expect("at least 1"),
        };
        Self {
            layout,
            entities: vec![Member::new(0, if traits.by_state { 2 } else { 0 }, layout)],
            kinds: vec![traits.clone(), traits.clone(), traits],
            group_commit: GroupCommitSettings::default(),
            page: 1,
            ids_bytes_max: usize::MAX,
            faults: Faults::default(),
            odds: [1; 7],
        }
    }
}

impl Member {
    fn new(nr: u64, kind: usize, layout: JournalLayout) -> Self {
        let name = ["chain-a", "chain-b", "board"][kind];
        let key = EntityKey::new(name, nr.to_string()).expect("a number is an id");
        let partition = key.partition(layout.partitions);
        Self { key, kind, partition, lane: Lane::of_partition(partition, layout.lanes) }
    }
}

impl Traits {
    /// The settings of a kind without batching, snapshots or an idle timeout.
    pub(crate) fn plain(by_state: bool) -> Self {
        Self {
            by_state,
            batching: None,
            snapshots: None,
            snapshots_kept: 1,
            deletes_events: false,
            idle_timeout: None,
            commands_max: 100,
            window: CommandWindow::default(),
            hash_id: CommandId::hash64,
            snapshot_marks_max: 1000,
            commands_read_max: 1000,
            cells_max: 100,
        }
    }

    /// Takes a snapshot so many events apart.
    pub(crate) fn with_snapshots(self, every: u64) -> Self {
        Self { snapshots: Some((every, false)), deletes_events: true, ..self }
    }

    /// Lets so many commands of an entity wait.
    pub(crate) fn with_commands_max(self, commands: usize) -> Self {
        Self { commands_max: commands, ..self }
    }

    /// Lets so many changes gather for so many milliseconds.
    pub(crate) fn with_batching(self, threshold: u32, millis: u64) -> Self {
        Self { batching: Some((threshold, millis)), ..self }
    }

    fn any(by_state: bool, dice: &mut Dice) -> Self {
        let mut now_and_then = |per_mille| dice.chance(per_mille);
        let (batches, snapshots) = (now_and_then(400), now_and_then(650));
        let (on_passivation, deletes_events) = (now_and_then(500), now_and_then(500));
        let (leaves_idle, crowded, narrow) =
            (now_and_then(600), now_and_then(300), now_and_then(300));
        let (threshold, window) = (dice.between(2, 6) as u32, dice.between(1, 40));
        let every = dice.between(1, 8);
        Self {
            by_state,
            batching: batches.then_some((threshold, window)),
            snapshots: (snapshots && !by_state).then_some((every, on_passivation)),
            snapshots_kept: dice.between(1, 3) as u32,
            deletes_events,
            idle_timeout: leaves_idle.then(|| Duration::from_millis(dice.between(5, 400))),
            commands_max: dice.between(if narrow { 1 } else { 8 }, 16) as usize,
            window: any_window(dice),
            hash_id: if dice.chance(250) { few_hashes } else { CommandId::hash64 },
            snapshot_marks_max: dice.between(1, 6) as usize,
            commands_read_max: dice.between(1, 12) as usize,
            cells_max: if crowded { 1 } else { 100 },
        }
    }

    /// How many changes are sent without waiting for more, and how long the first waits at most.
    pub(crate) fn patience(&self) -> (usize, Duration) {
        let (threshold, millis) = self.batching.unwrap_or((1, 0));
        (threshold as usize, Duration::from_millis(millis))
    }

    pub(crate) fn chains(&self, by: (Incarnation, &Arc<IdBudget>)) -> Arc<KindContext<Chain>> {
        let mut settings = self.settings();
        if let Some((every, on_passivation)) = self.snapshots {
            let policy =
                SnapshotSettings::every(every).with_snapshot_on_passivation(on_passivation);
            settings = settings.with_snapshots(policy);
        }
        self.context(settings, by)
    }

    pub(crate) fn boards(&self, by: (Incarnation, &Arc<IdBudget>)) -> Arc<KindContext<Board>> {
        self.context(self.settings(), by)
    }

    fn context<E: super::Subject>(
        &self,
        settings: EntitySettings<E>,
        (incarnation, ids): (Incarnation, &Arc<IdBudget>),
    ) -> Arc<KindContext<E>> {
        Arc::new(KindContext {
            env: Arc::new(()),
            settings,
            serializer: Serializer::new(size_limits()),
            slow_handler_after: Duration::from_secs(1),
            bursts: FailureBursts::default(),
            incarnation,
            hash_id: self.hash_id,
            snapshot_marks_max: self.snapshot_marks_max,
            commands_read_max: self.commands_read_max,
            ids: Arc::clone(ids),
        })
    }

    fn settings<E>(&self) -> EntitySettings<E> {
        let settings = EntitySettings::default()
            .with_idle_timeout(self.idle_timeout)
            .with_commands_max(self.commands_max)
            .with_command_window(self.window);
        match self.batching {
            None => settings,
            Some((threshold, millis)) => settings.with_batching(
                Batching::default()
                    .with_threshold(threshold)
                    .with_flush_window(Duration::from_millis(millis)),
            ),
        }
    }
}

/// Forgets early, by number or by age, so that all of it happens.
fn any_window(dice: &mut Dice) -> CommandWindow {
    let commands_min = dice.between(1, 12) as usize;
    CommandWindow::default()
        .with_commands_min(commands_min)
        .with_commands_max(commands_min + dice.below(12) as usize)
        .with_age_min(Duration::from_millis(dice.between(1000, 4000)))
}

fn few_hashes(id: &CommandId) -> u64 {
    id.hash64() % 4
}

impl Faults {
    /// Each on or off, so that one does not always hide behind another; in some runs all are off.
    fn any(dice: &mut Dice) -> Self {
        let mut rate = |max: u64| if dice.chance(500) { dice.between(1, max) } else { 0 };
        let flawed = rate(120);
        if rate(7) == 7 {
            return Self { flawed, ..Self::default() };
        }
        Self {
            append_fails: rate(120),
            append_unknown: rate(250),
            resolve_fails: rate(900),
            late_commit: rate(800),
            read_fails: rate(150),
            snapshot_lost: rate(200),
            snapshot_unreadable: rate(500),
            loses_entities: rate(6) == 6,
            tidy_fails: rate(200),
            foreign: rate(300),
            takeover: rate(300),
            crash: rate(300),
            shutdown: rate(300),
            no_room: rate(50),
            flawed,
        }
    }

    /// Whether nothing but the users' own code goes wrong.
    pub(crate) fn is_calm(&self) -> bool {
        let Self { append_fails, append_unknown, read_fails, foreign, .. } = *self;
        let Self { takeover, crash, shutdown, .. } = *self;
        append_fails + append_unknown + read_fails + foreign + takeover + crash + shutdown == 0
    }
}
