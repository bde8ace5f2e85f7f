use super::{RegisteredProjection, Registry, registry::KeptReader};
use crate::service::{JournalPlace, JournalPlaces};
use actum_model::{Offset, Position};
use actum_persistence::{error_chain::full_text, panics::log_safely, progress::ProjectionId};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
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
            let (mut place, mut warnings) = (first, Warnings::default());
            loop {
                match self.kept().await {
                    Ok(kept) => {
                        place = held(&kept, &own, &*places, place);
                        warnings.warn(&kept);
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

/// What is warned of.
#[derive(Default)]
struct Warnings {
    /// When each was warned of.
    warned: HashMap<ProjectionId, Instant>,
    /// Those that no one ran at the check before: where all have just started again, their runners come within a moment.
    forgotten: HashSet<ProjectionId>,
}

/// Why a reader is warned of.
#[derive(Debug, PartialEq, Eq)]
enum Reason {
    /// No one runs it.
    Forgotten,
    /// What it could not handle keeps much.
    Failed,
}

impl Warnings {
    fn warn(&mut self, kept: &[KeptReader]) {
        for KeptReader { registered, .. } in kept {
            let Some(reason) = self.due(registered) else { continue };
            let RegisteredProjection { id, holds_back, lag, .. } = registered;
            log_safely(|| match reason {
                Reason::Forgotten => {
                    tracing::warn!(projection = %id, events = holds_back, "no one runs a reader of the journal, which keeps events from being deleted: run it, or forget it");
                }
                Reason::Failed => {
                    tracing::warn!(projection = %id, events = holds_back.saturating_sub(*lag), "parked entities and dead letters keep events from being deleted: replay or discard them");
                }
            });
        }
    }

    /// Takes in how one is, and says whether to warn of it now.
    fn due(&mut self, one: &RegisteredProjection) -> Option<Reason> {
        let is_forgotten = one.is_forgotten() && one.holds_back > 0;
        let was_forgotten = self.forgotten.remove(&one.id);
        if is_forgotten {
            self.forgotten.insert(one.id.clone());
        }
        let by_failed = one.holds_back.saturating_sub(one.lag);
        let reason = if is_forgotten && was_forgotten {
            Reason::Forgotten
        } else if by_failed >= MUCH {
            Reason::Failed
        } else {
            return None;
        };
        let now = Instant::now();
        self.warned.retain(|_, at| now < *at + WARN_INTERVAL);
        if self.warned.contains_key(&one.id) {
            return None;
        }
        self.warned.insert(one.id.clone(), now);
        Some(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;
    use tokio::time::advance;

    fn reader(runners: &[&str], failed: u64) -> RegisteredProjection {
        RegisteredProjection {
            id: ProjectionId::new("mails", NonZeroU32::MIN).unwrap(),
            is_active: true,
            lag: 7,
            holds_back: 7 + failed,
            parked: 0,
            dead_letters: 0,
            runners: runners.iter().map(|&name| name.into()).collect(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_no_one_runs_is_warned_of_once_an_hour_and_not_while_all_start_again() {
        let mut warnings = Warnings::default();
        let (run, forgotten) = (reader(&["shop@1"], 0), reader(&[], 0));
        assert_eq!(warnings.due(&forgotten), None, "its runner may come within a moment");
        assert_eq!(warnings.due(&run), None);
        assert_eq!(warnings.due(&forgotten), None, "it may have started again");
        assert_eq!(warnings.due(&forgotten), Some(Reason::Forgotten));
        assert_eq!(warnings.due(&forgotten), None, "it was said just now");
        advance(WARN_INTERVAL).await;
        assert_eq!(warnings.due(&forgotten), Some(Reason::Forgotten));
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_is_warned_of_at_once_when_it_keeps_much() {
        let mut warnings = Warnings::default();
        assert_eq!(warnings.due(&reader(&[], MUCH - 1)), None);
        assert_eq!(warnings.due(&reader(&["shop@1"], MUCH)), Some(Reason::Failed));
    }
}
