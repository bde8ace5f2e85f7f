//! What happens to the world besides its work: lives begin and end, foreign writers write, snapshots come to harm.

use super::{Clocks, Faults, Order, Plan, Process, Seen, World, journal::number_of, scene::Member};
use actum_host::{Moment, cell::TakenSnapshot};
use actum_model::Timestamp;

/// How many processes think at most that they are the one.
const PROCESSES_MAX: usize = 3;

impl World {
    /// A process takes the journal over.
    pub(crate) fn start(&mut self) {
        let incarnation = self.journal.claim(&mut self.dice);
        self.look(); // what the former one had under way is stored, or not, before it is fenced
        self.processes.iter().for_each(|process| self.ledger.revoked(process.life));
        let life = self.ledger.born();
        let skew = self.dice.between(0, 2_000_000) as i64 - 1_000_000;
        self.say(|| format!("life {life} begins as {incarnation}, {skew} off"));
        let ahead = self.dice.below(1 << 40); // clocks of two lives have nothing in common
        let clocks = Clocks { skew, ahead };
        let process = Process::new(life, incarnation, clocks, &self.scene, &self.log);
        self.processes.push(process);
    }

    pub(crate) fn fault(&mut self) {
        self.end_lives();
        self.look();
        let faults = &self.faults;
        let Faults { foreign, crash, takeover, shutdown, restart, .. } = *faults;
        let odds = [foreign, crash, takeover, shutdown, restart, 300, 100];
        match self.dice.weighted(&odds) {
            0 => self.write_foreign(),
            1 => {
                let at = self.dice.place(self.processes.len());
                self.crash(at);
            }
            2 if self.processes.len() < PROCESSES_MAX => {
                self.ledger.coverage.saw(Seen::Takeover);
                self.start();
            }
            2 => {}
            3 => {
                let patience = self.dice.between(0, 8) as u32;
                let newest = self.processes.len() - 1;
                if self.processes[newest].takes_commands() {
                    self.stop(newest, patience);
                }
            }
            4 => self.fail_partition(),
            5 => self.end_late(),
            _ => self.spoil_some(),
        }
    }

    /// Lets processes go that have stopped, or know that they are fenced.
    pub(crate) fn end_lives(&mut self) {
        for at in (0..self.processes.len()).rev() {
            let process = &mut self.processes[at];
            let (drained, fenced) = (process.is_drained(), process.fenced);
            match &mut process.patience {
                Some(_) if drained => self.close(at),
                Some(0) => {
                    self.ledger.coverage.saw(Seen::ShutdownAbandoned);
                    self.abandon(at);
                }
                Some(patience) => *patience -= 1,
                None if fenced && self.dice.chance(500) => self.abandon(at),
                None => {}
            }
        }
        if self.processes.is_empty() {
            self.start();
        }
    }

    /// A process begins to stop.
    pub(crate) fn stop(&mut self, at: usize, patience: u32) {
        let terms = self.terms(at);
        self.ledger.closes(self.processes[at].life);
        self.processes[at].stop(patience, terms);
        self.look();
    }

    /// A process has stopped in order: no caller waits for it, and nothing is on its way.
    pub(crate) fn close(&mut self, at: usize) {
        self.look();
        let process = self.processes.remove(at);
        self.ledger.coverage.saw(Seen::ShutdownDrained);
        self.ledger.check_no_caller_waits(process.life);
        self.ledger.check_written(process.life, process.desk.borrow().has_written());
        self.check_gone(&process);
        self.has_ended(process);
    }

    /// A process gives everything up.
    fn abandon(&mut self, at: usize) {
        self.ledger.closes(self.processes[at].life);
        if self.dice.chance(500) {
            // its writers stop first, and every partition is notified
            self.processes[at].stop_writers(&mut self.journal, &mut self.dice);
            for partition in 0..self.processes[at].partitions.len() {
                let terms = self.terms(at);
                self.processes[at].turn(partition, terms);
            }
            self.look();
        }
        let terms = self.terms(at);
        self.ledger.gives_up(self.processes[at].life);
        self.processes[at].abandon(terms);
        self.look();
        let process = self.processes.remove(at);
        self.ledger.check_no_caller_waits(process.life);
        self.check_gone(&process);
        self.has_ended(process);
    }

    pub(crate) fn crash(&mut self, at: usize) {
        self.ledger.coverage.saw(Seen::Crash);
        let process = self.processes.remove(at);
        self.bury(process);
        if self.processes.is_empty() {
            self.start();
        }
    }

    /// A process is dead.
    pub(crate) fn bury(&mut self, process: Process) {
        self.say(|| format!("life {} crashes", process.life));
        self.ledger.crashed(process.life);
        self.has_ended(process);
    }

    /// A process that has stopped counts nothing any more.
    fn check_gone(&mut self, process: &Process) {
        let holdings = process.holdings();
        if holdings.commands.1 > 0 {
            let what = format!("{} commands are held by no partition", holdings.commands.1);
            self.ledger.violations.push(what);
        }
        self.ledger.violations.extend(holdings.leftovers());
    }

    /// What is left of a process goes, and counts nothing then.
    fn has_ended(&mut self, process: Process) {
        let life = process.life;
        let holdings = process.die(&mut self.journal, &mut self.dice);
        self.ledger.violations.extend(holdings.faults());
        self.ledger.violations.extend(holdings.leftovers());
        self.look();
        self.ledger.gone(life);
    }

