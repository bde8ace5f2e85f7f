use super::{Ledger, Sent};

impl Ledger {
    /// Whether a command that was handled behind change `at` may have waited for a record while others went past it, of
    /// which one was handled behind change `overtaken_at`: the entity knew the hash of its id before.
    pub(super) fn may_have_waited(&self, nr: u32, at: u64, overtaken_at: u64) -> bool {
        let Sent { order, id_hash, .. } = &self.sent[nr as usize];
        let known = self.truths[order.entity as usize].all();
        let mut before = known.take_while(|known| known.at <= at.min(overtaken_at));
        before.any(|known| Some(known.id_hash) == *id_hash)
    }

    /// Whether another command to its entity was stored whose id has the same hash and is another.
    pub(super) fn meets_other_of_its_hash(&self, nr: u32) -> bool {
        let Sent { order, id_hash, .. } = &self.sent[nr as usize];
        let mut known = self.truths[order.entity as usize].all();
        known.any(|known| Some(known.id) != order.id && Some(known.id_hash) == *id_hash)
    }

    /// Whether its id was used by a command of another type, or with other content.
    pub(super) fn reuses_id(&self, nr: u32) -> bool {
        let order = &self.sent[nr as usize].order;
        let differs =
            |first: &Sent| (first.order.command, first.order.plan) != (order.command, order.plan);
        self.firsts(nr)
            .any(|first| first.order.id == order.id && first.placed.is_some() && differs(first))
    }

    /// Whether the record of the command whose last change is `at` may be gone, and this one be a retry of it: nothing is
    /// promised for its id any more, or only another engine knows what is.
    pub(super) fn may_be_deleted(&self, nr: u32, at: u64) -> bool {
        let sent = &self.sent[nr as usize];
        let entity = sent.order.entity as usize;
        let truth = &self.truths[entity];
        let known = truth.all().find(|known| known.at == at);
        let fits = known.is_some_and(|known| Some(known.id_hash) == sent.id_hash);
        let revoked = sent.life.is_some_and(|life| self.lives[life as usize].revoked);
        let mut promised = truth.promised(truth.head(), 0, self.now, self.tight);
        fits && (revoked || !promised.any(|known| known.at == at))
    }

    /// The commands that were decided and of which this one may be a retry, as far as the hash of its id can say.
    pub(super) fn firsts(&self, nr: u32) -> impl Iterator<Item = &Sent> {
        let Sent { order, id_hash, .. } = &self.sent[nr as usize];
        self.sent.iter().filter(move |first| {
            id_hash.is_some()
                && first.id_hash == *id_hash
                && first.order.nr != nr
                && first.order.entity == order.entity
                && self.is_changed_by(first)
        })
    }

    /// Whether a command has changed its entity's state in memory.
    fn is_changed_by(&self, sent: &Sent) -> bool {
        let truth = &self.truths[sent.order.entity as usize];
        sent.concluded.is_some() && !sent.changes(truth.id, truth.by_state).is_empty()
    }

    /// Whether its own changes are not known to be stored, or it waits for a command with the hash of its id: one that is
    /// not known to be stored either, or one whose record is being read.
    pub(super) fn may_be_applied(&self, nr: u32) -> bool {
        let sent = &self.sent[nr as usize];
        let key = (sent.life.unwrap_or_default(), sent.order.entity);
        let pending = |nr: u32| {
            self.minds.get(&key).is_some_and(|mind| mind.commands().any(|other| other == nr))
        };
        if sent.saw.is_some() {
            return pending(nr);
        }
        self.firsts(nr).any(|first| first.placed.is_some() || pending(first.order.nr))
    }

    /// Whether the write whose outcome its entity has just been reported as unknown holds it, or one it waits for; or one
    /// it waits for is stored, and its process gives everything up before the record is read.
    pub(super) fn is_of_unknown_write(&self, nr: u32) -> bool {
        let sent = &self.sent[nr as usize];
        let key = (sent.life.unwrap_or_default(), sent.order.entity);
        let Some(mind) = self.minds.get(&key) else { return false };
        let (step, commands) = &mind.unknown;
        let held = |nr: u32| *step == self.step && commands.contains(&nr);
        if sent.saw.is_some() {
            return held(nr);
        }
        let ends = self.lives[key.0 as usize].abandoned;
        self.firsts(nr).any(|it| held(it.order.nr) || (ends && it.placed.is_some()))
    }
}
