//! The end of a run: nothing goes wrong any more, so everything must come right.

use super::{Process, Seen, World, ledger::End};
use actum_host::Moment;

/// How many rounds it takes at most until no caller waits any more.
const ROUNDS_MAX: usize = 2_000;

impl World {
    /// Lets everything that is under way end, reads every entity in a new process, and stops in order.
    pub(crate) fn come_to_rest(&mut self) {
        self.work_off("every command is answered", |world| world.ledger.open() == 0);
        while let Some(process) = self.processes.pop() {
            self.bury(process);
        }
        // all are asked at once
        (self.scene.commands_max, self.scene.inbox_max) = (1_000, 1_000);
        self.start();
        self.look_at_all();
        self.work_off("every read shows the truth", |world| world.ledger.open() == 0);
        if !self.ledger.violations.is_empty() {
            return;
        }
        self.check_views();
        self.stop(0, u32::MAX);
        self.work_off("everything leaves", |world| world.processes[0].is_drained());
        if self.ledger.violations.is_empty() {
            self.close(0);
        }
        self.look();
        self.count_unknown();
    }

    /// Does all work there is, again and again, until it is `done`.
    fn work_off(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        for _ in 0..ROUNDS_MAX {
            if done(self) || !self.ledger.violations.is_empty() {
                return;
            }
            for at in 0..self.processes.len() {
                self.work(at);
            }
            let next = self.processes.iter().map(Process::due).min();
            let next = next.filter(|next| *next != Moment::NEVER).map_or(0, Moment::as_micros);
            self.pass(next.saturating_sub(self.now.as_micros()).clamp(1, 10_000));
        }
        self.ledger.violations.push(format!("it never comes to this: {what}"));
    }

    fn work(&mut self, at: usize) {
        for partition in 0..self.processes[at].partitions.len() {
            if self.processes[at].partitions[partition].is_down() {
                self.processes[at].start_partition(partition);
            }
            let terms = self.terms(at);
            self.processes[at].turn(partition, terms);
            self.look();
        }
        while !self.processes[at].desk.get_mut().reads.is_empty() {
            self.answer(at, 0);
        }
        while !self.processes[at].desk.get_mut().snapshots.is_empty() {
            self.save_nth(at, 0);
        }
        for lane in 0..=usize::from(self.scene.layout.lanes.get()) {
            self.write_lane(at, lane);
        }
        self.look();
    }

    fn look_at_all(&mut self) {
        for entity in 0..self.scene.entities.len() as u32 {
            self.look_at(0, entity);
        }
    }

    /// Every read has shown all that is stored.
    fn check_views(&mut self) {
        let count = self.scene.entities.len();
        let looks = self.ledger.sent.len() - count;
        for sent in &self.ledger.sent[looks..] {
            let truth = &self.ledger.truths[sent.order.entity as usize];
            let whole = sent.saw == Some((truth.head(), truth.digest()));
            if !truth.lost && (sent.end != Some(End::Replied) || !whole) {
                let what = format!("at rest {:?} sees {:?}", sent.order, sent.saw);
                self.ledger.violations.push(what);
            }
        }
    }

    fn count_unknown(&mut self) {
        let sent = self.ledger.sent.iter();
        let unknown = sent.filter(|sent| sent.end == Some(End::Unknown) && sent.placed.is_none());
        let count = unknown.count();
        (0..count).for_each(|_| self.ledger.coverage.saw(Seen::NotStoredAfterUnknown));
    }
}
