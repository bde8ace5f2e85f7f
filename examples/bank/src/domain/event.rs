use super::Money;
use actum::{Json, Payload};
use serde::{Deserialize, Serialize};

/// What happens to an account. Stored for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AccountEvent {
    /// It was opened.
    Opened {
        /// For whom.
        owner: String,
    },
    /// Money came in.
    Deposited {
        /// How much.
        amount: Money,
    },
    /// Money went out.
    Withdrawn {
        /// How much.
        amount: Money,
    },
    /// It was closed, for good.
    Closed,
}

/// Each variant has a manifest of its own, so that a consumer of the journal can ask for deposits only.
impl Payload for AccountEvent {
    type Codec = Json;
    const MANIFEST: &'static str = "account";

    fn manifest(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "account.opened",
            Self::Deposited { .. } => "account.deposited",
            Self::Withdrawn { .. } => "account.withdrawn",
            Self::Closed => "account.closed",
        }
    }
}
