use super::Ledger;
use crate::{Holdings, Seen};
use actum_host::{Moment, partition::SWEEP_INTERVAL_MIN};

impl Ledger {
    /// What a process counts against its bounds is what there is.
    pub(crate) fn check_holdings(&mut self, holdings: &Holdings) {
        let (life, staged_bytes) = (holdings.life, holdings.staged_bytes);
        let mut minds = self.minds.range((life, 0)..=(life, u32::MAX));
        let stages = minds.any(|(_, mind)| mind.stages());
        if stages != (staged_bytes > 0) {
            self.wrong(format!("{staged_bytes} bytes are staged, changes are: {stages}"));
        }
        self.violations.extend(holdings.faults());
    }

    /// Where nothing is under way, not more is in memory than may be.
    pub(crate) fn check_cap(&mut self, life: u32, is_exceeded: bool) {
        let mut minds = self.minds.range((life, 0)..=(life, u32::MAX)).map(|(_, mind)| mind);
        let is_at_rest = minds.all(|mind| mind.waiting == 0 && mind.pending.is_empty());
        if is_exceeded && is_at_rest {
            self.wrong(format!("life {life} is at rest, and too many entities are in memory"));
        }
    }

    /// An entity that is not used leaves memory after its idle time.
    pub(super) fn check_idle(&mut self, now: Moment) {
        for ((life, entity), mind) in &self.minds {
            let (idle, timeout) = (mind.idle_since, self.idle_timeouts[*entity as usize]);
            let (Some(since), Some(timeout)) = (idle, timeout) else { continue };
            if !self.lives[*life as usize].closed
                && since.after(timeout).after(SWEEP_INTERVAL_MIN) <= now
            {
                let what = format!("{entity} in life {life} is idle and stays in memory");
                self.violations.push(what);
            }
        }
    }

    /// An entity has recovered, to what is stored or was stored as it was read.
    pub(super) fn recovered(&mut self, life: u32, entity: u32, at: u64) {
        if at > self.truths[entity as usize].head() {
            self.wrong(format!("entity {entity} has recovered to {at}, which is not stored"));
        }
        self.coverage.saw(Seen::Recovered);
        self.mind(life, entity).runs = true;
    }
}
