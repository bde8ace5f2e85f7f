use actum_model::EntityKey;
use parking_lot::Mutex;
use std::{collections::HashMap, fmt, sync::Arc};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// Who may decide about each stream: one after the other, in the order they came. So they need not decide again for each
/// other's events.
#[derive(Default)]
pub(crate) struct StreamTurns(Mutex<HashMap<EntityKey, Arc<Turn<()>>>>);

/// The turn to decide about a stream; it ends when this is dropped.
#[must_use]
pub struct StreamTurn {
    turns: Arc<StreamTurns>,
    stream: EntityKey,
    /// None once it has ended.
    guard: Option<OwnedMutexGuard<()>>,
}

impl StreamTurns {
    /// Waits for a turn.
    ///
    /// # Cancel safety
    /// Dropping the future gives the place in the order up.
    pub(super) async fn take(self: &Arc<Self>, stream: &EntityKey) -> StreamTurn {
        let turn = Arc::clone(self.0.lock().entry(stream.clone()).or_default());
        let mut taken = StreamTurn { turns: Arc::clone(self), stream: stream.clone(), guard: None };
        taken.guard = Some(turn.lock_owned().await);
        taken
    }
}

impl Drop for StreamTurn {
    fn drop(&mut self) {
        self.guard = None;
        let mut turns = self.turns.0.lock();
        // all others that have or want a turn hold it, too
        if turns.get(&self.stream).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            turns.remove(&self.stream);
        }
    }
}

impl fmt::Debug for StreamTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamTurn").field(&self.stream).finish()
    }
}
