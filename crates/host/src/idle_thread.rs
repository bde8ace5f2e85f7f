use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Thread},
};

/// The sleep of a thread that has nothing to do at times: the watchdog's, while no command waits.
#[derive(Debug, Default)]
pub struct IdleThread {
    asleep: AtomicBool,
    ended: AtomicBool,
    thread: OnceLock<Thread>,
}

impl IdleThread {
    /// Makes the calling thread the one that is meant; only the first call counts.
    pub fn begin(&self) {
        let _ = self.thread.set(thread::current());
    }

    /// Wakes the thread if it sleeps.
    pub fn wake(&self) {
        if self.is_asleep() {
            self.asleep.store(false, Ordering::SeqCst);
            self.unpark();
        }
    }

    /// Sleeps on the thread itself, as long as it is `idle`.
    pub fn sleep(&self, idle: impl Fn() -> bool) {
        self.asleep.store(true, Ordering::SeqCst);
        while idle() && self.is_asleep() && !self.has_ended() {
            thread::park();
        }
        self.asleep.store(false, Ordering::SeqCst);
    }

    /// Ends the thread.
    pub fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.unpark();
    }

    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    pub fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::SeqCst)
    }

    fn unpark(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}
