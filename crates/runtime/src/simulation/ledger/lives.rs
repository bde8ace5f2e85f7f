use super::{End, Ledger, Sent};
use crate::simulation::{Order, Seen};
use actum_host::cell::Moment;
use actum_model::Timestamp;

/// What is known of one life of the process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LifeOf {
    pub(super) revoked: bool,
    pub(super) crashed: bool,
    /// It gives everything up.
    pub(super) abandoned: bool,
}

impl Ledger {
    /// A process begins to live.
    pub(crate) fn born(&mut self) -> u32 {
        self.lives.push(LifeOf::default());
        self.lives.len() as u32 - 1
    }

    /// A process was shut out of the journal.
    pub(crate) fn revoked(&mut self, life: u32) {
        self.lives[life as usize].revoked = true;
    }

    /// A process gives everything up.
    pub(crate) fn gives_up(&mut self, life: u32) {
        self.lives[life as usize].abandoned = true;
    }

    /// A process died: nobody will hear of its commands.
    pub(crate) fn crashed(&mut self, life: u32) {
        self.lives[life as usize].crashed = true;
        let open = std::mem::take(&mut self.open);
        for nr in open {
            let sent = &mut self.sent[nr as usize];
            if sent.life == Some(life) {
                sent.end = Some(End::Lost);
                self.coverage.saw(Seen::LostInCrash);
            } else {
                self.open.push(nr);
            }
        }
        self.minds.retain(|(of, _), _| *of != life);
    }

    /// A command is sent.
    pub(crate) fn sent(&mut self, order: Order, life: u32) {
        debug_assert_eq!(order.nr as usize, self.sent.len(), "numbered as they are sent");
        self.open.push(order.nr);
        let acknowledged = self.truths[order.entity as usize].acknowledged;
        let id_hash = order.id.map(|id| self.id_hash(order.entity, id));
        self.sent.push(Sent::new(order, id_hash, Some(life), acknowledged));
    }

    /// A foreigner writes; says the digest of the state after it.
    pub(crate) fn foreign(&mut self, order: Order, timestamp: Timestamp) -> u64 {
        let truth = &self.truths[order.entity as usize];
        let (at, seen) = (truth.head(), truth.digest());
        let mut sent = Sent::new(order, None, None, 0);
        (sent.saw, sent.wall) = (Some((at, seen)), timestamp);
        let digest = sent.changes(truth.id, truth.by_state)[0];
        self.sent.push(sent);
        digest
    }

    /// Nobody waits longer than to the sweep after the deadline.
    pub(crate) fn check_deadlines(&mut self, now: Moment) {
        self.check_windows(now);
        let late = self.open.iter().find(|nr| self.sent[**nr as usize].order.deadline <= now);
        if let Some(nr) = late {
            let order = &self.sent[*nr as usize].order;
            self.violations.push(format!("not answered in time: {order:?}"));
        }
    }

    /// A process has ended in order: all its commands are answered.
    pub(crate) fn check_nobody_waits(&mut self, life: u32) {
        let waiting = self.open.iter().find(|nr| self.sent[**nr as usize].life == Some(life));
        if let Some(nr) = waiting {
            let order = &self.sent[*nr as usize].order;
            self.violations.push(format!("not answered when its engine ended: {order:?}"));
        }
    }

    /// Where nothing goes wrong nobody is told that something did.
    pub(crate) fn check_calm(&mut self) {
        for seen in [Seen::Unavailable, Seen::OutcomeUnknown, Seen::ConflictInJournal] {
            let count = self.coverage.count(seen);
            if count > 0 {
                self.wrong(format!("{seen:?} was seen {count} times where nothing went wrong"));
            }
        }
    }

    /// How many commands are not answered.
    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }

    pub(super) fn dropped(&mut self, nr: u32) {
        let life = self.sent[nr as usize].life.unwrap_or_default();
        if !self.lives[life as usize].crashed {
            self.wrong(format!("{nr}: dropped without an answer"));
        }
    }
}
