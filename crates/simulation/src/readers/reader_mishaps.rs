//! What happens to processes that read.

use super::{Readers, SimRunner};
use crate::{Seen, journal::Journal};
use std::{sync::Arc, time::Duration};

impl Readers {
    /// Something happens to one of the processes.
    pub(super) fn mishap(&mut self, journal: &Journal) {
        let faults = &self.side.faults;
        let odds = [faults.crash, faults.freeze, faults.leave, 40];
        match self.side.dice.weighted(&odds) {
            0 if !self.runners.is_empty() => self.crash(journal),
            1 if !self.runners.is_empty() => self.freeze(),
            2 if !self.runners.is_empty() => {
                let at = self.side.dice.place(self.runners.len());
                self.runners[at].leave();
            }
            _ if self.runners.len() < self.side.scene.runners_max => self.start_one(),
            _ => {}
        }
        self.end_leaving();
    }

    /// A process starts: another one, or one that was there before in its next life.
    pub(super) fn start_one(&mut self) {
        self.born += 1;
        let incarnation = self.born;
        let name = self.side.dice.below(self.side.scene.runners_max as u64);
        let name: Arc<str> = format!("p{name}@{incarnation}").into();
        self.side.say(|| format!("{name} starts"));
        let runner = SimRunner::new(name, &mut self.side);
        self.runners.push(runner);
    }

    fn crash(&mut self, journal: &Journal) {
        if self.side.dice.chance(300)
            && let Some(divider) = self.divider.take()
        {
            return divider.die(&mut self.side, journal);
        }
        let mut runner = self.runners.swap_remove(self.side.dice.place(self.runners.len()));
        self.side.say(|| format!("{} crashes", runner.name));
        self.side.saw(Seen::RunnerCrashed);
        runner.abort_all(&mut self.side, journal);
    }

    /// A process gets no time: for less than a lease, or for longer.
    fn freeze(&mut self) {
        let at = self.side.dice.place(self.runners.len());
        let leases = self.side.dice.between(1, 30) as u32;
        let time: Duration = self.side.scene.lease * leases / 10;
        if self.side.dice.chance(300)
            && let Some(divider) = &mut self.divider
        {
            divider.frozen_until = self.side.now + time;
            return;
        }
        self.side.saw(Seen::RunnerFrozen);
        self.side.say(|| format!("{} gets no time for {time:?}", self.runners[at].name));
        self.runners[at].frozen_until = self.side.now + time;
    }

    /// Processes that end in order, and have given everything back, are gone.
    pub(super) fn end_leaving(&mut self) {
        let side = &mut self.side;
        self.runners.retain(|runner| {
            let is_gone = runner.is_leaving && runner.tasks.is_empty();
            if is_gone {
                side.saw(Seen::RunnerLeft);
                side.desk.leave(&runner.name);
                side.ledger.left(runner.life);
            }
            !is_gone
        });
    }
}
