use super::{
    JournalEvent, StoreError,
    bounds::{FILTER_NAMES_MAX, MANIFEST_BYTES_MAX},
    payload_check::check_name,
};
use actum_model::{KIND_BYTES_MAX, Partition};
use std::ops::RangeInclusive;

/// Which events of a lane a consumer wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only entities of these kinds; all if empty.
    pub kinds: Vec<String>,
    /// Only events whose manifest is one of these, or begins with one of these and a dot; all if empty.
    pub manifests: Vec<String>,
    /// Only entities in this range of partitions.
    pub partitions: Option<RangeInclusive<Partition>>,
}

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
    /// Whether `event` is one of those that are wanted.
    #[must_use]
    pub fn passes(&self, event: &JournalEvent) -> bool {
        let kind = event.entity.kind();
        let manifest = event.event.payload.manifest.as_ref();
        (self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind))
            && (self.manifests.is_empty() || self.manifests.iter().any(|m| is_of(manifest, m)))
            && self.partitions.as_ref().is_none_or(|range| range.contains(&event.partition))
    }
}

/// Whether `manifest` is `wanted` or begins with it and a dot.
fn is_of(manifest: &str, wanted: &str) -> bool {
    manifest.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
