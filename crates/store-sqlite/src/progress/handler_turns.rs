use actum_persistence::{panics::log_safely, progress::TargetHold};
use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync;

/// The transactions of handlers in a file, one at a time: each has the file for itself, for as long as a handler takes. They wait
/// here for each other and not among the others, so that what waits to write finds one of them in front of it at most.
#[derive(Debug, Default)]
pub(super) struct HandlerTurns {
    turn: Arc<sync::Mutex<()>>,
    holds: Arc<LastHolds>,
}

/// The turn of a handler. When it is dropped the next one comes.
#[derive(Debug)]
pub(super) struct HandlerTurn {
    _turn: sync::OwnedMutexGuard<()>,
    holds: Arc<LastHolds>,
    path: Arc<Path>,
}

#[derive(Debug, Default)]
struct LastHolds(Mutex<Holds>);

#[derive(Debug, Default)]
struct Holds {
    /// The last one that has ended and was not short.
    ended: Option<TargetHold>,
    open: Option<TargetHold>,
}

/// What is worth a warning: others write in milliseconds.
const LONG: Duration = Duration::from_secs(1);

impl HandlerTurns {
    /// Waits for the turn.
    pub(super) async fn turn(&self, path: &Arc<Path>) -> HandlerTurn {
        let (turn, path) = (Arc::clone(&self.turn).lock_owned().await, Arc::clone(path));
        HandlerTurn { _turn: turn, holds: Arc::clone(&self.holds), path }
    }

    /// When handlers had the file last: the last time that was not short, and the one that is not over.
    pub(super) fn last_holds(&self) -> Vec<TargetHold> {
        let holds = self.holds.lock();
        holds.ended.into_iter().chain(holds.open).collect()
    }
}

impl HandlerTurn {
    /// It has the file for itself, from now on.
    pub(super) fn begin(&self) {
        self.holds.lock().open = Some(TargetHold::begin());
    }
}

impl LastHolds {
    fn lock(&self) -> MutexGuard<'_, Holds> {
        // nothing panics while it is held
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one that is open ends; says how long it has lasted.
    fn end(&self) -> Option<Duration> {
        let mut holds = self.lock();
        let mut hold = holds.open.take()?;
        hold.ended = Some(hold.until());
        if hold.lasted() >= TargetHold::SHORT {
            holds.ended = Some(hold);
        }
        Some(hold.lasted())
    }
}

impl Drop for HandlerTurn {
    fn drop(&mut self) {
        if let Some(lasted) = self.holds.end().filter(|lasted| *lasted >= LONG) {
            let path = self.path.display();
            log_safely(
                || tracing::warn!(%path, ?lasted, "a projection has kept all others from writing to its SQLite file"),
            );
        }
    }
}
