use actum_model::{Lane, Offset, Position};
use parking_lot::Mutex;
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout_at},
};

/// Those who read the journal for as long as an engine runs: projections, for example. A shutdown ends them behind
/// everything that writes and in front of the stores, so that they can take in the last event that was committed. What
/// they have not read yet, retention keeps.
///
/// Clones are one. An engine has one of its own, unless it is
/// [given](crate::settings::RuntimeSettings::with_journal_readers) one whose readers have entered before it starts. It
/// serves one engine: its readers end with that.
#[derive(Clone)]
pub struct JournalReaders {
    shared: Arc<Shared>,
}

/// One that reads the journal. It is at work until this is dropped: for as long it holds up the closing of the stores,
/// within the time of the shutdown, and keeps events from being deleted that are behind its offset.
#[must_use]
pub struct JournalReader {
    nr: u64,
    name: Arc<str>,
    shared: Arc<Shared>,
    ending: watch::Receiver<bool>,
}

struct Shared {
    readers: Mutex<Entered>,
    /// Whether they are asked to end.
    ending: watch::Sender<bool>,
    one_ended: Notify,
}

#[derive(Default)]
struct Entered {
    entered: u64,
    at_work: Vec<AtWork>,
}

struct AtWork {
    nr: u64,
    name: Arc<str>,
    /// How far it has read, if it needs what is behind that.
    offset: Option<Offset>,
}

impl JournalReaders {
    /// No readers, of an engine that has not started.
    #[must_use]
    pub fn new() -> Self {
        let (ending, _) = watch::channel(false);
        let (readers, one_ended) = (Mutex::default(), Notify::new());
        Self { shared: Arc::new(Shared { readers, ending, one_ended }) }
    }

    /// Enters a reader, which needs no events to be kept; `name` stands in the log when it does not end in time. `None`
    /// when the readers of the engine are ended already.
    #[must_use]
    pub fn enter(&self, name: impl Into<Arc<str>>) -> Option<JournalReader> {
        self.enter_with(name.into(), None)
    }

    /// Enters a reader that has read, and noted so durably, up to `offset`: retention deletes nothing behind it.
    #[must_use]
    pub fn enter_at(&self, name: impl Into<Arc<str>>, offset: Offset) -> Option<JournalReader> {
        self.enter_with(name.into(), Some(offset))
    }

    fn enter_with(&self, name: Arc<str>, offset: Option<Offset>) -> Option<JournalReader> {
        let shared = Arc::clone(&self.shared);
        let ending = shared.ending.subscribe();
        let mut readers = self.shared.readers.lock();
        if *ending.borrow() {
            return None;
        }
        readers.entered += 1;
        let nr = readers.entered;
        readers.at_work.push(AtWork { nr, name: Arc::clone(&name), offset });
        drop(readers);
        Some(JournalReader { nr, name, shared, ending })
    }

    /// The last position of `lane` that all readers have read; `None` when no one needs its events.
    #[must_use]
    pub fn read_to(&self, lane: Lane) -> Option<Position> {
        let readers = self.shared.readers.lock();
        let offsets = readers.at_work.iter().filter_map(|reader| reader.offset.as_ref());
        offsets.map(|offset| offset.position(lane)).min()
    }

    /// Asks all of them to end, lets no more enter, and waits until they have, no longer than `within`: for readers that no
    /// engine ends. Returns the names of those that have not.
    pub async fn end_within(&self, within: Duration) -> Vec<Arc<str>> {
        self.end();
        self.ended(Instant::now() + within).await
    }

    /// Whether they were asked to end, so that no more enter.
    pub(crate) fn have_ended(&self) -> bool {
        *self.shared.ending.borrow()
    }

    /// Asks all of them to end, and lets no more enter.
    pub(super) fn end(&self) {
        let _readers = self.shared.readers.lock(); // none enters meanwhile and is not asked
        self.shared.ending.send_replace(true);
    }

    /// Waits until all have ended, no longer than `last`, and returns the names of those that have not.
    pub(super) async fn ended(&self, last: Instant) -> Vec<Arc<str>> {
        let all = async {
            loop {
                let one_ended = self.shared.one_ended.notified();
                if self.shared.readers.lock().at_work.is_empty() {
                    return;
                }
                one_ended.await;
            }
        };
        match timeout_at(last, all).await {
            Ok(()) => Vec::new(),
            Err(_) => {
                let readers = self.shared.readers.lock();
                readers.at_work.iter().map(|reader| Arc::clone(&reader.name)).collect()
            }
        }
    }
}

impl JournalReader {
    /// Notes that it has read up to `offset`, durably: a reader that starts again begins there. It goes back, too, where
    /// events are to be read again: those that are still there are kept from then on. Of one that needs no events it
    /// changes nothing.
    pub fn has_read(&self, offset: &Offset) {
        let mut readers = self.shared.readers.lock();
        let this = readers.at_work.iter_mut().find(|reader| reader.nr == self.nr);
        if let Some(read) = this.and_then(|reader| reader.offset.as_mut()) {
            read.clone_from(offset);
        }
    }

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
        self.shared.readers.lock().at_work.retain(|reader| reader.nr != self.nr);
        self.shared.one_ended.notify_waiters();
    }
}

impl Default for JournalReaders {
    fn default() -> Self {
        Self::new()
    }
}

/// Clones are equal, others are not.
impl PartialEq for JournalReaders {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl Eq for JournalReaders {}

impl fmt::Debug for JournalReaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let readers = self.shared.readers.lock();
        f.debug_list().entries(readers.at_work.iter().map(|reader| &reader.name)).finish()
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
    use actum_model::LaneCount;

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

    #[tokio::test]
    async fn the_slowest_reader_says_what_is_needed() {
        let (readers, lanes) = (JournalReaders::new(), LaneCount::new(2).unwrap());
        let read_to = |nr| readers.read_to(Lane::new(nr)).map(Position::get);
        let offset = |positions: [u64; 2]| Offset::of_positions(positions.map(Position::new));
        let any = readers.enter("needs nothing").unwrap();
        any.has_read(&offset([9, 9]));
        assert_eq!((read_to(0), read_to(1)), (None, None));
        let [first, second] =
            ["first", "second"].map(|of| readers.enter_at(of, Offset::beginning(lanes)).unwrap());
        first.has_read(&offset([7, 0]));
        assert_eq!((read_to(0), read_to(1)), (Some(0), Some(0)));
        second.has_read(&offset([5, 2]));
        assert_eq!((read_to(0), read_to(1)), (Some(5), Some(0)));
        second.has_read(&offset([3, 2])); // it reads again what is behind that
        assert_eq!((read_to(0), read_to(1)), (Some(3), Some(0)));
        second.has_read(&offset([5, 2]));
        drop(first);
        assert_eq!((read_to(0), read_to(1)), (Some(5), Some(2)));
        drop(second);
        assert_eq!(read_to(0), None);
    }
}
