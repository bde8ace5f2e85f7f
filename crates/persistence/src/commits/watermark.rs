use std::{
    pin::pin,
    sync::atomic::{
        AtomicU64, AtomicUsize,
        Ordering::{Relaxed, SeqCst},
    },
};
use tokio::sync::Notify;

/// A number that grows, and the readers that wait for it to do so.
#[derive(Debug, Default)]
pub(super) struct Watermark {
    number: AtomicU64,
    /// How many wait: while no one does, raising it takes no lock.
    waiting: AtomicUsize,
    raised: Notify,
}

impl Watermark {
    pub(super) fn get(&self) -> u64 {
        self.number.load(SeqCst)
    }

    /// Raises it to `number`, and wakes all who wait; a lower one changes nothing.
    pub(super) fn raise(&self, number: u64) {
        // this and `past` each write one of the two numbers and then read the other: in one total order, so that either
        // the raised number is seen here or the waiting reader there
        if self.number.fetch_max(number, SeqCst) < number && self.waiting.load(SeqCst) > 0 {
            self.raised.notify_waiters();
        }
    }

    /// Sets it back to `number`; a higher one changes nothing. Who waits goes on waiting.
    pub(super) fn lower(&self, number: u64) {
        self.number.fetch_min(number, SeqCst);
    }

    /// Raises it by `count`.
    pub(super) fn add(&self, count: u64) {
        if count > 0 {
            self.number.fetch_add(count, SeqCst);
            if self.waiting.load(SeqCst) > 0 {
                self.raised.notify_waiters();
            }
        }
    }

    /// Waits until it is higher than `seen`, and returns what it is then.
    pub(super) async fn past(&self, seen: u64) -> u64 {
        let _waiting = WaitCount::new(&self.waiting);
        loop {
            let mut raised = pin!(self.raised.notified());
            raised.as_mut().enable();
            let number = self.get();
            if number > seen {
                return number;
            }
            raised.await;
        }
    }
}

/// Counts one that waits, for as long as it does.
struct WaitCount<'a>(&'a AtomicUsize);

impl<'a> WaitCount<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, SeqCst);
        Self(count)
    }
}

impl Drop for WaitCount<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Arc, time::Duration};
    use tokio::time::timeout;

    #[test]
    fn it_regresses_only_when_it_is_set_back() {
        let mark = Watermark::default();
        mark.raise(7);
        mark.raise(3);
        assert_eq!(mark.get(), 7);
        mark.add(0);
        mark.add(2);
        assert_eq!(mark.get(), 9);
        mark.lower(10);
        assert_eq!(mark.get(), 9);
        mark.lower(4);
        assert_eq!(mark.get(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_woken_when_it_is_higher_and_not_before() {
        let mark = Arc::new(Watermark::default());
        mark.raise(5);
        assert_eq!(mark.past(4).await, 5, "it is already");
        let waiting = tokio::spawn({
            let mark = Arc::clone(&mark);
            async move { mark.past(6).await }
        });
        tokio::task::yield_now().await;
        mark.raise(6);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        mark.raise(9);
        assert_eq!(timeout(Duration::from_secs(1), waiting).await.unwrap().unwrap(), 9);
        assert_eq!(mark.waiting.load(SeqCst), 0);
    }

    /// A wake-up that is lost shows as a hang.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_wake_up_is_lost_between_threads() {
        const LAST: u64 = 20_000;
        let mark = Arc::new(Watermark::default());
        let answer = Arc::new(Watermark::default());
        let follower = tokio::spawn({
            let (mark, answer) = (Arc::clone(&mark), Arc::clone(&answer));
            async move {
                let mut seen = 0;
                while seen < LAST {
                    seen = mark.past(seen).await;
                    answer.raise(seen);
                }
            }
        });
        let leader = async {
            for number in 1..=LAST {
                mark.raise(number);
                answer.past(number - 1).await;
            }
        };
        timeout(Duration::from_secs(60), leader).await.expect("a wake-up was lost");
        follower.await.unwrap();
    }
}
