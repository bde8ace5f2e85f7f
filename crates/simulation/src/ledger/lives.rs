use super::{End, Ledger, Sent};
use crate::{Order, Seen};
use actum_host::{Moment, partition::SWEEP_INTERVAL_MIN};
use actum_model::Timestamp;

/// What is known of one life of the process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LifeOf {
    pub(super) revoked: bool,
    pub(super) crashed: bool,
    /// One of its partitions has failed, maybe with writes under way.
    pub(super) failed: bool,
    /// It takes no commands any more.
    pub(super) closed: bool,
    /// It gives everything up.
    pub(super) abandoned: bool,
}

impl Ledger {
    /// A process begins to live.
    pub(crate) fn born(&mut self) -> u32 {
        self.lives.push(LifeOf::default());
        self.lives.len() as u32 - 1
    }

    /// A process was fenced: it may write nothing any more.
    pub(crate) fn revoked(&mut self, life: u32) {
        self.lives[life as usize].revoked = true;
    }

    /// A process takes no commands any more.
    pub(crate) fn closes(&mut self, life: u32) {
        self.lives[life as usize].closed = true;
    }

    /// A process gives everything up.
    pub(crate) fn gives_up(&mut self, life: u32) {
        self.lives[life as usize].abandoned = true;
    }

    /// A process died: no caller gets an answer from it.
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
    }

    /// A process is gone: what its entities believed counts no more.
    pub(crate) fn gone(&mut self, life: u32) {
        self.minds.retain(|(of, _), _| *of != life);
        self.sent_states.retain(|(of, _), _| *of != life);
    }

    /// A command is sent.
    pub(crate) fn sent(&mut self, order: Order, life: u32) {
        debug_assert_eq!(order.nr as usize, self.sent.len(), "numbered as they are sent");
        self.open.push(order.nr);
        let acknowledged = self.truths[order.entity as usize].acknowledged;
        let id_hash = order.id.map(|id| self.id_hash(order.entity, id));
        self.sent.push(Sent::new(order, id_hash, Some(life), acknowledged));
    }

    /// A foreign writer writes; says the digest of the state after it.
    pub(crate) fn foreign(&mut self, order: Order, timestamp: Timestamp) -> u64 {
        let truth = &self.truths[order.entity as usize];
        let (at, seen) = (truth.head(), truth.digest());
        let mut sent = Sent::new(order, None, None, 0);
        (sent.saw, sent.wall) = (Some((at, seen)), timestamp);
        let digest = sent.changes(truth.id, truth.by_state)[0];
        self.sent.push(sent);
        digest
    }

    /// No caller waits longer than to the sweep after the deadline, and nothing else that is due is later.
    pub(crate) fn check_deadlines(&mut self, now: Moment) {
        self.check_windows(now);
        self.check_idle(now);
        let is_late =
            |nr: &&u32| self.sent[**nr as usize].order.deadline.after(SWEEP_INTERVAL_MIN) <= now;
        let late = self.open.iter().find(is_late);
        if let Some(nr) = late {
            let order = &self.sent[*nr as usize].order;
            self.violations.push(format!("not answered in time: {order:?}"));
        }
    }

    /// A partition is about to fail: its entities in memory are gone then, and the commands it holds.
    pub(crate) fn fails(&mut self, life: u32, entities: Vec<u32>) {
        self.lives[life as usize].failed = true;
        self.failing = Some((life, entities));
    }

    /// The partition has failed, and all it has dropped is noted.
    pub(super) fn forget_failed(&mut self) {
        let Some((life, gone)) = self.failing.take() else { return };
        self.minds.retain(|(of, entity), _| *of != life || !gone.contains(entity));
    }

    /// A process has ended in order: all its commands are answered.
    pub(crate) fn check_no_caller_waits(&mut self, life: u32) {
        let waiting = self.open.iter().find(|nr| self.sent[**nr as usize].life == Some(life));
        if let Some(nr) = waiting {
            let order = &self.sent[*nr as usize].order;
            self.violations.push(format!("not answered when its engine ended: {order:?}"));
        }
    }

    /// A process whose partitions are drained has no write on its way, but for what failed partitions have left.
    pub(crate) fn check_written(&mut self, life: u32, has_written: bool) {
        if !has_written && !self.lives[life as usize].failed {
            self.wrong(format!("life {life} is drained with writes on their way"));
        }
    }

    /// Where nothing goes wrong no caller is answered that something did.
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
        let sent = &mut self.sent[nr as usize];
        let (life, entity) = (sent.life.unwrap_or_default(), sent.order.entity);
        if self.failing.as_ref().is_some_and(|(of, gone)| *of == life && gone.contains(&entity)) {
            sent.end = Some(End::Lost);
        } else if !self.lives[life as usize].crashed {
            self.wrong(format!("{nr}: dropped without an answer"));
        }
    }
}
