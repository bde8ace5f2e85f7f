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
        check_names("kinds", "a kind of entity", &self.kinds, KIND_BYTES_MAX)?;
        check_names("manifests", "a manifest", &self.manifests, MANIFEST_BYTES_MAX)
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

/// The numbers of the first and the last partition of a filter, as a query compares them: of all where it names none.
#[must_use]
pub fn partition_bounds(partitions: Option<&RangeInclusive<Partition>>) -> (u16, u16) {
    partitions.map_or((0, u16::MAX), |range| (range.start().nr(), range.end().nr()))
}

/// Checks names of a filter: each is one that could be stored, and there are not too many.
pub(super) fn check_names(
    all: &str,
    one: &str,
    names: &[String],
    bytes_max: usize,
) -> Result<(), StoreError> {
    if names.len() > FILTER_NAMES_MAX {
        return Err(StoreError::invalid(format!(
            "a filter may name {FILTER_NAMES_MAX} {all}, this one names {}",
            names.len()
        )));
    }
    names.iter().try_for_each(|name| check_name(one, name, bytes_max).map_err(StoreError::invalid))
}

/// Whether `manifest` is `wanted` or begins with it and a dot.
fn is_of(manifest: &str, wanted: &str) -> bool {
    manifest.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
