//! The history of an account, as the journal has it.

use crate::domain::{Account, AccountEvent};
use actum::{
    AskError, Entity, EntityKey, SequenceNr, Timestamp,
    settings::PageLimit,
    store::{EntityRead, EventStore, StoredEvent},
};
use serde::{Deserialize, Serialize};
use std::{
    convert::Infallible,
    num::NonZeroU32,
    time::{Duration, UNIX_EPOCH},
};

/// Some of the events of an account, contiguous and in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// What happened.
    pub events: Vec<Happened>,
    /// Whether there is more behind the last of them.
    pub has_more: bool,
}

/// One event of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// The number of the event within the account, from 1.
    pub revision: u64,
    /// When it was decided, by the wall clock of the bank. For people: events are in order of `revision`, never of this.
    pub at: String,
    /// What happened.
    #[serde(flatten)]
    pub event: AccountEvent,
}

/// Reads a page of the events of an account; none if it has no event at all.
pub(crate) async fn read(
    journal: &dyn EventStore,
    id: &str,
    after: u64,
    limit: NonZeroU32,
) -> Result<Option<History>, AskError<Infallible>> {
    let entity = EntityKey::new(Account::KIND, id).map_err(|e| AskError::invalid(e.to_string()))?;
    let after = SequenceNr::new(after);
    let limit = PageLimit::default().with_events(limit);
    let pages = journal.read_entities(&[EntityRead { entity, after }], limit).await;
    let mut pages = pages.map_err(AskError::of_store)?;
    let page = pages.pop().unwrap_or_default();
    if page.head == SequenceNr::ZERO {
        return Ok(None);
    }
    let events = page.events.iter().map(happened).collect::<Result<_, _>>()?;
    Ok(Some(History { events, has_more: page.has_more(after) }))
}

fn happened(stored: &StoredEvent) -> Result<Happened, AskError<Infallible>> {
    let event = stored.payload.decode::<AccountEvent>();
    let event =
        event.map_err(|e| AskError::corrupt(format!("event {}: {e}", stored.sequence_nr)))?;
    Ok(Happened { revision: stored.sequence_nr.get(), at: rfc3339(stored.timestamp), event })
}

/// A moment for people.
pub(crate) fn rfc3339(timestamp: Timestamp) -> String {
    // RFC 3339 has four digits for the year
    const LATEST_MICROS: u64 = 253_402_300_799_999_999;
    let micros = u64::try_from(timestamp.as_micros()).unwrap_or(0).min(LATEST_MICROS);
    humantime::format_rfc3339_micros(UNIX_EPOCH + Duration::from_micros(micros)).to_string()
}
