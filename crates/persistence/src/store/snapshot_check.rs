use super::{
    Snapshot, StoreError,
    bounds::{NUMBER_MAX, RECENT_COMMANDS_BYTES_MAX},
    payload_check::{PayloadCheck, check_bytes, of},
};

impl Snapshot {
    /// Checks what every store must refuse of snapshots that are saved together, before any of them is written.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when one is of no event (0) or of one past 2^63 - 1, its state names no codec or
    /// manifest or has schema version 0, or anything is larger than its [bound](super::bounds).
    pub fn check_all(snapshots: &[Self]) -> Result<(), StoreError> {
        let mut payloads = PayloadCheck::default();
        for snapshot in snapshots {
            let (entity, nr) = (&snapshot.entity, snapshot.sequence_nr);
            if nr.get() == 0 || nr.get() > NUMBER_MAX {
                return Err(of(entity, &format!("there is no event {nr} to take a snapshot of")));
            }
            payloads.check(entity, &snapshot.state)?;
            let recent = snapshot.recent_commands.len();
            check_bytes(entity, "the remembered commands", recent, RECENT_COMMANDS_BYTES_MAX)?;
        }
        Ok(())
    }
}
