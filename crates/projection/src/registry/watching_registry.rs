use super::{Registry, registry::KeptReader};
use crate::service::{JournalPlace, JournalPlaces};
use actum_model::{Offset, Position};
use actum_persistence::{error_chain::full_text, panics::log_safely, progress::ProjectionId};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

const INTERVAL: Duration = Duration::from_secs(10);
/// How often the same is warned of at most.
const WARN_INTERVAL: Duration = Duration::from_secs(3_600);
/// How many events parked entities and dead letters hold back before that is a warning.
const MUCH: u64 = 10_000;

impl Registry {
    /// Keeps a place among the readers of the journal for all that are kept and that are not among `own`, which have places
    /// of their own; warns of those that no one runs. It ends when the readers are asked to.
    ///
    /// `first` holds back everything, until it is known what is kept.
    pub async fn watch(
        self,
        own: Vec<ProjectionId>,
        places: Arc<dyn JournalPlaces>,
        first: Option<Arc<dyn JournalPlace>>,
    ) {
        let Some(guard) = places.enter(NAME, false) else { return };
        let watching = async {
            let (mut place, mut warned) = (first, HashMap::new());
            loop {
                match self.kept().await {
                    Ok(kept) => {
                        place = held(&kept, &own, &*places, place);
                        warn(&kept, &mut warned);
                    }
                    Err(error) => log_safely(|| {
                        tracing::warn!(
                            error = full_text(&error),
                            "not known what readers of the journal are kept, nothing is deleted beyond what was known"
                        );
                    }),
                }
                sleep(INTERVAL).await;
            }
        };
        tokio::select! {
            biased;
            () = guard.ending() => {}
            () = watching => {}
        }
    }
}

/// What stands in the log for all of them.
const NAME: &str = "readers that are kept";

/// The place behind which nothing is deleted: the one so far, if there is one; none if no one needs one.
fn held(
    kept: &[KeptReader],
    own: &[ProjectionId],
    places: &dyn JournalPlaces,
    before: Option<Arc<dyn JournalPlace>>,
) -> Option<Arc<dyn JournalPlace>> {
    let others = || kept.iter().filter(|one| !own.contains(&one.registered.id));
    let slowest = |one: Vec<Position>, other: &KeptReader| {
        one.iter().zip(other.needed.positions()).map(|(one, other)| *one.min(other)).collect()
    };
    let first = others().next()?.needed.positions().to_vec();
    let needed = Offset::of_positions(others().fold(first, slowest));
    let place = before.or_else(|| places.enter(NAME, true))?;
    place.has_read(&needed);
    Some(place)
}

fn warn(kept: &[KeptReader], warned: &mut HashMap<ProjectionId, Instant>) {
    let now = Instant::now();
    warned.retain(|_, at| now < *at + WARN_INTERVAL);
    for KeptReader { registered, .. } in kept {
        let id = &registered.id;
        let by_failed = registered.holds_back.saturating_sub(registered.lag);
        let is_forgotten = registered.is_forgotten() && registered.holds_back > 0;
        if !(is_forgotten || by_failed >= MUCH) || warned.contains_key(id) {
            continue;
        }
        warned.insert(id.clone(), now);
        let events = registered.holds_back;
        log_safely(|| match is_forgotten {
            true => {
                tracing::warn!(projection = %id, events, "no one runs a reader of the journal, which keeps events from being deleted: run it, or forget it");
            }
            false => {
                tracing::warn!(projection = %id, events = by_failed, "parked entities and dead letters keep events from being deleted: replay or discard them");
            }
        });
    }
}
