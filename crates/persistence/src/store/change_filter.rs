use super::{ChangedState, StoreError, event_filter::check_names};
use actum_model::{KIND_BYTES_MAX, Partition};
use std::ops::RangeInclusive;

/// Which changes of durable states a consumer wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    /// Only entities of these kinds; all if empty.
    pub kinds: Vec<String>,
    /// Only entities in this range of partitions.
    pub partitions: Option<RangeInclusive<Partition>>,
}

impl ChangeFilter {
    /// Checks what every store must refuse, before it reads anything.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when a kind is no name that could be stored, or there are too many of them.
    pub fn check(&self) -> Result<(), StoreError> {
        check_names("kinds", "a kind of entity", &self.kinds, KIND_BYTES_MAX)
    }

    /// Whether `change` is one of those that are wanted.
    #[must_use]
    pub fn passes(&self, change: &ChangedState) -> bool {
        let kind = change.entity.kind();
        (self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind))
            && self.partitions.as_ref().is_none_or(|range| range.contains(&change.partition))
    }
}
