use super::Ledger;
use crate::simulation::{Chain, Seen, command_id};
use actum_persistence::{
    serializer::{CommandMark, Serializer},
    store::Snapshot,
};

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
        } else if !self.remembers(life, entity, snapshot) {
            Some("that does not remember what it must, or remembers what never was")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            self.wrong(format!("entity {entity} in life {life}: a snapshot at {at} {wrong}"));
        }
        self.coverage.saw(Seen::SnapshotTaken);
    }

    /// Whether a snapshot finds every command that is promised, and only commands that there were. One of an engine that was
    /// replaced may miss some: its successor has deleted events that are not needed any more.
    fn remembers(&self, life: u32, entity: u32, snapshot: &Snapshot) -> bool {
        let read = Serializer::default().decode_recent_commands(&snapshot.recent_commands);
        let Ok(recent) = read else { return false };
        let (truth, hash_id) = (&self.truths[entity as usize], self.hash_id[entity as usize]);
        let at = snapshot.sequence_nr.get();
        let was = |mark: &CommandMark| {
            let mut all = truth.all();
            let known = all.find(|known| known.at == mark.sequence_nr.get());
            known.is_some_and(|known| hash_id(&command_id(known.id)) == mark.id_hash)
        };
        let first = recent.marks.first().map_or(u64::MAX, |first| first.sequence_nr.get());
        let found = |known: u64| {
            let listed = recent.marks.iter().any(|mark| mark.sequence_nr.get() == known);
            listed || (recent.forgotten_to.get() < known && known < first)
        };
        let mut promised = truth.promised(at, 0, self.now, self.tight);
        recent.marks.iter().all(was)
            && (self.lives[life as usize].revoked || promised.all(|known| found(known.at)))
    }
}
