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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{pin::pin, task::Poll};

    #[tokio::test]
    async fn nothing_is_kept_of_a_stream_that_no_one_has_a_turn_of() {
        let turns = Arc::new(StreamTurns::default());
        let stream = EntityKey::new("ledger", "a").expect("a key");
        let first = turns.take(&stream).await;
        {
            let mut given_up = pin!(turns.take(&stream));
            let polled = std::future::poll_fn(|cx| Poll::Ready(given_up.as_mut().poll(cx))).await;
            assert!(polled.is_pending());
        }
        assert_eq!(turns.0.lock().len(), 1, "the first one still has it");
        let mut second = pin!(turns.take(&stream));
        let polled = std::future::poll_fn(|cx| Poll::Ready(second.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
        drop(first);
        drop(second.await);
        assert!(turns.0.lock().is_empty());
    }
}
