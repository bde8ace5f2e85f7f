use parking_lot::Mutex;
use std::{fmt, sync::Arc};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout_at},
};

/// Those who read the journal for as long as an engine runs: projections, for example. A shutdown ends them behind
/// everything that writes and in front of the stores, so that they can take in the last event that was committed.
///
/// Clones are one.
#[derive(Clone, Debug)]
pub struct JournalReaders {
    shared: Arc<Shared>,
}

/// One that reads the journal. It is at work until this is dropped, and holds up the closing of the stores for as long,
/// within the time of the shutdown.
#[must_use]
pub struct JournalReader {
    name: Arc<str>,
    shared: Arc<Shared>,
    ending: watch::Receiver<bool>,
}

#[derive(Debug)]
struct Shared {
    at_work: Mutex<Vec<Arc<str>>>,
    /// Whether they are asked to end.
    ending: watch::Sender<bool>,
    one_ended: Notify,
}

impl JournalReaders {
    pub(super) fn new() -> Self {
        let (ending, _) = watch::channel(false);
        let (at_work, one_ended) = (Mutex::default(), Notify::new());
        Self { shared: Arc::new(Shared { at_work, ending, one_ended }) }
    }

    /// Enters a reader; `name` stands in the log when it does not end in time. `None` when the readers of the engine
    /// are ended already.
    #[must_use]
    pub fn enter(&self, name: impl Into<Arc<str>>) -> Option<JournalReader> {
        let shared = Arc::clone(&self.shared);
        let ending = shared.ending.subscribe();
        let mut at_work = self.shared.at_work.lock();
        if *ending.borrow() {
            return None;
        }
        let name = name.into();
        at_work.push(Arc::clone(&name));
        drop(at_work);
        Some(JournalReader { name, shared, ending })
    }

    /// Asks all of them to end, and lets no more enter.
    pub(super) fn end(&self) {
        let _at_work = self.shared.at_work.lock(); // none enters meanwhile and is not asked
        self.shared.ending.send_replace(true);
    }

    /// Waits until all have ended, no longer than `last`, and returns the names of those that have not.
    pub(super) async fn ended(&self, last: Instant) -> Vec<Arc<str>> {
        let all = async {
            loop {
                let one_ended = self.shared.one_ended.notified();
                if self.shared.at_work.lock().is_empty() {
                    return;
                }
                one_ended.await;
            }
        };
        match timeout_at(last, all).await {
            Ok(()) => Vec::new(),
            Err(_) => self.shared.at_work.lock().clone(),
        }
    }
}

impl JournalReader {
    /// Whether it is asked to end.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        *self.ending.borrow()
    }

    /// Waits until it is asked to end. By then nothing more is committed by its engine: what its
    /// [`Commits`](actum_persistence::commits::Commits) say is the last.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn ending(&self) {
        // without a sender there is no engine any more
        let _ = self.ending.clone().wait_for(|ending| *ending).await;
    }
}

impl Drop for JournalReader {
    fn drop(&mut self) {
        let mut at_work = self.shared.at_work.lock();
        if let Some(at) = at_work.iter().position(|name| Arc::ptr_eq(name, &self.name)) {
            at_work.swap_remove(at);
        }
        drop(at_work);
        self.shared.one_ended.notify_waiters();
    }
}

impl fmt::Debug for JournalReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalReader").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    #[tokio::test(start_paused = true)]
    async fn readers_end_when_they_are_asked_to_and_no_more_enter() {
        let readers = JournalReaders::new();
        let reader = readers.enter("balances").expect("the engine runs");
        let working = tokio::spawn(async move {
            reader.ending().await;
            assert!(reader.is_ending());
        });
        tokio::task::yield_now().await;
        assert!(!working.is_finished());
        readers.end();
        assert_eq!(readers.ended(soon()).await, Vec::<Arc<str>>::new());
        assert!(readers.enter("late").is_none());
        working.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_do_not_end_are_named() {
        let readers = JournalReaders::new();
        let [ends, hangs] = ["ends", "hangs"].map(|name| readers.enter(name).unwrap());
        readers.end();
        drop(ends);
        assert_eq!(readers.ended(soon()).await, [Arc::from("hangs")]);
        drop(hangs);
    }
}
