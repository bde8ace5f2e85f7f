use super::{Ledger, NARROW};
use crate::Seen;
use actum_host::{Bound, Moment, partition::SWEEP_INTERVAL_MIN};
use std::collections::BTreeSet;

impl Ledger {
    pub(super) fn reached(&mut self, nr: u32) {
        let (now, refuses) = (self.now, self.refuses);
        let sent = &mut self.sent[nr as usize];
        if sent.released {
            return; // while its partition was down
        }
        (sent.reached, sent.refused) = (true, refuses);
        let mind = self.mind_of(nr);
        mind.waiting += 1;
        if !refuses {
            mind.used = now;
        }
    }

    /// A command is no longer held.
    pub(super) fn released(&mut self, nr: u32) {
        let sent = &mut self.sent[nr as usize];
        if std::mem::replace(&mut sent.released, true) {
            self.wrong(format!("{nr}: released twice"));
        } else if sent.reached {
            self.mind_of(nr).waiting -= 1;
        }
    }

    /// Not more commands wait for an entity than its bound says, and not more changes than its batching.
    pub(super) fn check_bounds(&mut self) {
        let (life, now) = (self.turn_of, self.now);
        for ((_, entity), mind) in self.minds.range_mut((life, 0)..=(life, u32::MAX)) {
            mind.note_idle(now);
            let max = self.commands_max[*entity as usize];
            if mind.waiting > max {
                let waiting = mind.waiting;
                self.violations.push(format!("{waiting} commands wait for {entity}, not {max}"));
            }
            let decided = mind.commands().count();
            if decided > max {
                self.violations
                    .push(format!("{decided} commands of {entity} are not stored, not {max}"));
            }
            let (changes, (threshold, _)) = (mind.pending.len(), self.patience[*entity as usize]);
            if mind.under_way.is_none() && (1..threshold).contains(&changes) {
                self.coverage.saw(Seen::WindowWaited);
            }
            if mind.under_way.is_none() && changes >= threshold {
                self.violations.push(format!("{changes} changes of {entity} are not sent"));
            }
        }
    }

    /// No change waits longer for others than the flush window.
    pub(super) fn check_windows(&mut self, now: Moment) {
        for ((life, entity), mind) in &self.minds {
            let (_, window) = self.patience[*entity as usize];
            let first = mind.pending.first().filter(|_| mind.under_way.is_none());
            if first.is_some_and(|first| first.since.after(window).after(SWEEP_INTERVAL_MIN) <= now)
            {
                let what = format!("changes of {entity} in life {life} wait for {window:?}");
                self.violations.push(what);
            }
        }
    }

    /// Whether a bound is reached, so that a command may be refused.
    pub(super) fn is_full(&mut self, life: u32, entity: u32, bound: Bound) -> bool {
        match bound {
            Bound::EntityCommands => {
                self.coverage.saw(Seen::OverloadedEntity);
                let here = |nr: &&u32| {
                    let sent = &self.sent[**nr as usize];
                    (sent.life, sent.order.entity) == (Some(life), entity)
                };
                let held = self.minds.get(&(life, entity)).map_or(0, |mind| mind.waiting);
                let waiting = self.open.iter().filter(here).count().max(held);
                waiting + self.given_up(life, entity) > self.commands_max[entity as usize]
            }
            Bound::JournalBytes => {
                self.coverage.saw(Seen::OverloadedJournal);
                self.room < NARROW
            }
            // where they are refused it is checked
            Bound::PartitionCommands => {
                self.coverage.saw(Seen::OverloadedPartition);
                true
            }
            Bound::EngineCommands => {
                self.coverage.saw(Seen::OverloadedEngine);
                true
            }
            _ => false,
        }
    }

    /// How many commands are under way that no caller waits for any more.
    fn given_up(&self, life: u32, entity: u32) -> usize {
        let Some(mind) = self.minds.get(&(life, entity)) else { return 0 };
        let deciding = mind.pending.iter().map(|pending| pending.nr);
        let under_way: BTreeSet<u32> =
            deciding.chain(mind.actions.iter().map(|(_, nr)| *nr)).collect();
        under_way.into_iter().filter(|nr| self.sent[*nr as usize].end.is_some()).count()
    }
}
