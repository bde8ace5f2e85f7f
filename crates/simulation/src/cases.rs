//! What runs have found, played by hand.

use super::{
    Dice, Faults, Order, Plan, Scene, Traits, World, ledger::End, process::place_of, scene::Member,
};
use actum_host::{Moment, settings::CommandWindow};
use actum_model::{CommandId, LaneCount, PartitionCount};
use actum_persistence::{group_commit::GroupCommitSettings, store::JournalLayout};
use std::time::Duration;

impl Scene {
    /// One entity, nothing goes wrong, with all the room there is.
    fn of_one(traits: Traits) -> Self {
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
            entities_max: 100,
            commands_max: 100,
            inbox_max: 100,
            faults: Faults::default(),
            odds: [1; 7],
        }
    }
}

impl Traits {
    /// The settings of a kind without batching, snapshots or an idle timeout.
    fn plain(by_state: bool) -> Self {
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
        }
    }

    /// Takes a snapshot every `every` events.
    fn with_snapshots(self, every: u64) -> Self {
        Self { snapshots: Some((every, false)), deletes_events: true, ..self }
    }

    /// Lets at most `commands` commands of an entity wait.
    fn with_commands_max(self, commands: usize) -> Self {
        Self { commands_max: commands, ..self }
    }

    /// Lets at most `threshold` changes gather, for at most `millis` milliseconds.
    fn with_batching(self, threshold: u32, millis: u64) -> Self {
        Self { batching: Some((threshold, millis)), ..self }
    }
}

fn world(traits: Traits) -> World {
    World::of(Scene::of_one(traits), Dice::new(0), false)
}

impl World {
    /// Sends a command with this id, and says its number.
    fn command(&mut self, plan: Plan, id: u32, patience: Duration) -> u32 {
        let nr = self.ledger.sent.len() as u32;
        let (command, deadline) = ("change", self.now.after(patience));
        let order =
            Order { nr, entity: 0, id: Some(id), command, plan, deadline, expected_revision: None };
        self.deliver(0, order);
        nr
    }

    fn turn_all(&mut self) {
        let terms = self.terms(0);
        let (partition, _) = place_of(&self.scene, 0);
        self.processes[0].turn(partition, terms);
        self.look();
    }

    /// Answers all reads, and those that follow from them.
    fn read_all(&mut self) {
        for _ in 0..100 {
            if self.processes[0].desk.get_mut().reads.is_empty() {
                return;
            }
            self.answer(0, 0);
            self.turn_all();
        }
        panic!("there is always more to read");
    }

    fn commit(&mut self) {
        for _ in 0..3 {
            (0..2).for_each(|lane| self.write_lane(0, lane));
        }
        self.turn_all();
    }

    fn end(&self, nr: u32) -> Option<End> {
        assert_eq!(self.ledger.violations, Vec::<String>::new());
        self.ledger.sent[nr as usize].end
    }
}

const LONG: Duration = Duration::from_secs(1000);

#[test]
fn retry_that_times_out_while_the_first_is_under_way_may_be_applied() {
    let mut world = world(Traits::plain(false));
    let first = world.command(Plan::write(1), 1, LONG);
    world.turn_all();
    world.read_all();
    let retry = world.command(Plan::write(1), 1, Duration::from_millis(5));
    world.turn_all();
    world.pass(10_000);
    assert_eq!(world.end(retry), Some(End::TimedOut));
    world.commit();
    assert_eq!(world.end(first), Some(End::Replied));
}

#[test]
fn recovery_begins_again_when_retention_overtakes_it() {
    let mut world = world(Traits::plain(false).with_snapshots(2));
    for id in 1..=3 {
        world.command(Plan::write(1), id, LONG);
    }
    world.turn_all();
    world.read_all();
    world.commit();
    assert_eq!(world.end(2), Some(End::Replied));
    let snapshot =
        world.processes[0].desk.get_mut().snapshots.pop().expect("two events are enough");
    world.crash(0);

    let look = world.command(Plan::LOOK, 4, LONG);
    world.turn_all();
    world.answer(0, 0); // the first event, of three
    let incarnation = world.processes[0].incarnation;
    world.journal.save(snapshot.snapshot);
    world.journal.delete_events(incarnation, 0, 2).expect("the head is behind 2");
    world.turn_all();
    world.read_all();
    assert_eq!(world.end(look), Some(End::Replied));
}

#[test]
fn recovery_ends_when_deleted_events_are_covered_by_nothing() {
    let mut world = world(Traits::plain(false).with_snapshots(100));
    world.command(Plan::write(2), 1, LONG);
    world.turn_all();
    world.read_all();
    world.commit();
    let incarnation = world.processes[0].incarnation;
    world.journal.delete_events(incarnation, 0, 1).expect("the head is 2");
    world.ledger.truths[0].lost = true;
    world.crash(0);
    let look = world.command(Plan::LOOK, 2, LONG);
    world.turn_all();
    world.read_all();
    assert_eq!(world.end(look), Some(End::NotApplied));
}

#[test]
fn commands_beyond_the_bound_are_refused_while_their_entity_leaves() {
    let mut world = world(Traits::plain(false).with_commands_max(2));
    let first = world.command(Plan::write(1), 1, LONG);
    let second = world.command(Plan { passivates: true, ..Plan::write(1) }, 2, LONG);
    world.turn_all();
    world.read_all();
    let third = world.command(Plan::LOOK, 3, LONG);
    world.turn_all();
    assert_eq!(world.end(third), Some(End::NotApplied));
    world.commit();
    assert_eq!(world.end(first), Some(End::Replied));
    world.commit();
    assert_eq!(world.end(second), Some(End::Replied));
}

#[test]
fn durable_state_keeps_the_time_of_its_last_command() {
    let mut world = world(Traits::plain(true).with_batching(10, 50));
    let first = world.command(Plan::write(1), 1, LONG);
    world.turn_all();
    world.read_all();
    world.pass(60_000);
    world.commit();
    // the ledger has compared the stored time with that of the turn
    assert_eq!(world.end(first), Some(End::Replied));
    assert!(world.now > Moment::from_micros(60_000));
}
