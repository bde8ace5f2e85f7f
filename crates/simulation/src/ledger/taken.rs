use super::Ledger;
use crate::{Chain, Seen};
use actum_persistence::{
    serializer::{CommandMark, RecentCommands, Serializer},
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
        } else {
            self.wrong_memory(life, entity, snapshot)
        };
        if let Some(wrong) = wrong {
            self.wrong(format!("entity {entity} in life {life}: a snapshot at {at} {wrong}"));
        }
        self.coverage.saw(Seen::SnapshotTaken);
    }

    /// A snapshot finds every command that is promised, and only commands that there were, no more of them than it may.
    /// One of an engine that was replaced may miss some: its successor has deleted events that are not needed any more.
    fn wrong_memory(&self, life: u32, entity: u32, snapshot: &Snapshot) -> Option<&'static str> {
        let read = Serializer::default().decode_recent_commands(&snapshot.recent_commands);
        let Ok(recent) = read else { return Some("whose list of commands cannot be read") };
        let truth = &self.truths[entity as usize];
        let at = snapshot.sequence_nr.get();
        let was = |mark: &CommandMark| {
            let mut all = truth.all();
            let known = all.find(|known| known.at == mark.sequence_nr.get());
            known.is_some_and(|known| known.id_hash == mark.id_hash)
        };
        // what was deleted in the midst of a recovery is a hole in what it remembers
        let kept = truth.all().filter(|known| truth.forgotten_to < known.at && known.at <= at);
        let count = kept.filter(|known| finds(&recent, known.at)).count();
        let mut promised = truth.promised(at, 0, self.now, self.tight);
        if !recent.marks.iter().all(was) {
            Some("that remembers what never was")
        } else if recent.marks.len() > self.marks_max[entity as usize] {
            Some("that lists too many commands")
        } else if count > truth.remembered_max(at) {
            Some("that remembers too many commands")
        } else if self.lives[life as usize].revoked || promised.all(|it| finds(&recent, it.at)) {
            None
        } else {
            Some("that does not remember what it must")
        }
    }
}

/// Whether the command whose last change is `at` is found by what a snapshot carries: it is listed, or its event is among
/// those that are read because of the oldest that is.
fn finds(recent: &RecentCommands, at: u64) -> bool {
    let Some(first) = recent.marks.first() else { return false };
    let listed = recent.marks.iter().any(|mark| mark.sequence_nr.get() == at);
    listed || (recent.forgotten_to.get() < at && at < first.sequence_nr.get())
}
