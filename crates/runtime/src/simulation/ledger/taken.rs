use super::{Ledger, stored::is_list_of};
use crate::simulation::{Chain, Seen};
use actum_persistence::store::Snapshot;

impl Ledger {
    /// A snapshot says what the stored events amount to, and nothing else.
    pub(super) fn taken(&mut self, life: u32, entity: u32, snapshot: &Snapshot) {
        let at = snapshot.sequence_nr.get();
        let truth = &self.truths[entity as usize];
        let digest = snapshot.state.decode::<Chain>().ok().map(|chain| chain.digest);
        let wrong = if at > truth.head() {
            Some("of what is not stored")
        } else if !digest.is_some_and(|digest| truth.shows(at, digest)) {
            Some("of another state")
        } else if !is_list_of(&snapshot.recent_commands, &truth.recent_at(at)) {
            Some("that remembers other commands")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            self.wrong(format!("entity {entity} in life {life}: a snapshot at {at} {wrong}"));
        }
        self.coverage.saw(Seen::SnapshotTaken);
    }
}
