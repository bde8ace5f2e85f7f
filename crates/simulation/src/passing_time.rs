//! Time goes by, and what is due by then is done.

use super::{Note, Process, World};
use actum_host::Moment;

/// How many microseconds may pass in steps: more pass at once.
const STOPS_MAX: u64 = 10_000;

impl World {
    /// Time goes by. Partitions that have something due take a turn.
    pub(crate) fn wait(&mut self) {
        let micros = match self.dice.weighted(&[45, 45, 8, 2]) {
            0 => self.dice.between(1, 1_000),
            1 => self.dice.between(1_000, 10_000),
            2 => self.dice.between(10_000, 100_000),
            _ => self.dice.between(100_000, 3_000_000),
        };
        self.pass(micros);
    }

    /// Time goes by, at once or from one moment at which something is due to the next.
    pub(crate) fn pass(&mut self, micros: u64) {
        let end = Moment::from_micros(self.now.as_micros() + micros);
        let stops = micros <= STOPS_MAX && self.dice.chance(500);
        while self.now < end {
            let due = self.processes.iter().map(Process::due).min().unwrap_or(Moment::NEVER);
            self.now = if stops { due.clamp(self.now, end) } else { end };
            for at in 0..self.processes.len() {
                if self.processes[at].needs_waking(self.now) {
                    self.wake_due(at);
                    self.look();
                }
            }
            if !self.ledger.violations.is_empty() {
                return;
            }
        }
        self.ledger.check_deadlines(self.now);
        for process in &self.processes {
            let exceeded = process.is_quiet() && process.load.has_too_many_entities();
            self.ledger.check_cap(process.life, exceeded);
        }
    }

    fn wake_due(&mut self, at: usize) {
        self.log.write(Note::Passed { now: self.now });
        for partition in 0..self.processes[at].partitions.len() {
            let terms = self.terms(at);
            let now = terms.own(self.now);
            let ends_early = self.dice.chance(self.faults.ended_early);
            let process = &mut self.processes[at];
            if process.partitions[partition].due() <= self.now {
                if ends_early {
                    process.partitions[partition].end_late(now);
                }
                process.turn(partition, terms);
            }
            if process.partitions[partition].is_down() {
                process.partitions[partition].expire(now);
            }
        }
    }
}
