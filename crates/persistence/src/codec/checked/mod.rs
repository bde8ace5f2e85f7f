//! What a serde codec encodes it decodes to the same value, or encoding fails.
//!
//! serde does not promise that: a format writes what its decoder refuses (deep nesting), gives two values one form
//! (`None` and `Some(None)`), or is asked by a type for more than its `Deserialize` takes back (a skipped field without
//! a default, an `i128` under `#[serde(flatten)]`). So values are written through a serializer that [watches](Watched)
//! what is written and notes every [`Doubt`]: what this thread has not seen read back at that [`Place`] of the type
//! before, and what depends on the value. Only an encoding in doubt is decoded, and the value that comes back is
//! compared by its [fingerprint](super::fingerprint), so the usual path costs a check of what is known.

mod audit;
mod doubt;
mod encode;
mod known_sites;
mod place;
mod watching;

use audit::Audit;
use doubt::Doubt;
use known_sites::KnownSites;
use place::Place;
use watching::{Role, Watched};

pub(super) use encode::encode;
