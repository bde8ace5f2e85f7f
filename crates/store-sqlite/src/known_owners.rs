//! What a member owns, as it was read last. Whoever changes it counts the version of the cluster up, so what was read at the
//! version of the moment is true: a write reads one number, and the owners only where that has moved.

use actum_persistence::{
    members::OwnedPartitions,
    store::{AppendBatch, Incarnation},
};
use std::sync::Arc;

/// What the member has owned that wrote last.
#[derive(Debug, Default)]
pub(crate) struct KnownOwners {
    known: Option<OwnersSeen>,
}

#[derive(Debug)]
struct OwnersSeen {
    incarnation: Incarnation,
    /// The version of the cluster at which it was so.
    version: i64,
    owned: Arc<OwnedPartitions>,
}

impl KnownOwners {
    /// The version at which the writer of a batch was known to own everything that it writes; none if it was not.
    pub(crate) fn version_for(&self, batch: &AppendBatch) -> Option<i64> {
        let known = self.known.as_ref().filter(|known| known.incarnation == batch.incarnation)?;
        let owned = batch.appends.iter().all(|append| {
            let role = append.owned_as.as_ref();
            role.is_none_or(|role| known.owned.has(role, append.partition))
        });
        owned.then_some(known.version)
    }

    /// What a member owns at a version, if that is known.
    pub(crate) fn at(
        &self,
        incarnation: Incarnation,
        version: i64,
    ) -> Option<Arc<OwnedPartitions>> {
        let known = self.known.as_ref()?;
        let holds = (known.incarnation, known.version) == (incarnation, version);
        holds.then(|| Arc::clone(&known.owned))
    }

    /// Remembers what a member owns at a version.
    pub(crate) fn remember(
        &mut self,
        incarnation: Incarnation,
        version: i64,
        owned: &Arc<OwnedPartitions>,
    ) {
        let owned = Arc::clone(owned);
        self.known = Some(OwnersSeen { incarnation, version, owned });
    }
}
