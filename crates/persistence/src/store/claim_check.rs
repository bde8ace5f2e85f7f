use super::{
    StoreError, WriterClaim,
    bounds::{HOLDER_BYTES_MAX, SLOT_BYTES_MAX},
    payload_check::check_name,
};

impl WriterClaim {
    /// Checks what every store must refuse, before anything is claimed.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the slot or the holder is empty, too long, or contains NUL.
    pub fn check(&self) -> Result<(), StoreError> {
        check_name("the name of a writer slot", &self.slot, SLOT_BYTES_MAX)
            .and_then(|()| check_name("the holder of a slot", &self.holder, HOLDER_BYTES_MAX))
            .map_err(StoreError::invalid)
    }
}
