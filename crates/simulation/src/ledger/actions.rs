use super::Ledger;
use crate::Seen;

impl Ledger {
    /// What runs after a commit runs once, and only then.
    pub(super) fn acted(&mut self, nr: u32) {
        let sent = &self.sent[nr as usize];
        let (entity, ended, placed) = (sent.order.entity, sent.end.is_some(), sent.placed);
        let truth = &self.truths[entity as usize];
        let changes = !sent.changes(truth.id, truth.by_state).is_empty();
        let stored = sent.saw.is_some_and(|(at, seen)| truth.shows(at, seen));
        let mind = self.mind_of(nr);
        let Some(at) = mind.actions.iter().position(|(_, other)| *other == nr) else {
            return self.wrong(format!("{nr}: acted twice, or though it was not committed"));
        };
        mind.actions.remove(at);
        if !stored || (changes && placed.is_none()) {
            self.wrong(format!("{nr}: acted before what it saw was stored"));
        }
        self.coverage.saw(Seen::ActedAfterCommit);
        if ended {
            self.coverage.saw(Seen::ActedAfterTimeout);
        }
    }

    /// What was due to run has run.
    pub(super) fn check_actions(&mut self) {
        let life = self.turn_of;
        for ((_, entity), mind) in self.minds.range((life, 0)..=(life, u32::MAX)) {
            if let Some((_, nr)) = mind.actions.iter().find(|(needs, _)| *needs <= mind.durable) {
                self.violations.push(format!("{nr} of {entity}: committed, and nothing ran"));
            }
        }
    }
}
