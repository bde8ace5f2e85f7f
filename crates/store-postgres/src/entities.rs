//! Kinds and ids, and the integers that stand for them.

use actum_model::EntityKey;

/// What entities are called, as two arrays.
#[derive(Debug, Default)]
pub(crate) struct Names<'a> {
    pub(crate) kinds: Vec<&'a str>,
    pub(crate) ids: Vec<&'a str>,
}

impl<'a> Names<'a> {
    pub(crate) fn of(keys: impl Iterator<Item = &'a EntityKey>) -> Self {
        let (kinds, ids) = keys.map(|key| (key.kind(), key.id())).unzip();
        Self { kinds, ids }
    }
}
