use super::{
    EventFilter, StoreError,
    bounds::{FILTER_NAMES_MAX, MANIFEST_BYTES_MAX},
    payload_check::check_name,
};
use actum_model::KIND_BYTES_MAX;

impl EventFilter {
    /// Checks what every store must refuse, before it reads anything.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when a kind or manifest is no name that could be stored, or there are too many of them.
    pub fn check(&self) -> Result<(), StoreError> {
        let kinds = self.kinds.iter().map(|kind| ("a kind of entity", kind, KIND_BYTES_MAX));
        let manifests =
            self.manifests.iter().map(|manifest| ("a manifest", manifest, MANIFEST_BYTES_MAX));
        for (what, count) in [("kinds", self.kinds.len()), ("manifests", self.manifests.len())] {
            if count > FILTER_NAMES_MAX {
                return Err(StoreError::invalid(format!(
                    "a filter may name {FILTER_NAMES_MAX} {what}, this one names {count}"
                )));
            }
        }
        for (what, name, max) in kinds.chain(manifests) {
            check_name(what, name, max).map_err(StoreError::invalid)?;
        }
        Ok(())
    }
}
