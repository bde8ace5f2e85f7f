use super::shared::SharedProjection;
use actum_model::SequenceNr;
use actum_persistence::{
    error_chain::full_text,
    panics::log_safely,
    store::{EntitySearch, ListedEntity, StoreError},
};
use std::{num::NonZeroU32, sync::Arc};

const PAGE: NonZeroU32 = NonZeroU32::new(1_000).expect("1,000 is not 0");

/// Checks whether events were deleted that a projection which has just begun would handle, and notes it if so.
pub(super) async fn check_deleted(shared: &SharedProjection) {
    match deleted(shared).await {
        Ok(None) => {}
        Ok(Some(what)) => {
            log_safely(
                || tracing::warn!(projection = %shared.id, what = &*what, "a projection begins in front of deleted events"),
            );
            shared.miss(what);
        }
        Err(error) => {
            log_safely(
                || tracing::warn!(projection = %shared.id, error = full_text(&error), "not known whether events were deleted that a projection would handle"),
            );
        }
    }
}

/// What retention has deleted of the events that a projection handles; none if everything is there. It asks for all
/// entities of its kinds: a page for a thousand.
async fn deleted(shared: &SharedProjection) -> Result<Option<Arc<str>>, StoreError> {
    if shared.registration.reads_states() {
        return Ok(None); // the latest state of each entity is always there
    }
    let events = shared.feed.events();
    let (mut first, mut count) = (None, 0_u64);
    for source in &shared.registration.kinds {
        let mut after = String::new();
        loop {
            let kind = source.kind.to_string();
            let search = EntitySearch { kind, id_prefix: String::new(), after, limit: PAGE };
            let page = events.list_entities(&search).await?;
            let lacks = page.entities.into_iter().filter(|one| one.floor > SequenceNr::ZERO);
            for one in lacks {
                count += 1;
                first.get_or_insert(one);
            }
            match page.listed_to {
                Some(listed_to) => after = listed_to,
                None => break,
            }
        }
    }
    let what = |first: ListedEntity| {
        let others = match count {
            1 => String::new(),
            count => format!(", and some of {} other entities", count - 1),
        };
        format!(
            "the events of {} up to {}{others} were deleted before it began",
            first.entity, first.floor
        )
        .into()
    };
    Ok(first.map(what))
}
