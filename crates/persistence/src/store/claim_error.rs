use super::{HeldLease, Incarnation, SeenHolder, StoreError};

/// Why a writer slot was not claimed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// Another writer holds the slot, or one that no one may hold beside it.
    #[error("the writer slot `{slot}` is held by {holder}{}", ending(.lease.as_ref()))]
    Held {
        /// The slot that is held.
        slot: String,
        /// How the holder described itself.
        holder: String,
        /// The incarnation of the holder.
        incarnation: Incarnation,
        /// Its lease; `None` where the store sees by itself whether the holder lives, and so it does.
        lease: Option<HeldLease>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ClaimError {
    /// The holder as it was seen, if a later claim may replace it.
    #[must_use]
    pub fn seen(&self) -> Option<SeenHolder> {
        match self {
            Self::Held { incarnation, lease: Some(lease), .. } => {
                Some(SeenHolder { incarnation: *incarnation, renewal: lease.renewal })
            }
            _ => None,
        }
    }
}

fn ending(lease: Option<&HeldLease>) -> String {
    match lease {
        None => String::new(),
        Some(lease) if lease.expires_in.is_zero() => ", whose lease has ended".to_owned(),
        Some(lease) => format!(", whose lease ends in {:?} unless renewed", lease.expires_in),
    }
}
