use super::{Dice, Traits};
use actum_model::{EntityKey, Lane, LaneCount, Partition, PartitionCount};
use actum_persistence::{group_commit::GroupCommitSettings, store::JournalLayout};

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
    /// How many entities may be in the memory of a process.
    pub(crate) entities_max: usize,
    /// How many commands may wait in a process.
    pub(crate) commands_max: usize,
    /// How many commands may wait in an inbox.
    pub(crate) inbox_max: usize,
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
            ids_bytes_max: match dice.weighted(&[80, 10, 10]) {
                0 => usize::MAX,
                1 => 1,
                _ => dice.between(500, 4_000) as usize,
            },
            entities_max: if dice.chance(300) { dice.between(1, 4) as usize } else { 100 },
            commands_max: if dice.chance(150) { dice.between(1, 12) as usize } else { 10_000 },
            inbox_max: if dice.chance(150) { dice.between(1, 4) as usize } else { 1_000 },
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

impl Member {
    pub(crate) fn new(nr: u64, kind: usize, layout: JournalLayout) -> Self {
        let name = ["chain-a", "chain-b", "board"][kind];
        let key = EntityKey::new(name, nr.to_string()).expect("a number is an id");
        let partition = key.partition(layout.partitions);
        Self { key, kind, partition, lane: Lane::of_partition(partition, layout.lanes) }
    }
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
    /// A partition fails.
    pub(crate) restart: u64,
    /// The term of a process is over as a partition takes commands.
    pub(crate) lapse: u64,
    /// Waits that are late are ended from outside before their partitions look.
    pub(crate) ended_early: u64,
    pub(crate) no_room: u64,
    pub(crate) flawed: u64,
}

impl Faults {
    /// Each on or off, so that one does not always hide behind another; in some runs all are off.
    pub(crate) fn any(dice: &mut Dice) -> Self {
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
            restart: rate(200),
            lapse: rate(30),
            ended_early: rate(500),
            no_room: rate(50),
            flawed,
        }
    }

    /// Whether nothing but the users' own code goes wrong.
    pub(crate) fn is_calm(&self) -> bool {
        let Self { append_fails, append_unknown, read_fails, foreign, .. } = *self;
        let Self { takeover, crash, shutdown, restart, lapse, .. } = *self;
        let store = append_fails + append_unknown + read_fails + foreign;
        store + takeover + crash + shutdown + restart + lapse == 0
    }
}
