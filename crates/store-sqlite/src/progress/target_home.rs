use crate::{
    journal_files::JournalFiles,
    room::{Full, Need},
    session::Session,
    writer::{ForeignTurn, Writer},
};
use actum_persistence::store::StoreError;
use std::sync::Arc;

/// What is around the file of a target: files that must be where they were, and the journal in the same file, if there is
/// one.
#[derive(Clone, Debug)]
pub(super) struct TargetHome {
    pub(super) files: Arc<JournalFiles>,
    pub(super) journal: Option<Arc<Writer>>,
}

impl TargetHome {
    /// Waits until the journal in the same file does not write, and keeps it from writing while the turn lives.
    pub(super) async fn turn(&self, doing: &str) -> Result<Option<ForeignTurn>, StoreError> {
        match &self.journal {
            Some(writer) => writer.foreign_turn(doing).await.map(Some),
            None => self.files.lost().map_or(Ok(None), |lost| Err(lost.refusal())),
        }
    }

    /// Fails if a change of some `bytes` might not fit on the volume, so that the log of the journal could not be copied any
    /// more.
    pub(super) async fn check_room(
        &self,
        session: &mut Session,
        doing: &str,
        bytes: u64,
        need: Need,
    ) -> Result<(), StoreError> {
        let Some(writer) = &self.journal else { return Ok(()) };
        let fits = writer.parts().room.check(session, bytes, need).await;
        fits.map_err(|full: Full| full.refusal(doing))
    }

    /// Says of some `bytes` that were committed whether they will be found again.
    pub(super) async fn confirm(
        &self,
        turn: Option<&mut ForeignTurn>,
        doing: &str,
        bytes: u64,
    ) -> Result<(), StoreError> {
        if let Some(writer) = &self.journal {
            writer.parts().growth.add(bytes);
        }
        if let Err(lost) = self.files.check() {
            if let (Some(writer), Some(turn)) = (&self.journal, turn) {
                writer.salvage_in(turn).await;
            }
            return Err(lost.unknown(doing));
        }
        Ok(())
    }

    /// Makes what room can be made after SQLite found the volume full. To be called during the turn.
    pub(super) async fn recover_room(&self) {
        if let Some(writer) = &self.journal {
            let parts = writer.parts();
            parts.room.recover(&parts.checkpoints).await;
        }
    }
}