    /// A partition fails, as one does whose handler aborts its turn, and is brought back sooner or later.
    fn fail_partition(&mut self) {
        let at = self.dice.place(self.processes.len());
        let partition = self.dice.place(self.processes[at].partitions.len());
        let here = |(_, entity): &(u32, &Member)| entity.partition.index() == partition;
        let entities = (0..).zip(&self.scene.entities).filter(here).map(|(nr, _)| nr);
        let (life, entities) = (self.processes[at].life, entities.collect::<Vec<u32>>());
        let is_down = self.processes[at].partitions[partition].is_down();
        // nothing tells two deletions of one entity apart, so none may be under way
        if is_down || self.ledger.deletes(life, &entities) {
            return;
        }
        self.look();
        self.say(|| format!("partition {partition} of life {life} fails"));
        self.ledger.coverage.saw(Seen::PartitionFailed);
        self.ledger.fails(life, entities);
        self.processes[at].fail_partition(partition);
        self.look();
    }

    /// Another writer writes that no engine knows of.
    fn write_foreign(&mut self) {
        let entity = self.dice.place(self.scene.entities.len()) as u32;
        let nr = self.ledger.sent.len() as u32;
        let plan = Plan::write(1);
        let order = Order {
            nr,
            entity,
            id: None,
            command: "foreign",
            plan,
            deadline: Moment::NEVER,
            expected_revision: None,
        };
        let timestamp = Timestamp::from_micros(self.now.as_micros() as i64);
        let digest = self.ledger.foreign(order, timestamp);
        let key = self.key(entity);
        if self.scene.kinds[self.scene.entities[entity as usize].kind].by_state {
            self.journal.write_foreign(&key, nr, digest, timestamp);
        } else {
            self.journal.append_foreign(&key, nr, timestamp);
        }
        self.ledger.coverage.saw(Seen::ForeignWrite);
    }

    /// Something that no process waits for any more ends.
    fn end_late(&mut self) {
        if self.dice.chance(500) && !self.journal.late_snapshots.is_empty() {
            let at = self.dice.place(self.journal.late_snapshots.len());
            let taken = self.journal.late_snapshots.swap_remove(at);
            if self.dice.chance(700) {
                self.ledger.coverage.saw(Seen::SnapshotLate);
                self.journal.save(taken.snapshot);
            }
            return;
        }
        self.journal.commit_late(&mut self.dice, 500);
    }

    /// Saves one of the snapshots that wait, and deletes what it makes superfluous.
    pub(crate) fn save_nth(&mut self, at: usize, nth: usize) {
        let TakenSnapshot { snapshot, needed_from } =
            self.processes[at].desk.get_mut().snapshots.swap_remove(nth);
        let nr = snapshot.sequence_nr;
        self.say(|| format!("a snapshot of {} at {nr} is saved", snapshot.entity));
        if self.dice.chance(self.faults.snapshot_lost) {
            return self.ledger.coverage.saw(Seen::SnapshotLost);
        }
        let (incarnation, entity) = (self.processes[at].incarnation, number_of(&snapshot.entity));
        self.journal.save(snapshot);
        let traits = &self.scene.kinds[self.scene.entities[entity as usize].kind];
        if !self.dice.chance(self.faults.tidy_fails) {
            let oldest = self.journal.prune(entity, traits.snapshots_kept as usize);
            // what it says of replies holds up to itself, not for a newer one that was saved before it
            let needless = needed_from.map_or(nr.get(), |needed| nr.get().min(needed.get() - 1));
            let readers = self.readers.as_ref();
            let read = readers.map_or(u64::MAX, |readers| readers.read_of(entity, &self.journal));
            let oldest = oldest.map(|oldest| oldest.min(needless).min(read));
            if let (Some(oldest), true) = (oldest, traits.deletes_events)
                && self.journal.delete_events(incarnation, entity, oldest).is_ok()
            {
                self.ledger.truths[entity as usize].deleted(oldest);
                self.ledger.coverage.saw(Seen::EventsDeleted);
            }
        }
        if self.dice.chance(self.faults.snapshot_unreadable) {
            self.spoil(entity);
        }
        self.check_lost(entity);
    }

    fn spoil_some(&mut self) {
        if self.dice.chance(self.faults.snapshot_unreadable) {
            let entity = self.dice.place(self.scene.entities.len()) as u32;
            self.spoil(entity);
        }
    }

    /// Damages a snapshot, the newest as a rule.
    fn spoil(&mut self, entity: u32) {
        let count = self.journal.snapshots(entity).len();
        if count == 0 {
            return;
        }
        let place = if self.dice.chance(700) { count - 1 } else { self.dice.place(count) };
        if self.journal.needs(entity, place) && !self.faults.loses_entities {
            return;
        }
        self.say(|| format!("snapshot {place} of {entity} is spoiled"));
        self.journal.spoil(entity, place, self.dice.below(4));
        self.ledger.coverage.saw(Seen::SnapshotUnreadable);
        self.check_lost(entity);
    }

    fn check_lost(&mut self, entity: u32) {
        if self.journal.is_lost(entity) {
            self.ledger.coverage.saw(Seen::EntityLost);
            self.ledger.truths[entity as usize].lost = true;
        }
    }
}
