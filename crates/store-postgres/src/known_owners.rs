//! What a member owns, as it was read last. Whoever changes it holds the fence of the member, and changes its token: a write
//! that shows the token at which it was read is stored only if it is still so. Nothing is looked up for it.

use crate::tokens::Token;
use actum_persistence::members::OwnedPartitions;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the member has owned that wrote last.
#[derive(Debug, Default)]
pub(crate) struct KnownOwners(Mutex<Option<OwnersSeen>>);

#[derive(Debug)]
struct OwnersSeen {
    incarnation: i64,
    owners: Owners,
}

/// What a member owns, and what it must show so that this is still so.
#[derive(Clone, Debug)]
pub(crate) struct Owners {
    pub(crate) token: Token,
    pub(crate) owned: Arc<OwnedPartitions>,
}

impl KnownOwners {
    /// What a member owns, if that is known at this token.
    pub(crate) fn at(&self, incarnation: i64, token: Token) -> Option<Owners> {
        let known = self.known();
        let known = known.as_ref().filter(|known| known.incarnation == incarnation)?;
        (known.owners.token == token).then(|| known.owners.clone())
    }

    /// Remembers what a member owns.
    pub(crate) fn remember(&self, incarnation: i64, owners: &Owners) {
        *self.known() = Some(OwnersSeen { incarnation, owners: owners.clone() });
    }

    fn known(&self) -> MutexGuard<'_, Option<OwnersSeen>> {
        // nothing panics while it is held
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
