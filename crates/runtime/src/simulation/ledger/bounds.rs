use super::{Ledger, NARROW};
use crate::simulation::Seen;
use actum_host::{Bound, cell::Moment};
use std::collections::BTreeSet;

impl Ledger {
    pub(super) fn reached(&mut self, nr: u32) {
        self.sent[nr as usize].reached = true;
        self.mind_of(nr).waiting += 1;
    }

    pub(super) fn no_longer_waits(&mut self, nr: u32) {
        if self.sent[nr as usize].reached {
            self.mind_of(nr).waiting -= 1;
        }
    }

    /// Not more commands wait for an entity than its bound says, and not more changes than its batching.
    pub(super) fn check_bounds(&mut self) {
        let life = self.turn_of;
        for ((_, entity), mind) in self.minds.range((life, 0)..=(life, u32::MAX)) {
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
            if first.is_some_and(|first| first.since.after(window) <= now) {
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
                let waiting = self.open.iter().filter(here).count();
                waiting + self.given_up(life, entity) > self.commands_max[entity as usize]
            }
            Bound::JournalBytes => {
                self.coverage.saw(Seen::OverloadedJournal);
                self.room < NARROW
            }
            _ => false,
        }
    }

    /// How many commands are under way that nobody waits for any more.
    fn given_up(&self, life: u32, entity: u32) -> usize {
        let Some(mind) = self.minds.get(&(life, entity)) else { return 0 };
        let deciding = mind.pending.iter().map(|pending| pending.nr);
        let under_way: BTreeSet<u32> =
            deciding.chain(mind.actions.iter().map(|(_, nr)| *nr)).collect();
        under_way.into_iter().filter(|nr| self.sent[*nr as usize].end.is_some()).count()
    }
}
