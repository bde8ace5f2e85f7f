use actum_persistence::panics::log_safely;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed};

/// How many bytes of remembered command ids an engine holds, and how many it may hold.
///
/// Entities count what they hold by themselves, whenever it grows or shrinks in memory, which is rare.
#[derive(Debug)]
pub struct IdBudget {
    bytes: AtomicUsize,
    bytes_max: usize,
    forgotten_early: AtomicUsize,
    /// Why the last of them was.
    for_bytes: AtomicBool,
    /// How many of those were warned of, and when the next warning may come, in seconds of uptime.
    warned: AtomicUsize,
    next_warning: AtomicU32,
}

/// How many seconds lie between two warnings.
const WARNING_INTERVAL: u32 = 60;

/// Which setting lets ids go before their age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgottenFor {
    /// `commands_max` of the entity's command window.
    Commands,
    /// `command_ids_bytes_max` of the engine.
    Bytes,
}

impl ForgottenFor {
    fn setting(self) -> &'static str {
        match self {
            Self::Commands => "commands_max",
            Self::Bytes => "command_ids_bytes_max",
        }
    }
}

impl IdBudget {
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes: AtomicUsize::new(0),
            bytes_max,
            forgotten_early: AtomicUsize::new(0),
            for_bytes: AtomicBool::new(false),
            warned: AtomicUsize::new(0),
            next_warning: AtomicU32::new(0),
        }
    }

    /// Counts that a holder of `before` bytes now holds `after`.
    pub fn resized(&self, before: usize, after: usize) {
        if after > before {
            self.bytes.fetch_add(after - before, Relaxed);
        } else if before > after {
            self.bytes.fetch_sub(before - after, Relaxed);
        }
    }

    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// Whether so little is left that ids are forgotten before their age.
    pub fn is_tight(&self) -> bool {
        self.bytes() > self.bytes_max / 8 * 7
    }

    /// Whether entities must leave memory.
    pub fn is_exceeded(&self) -> bool {
        self.bytes() > self.bytes_max
    }

    /// Counts ids that were forgotten before their age.
    pub fn forgot_early(&self, ids: usize, reason: ForgottenFor) {
        self.for_bytes.store(reason == ForgottenFor::Bytes, Relaxed);
        self.forgotten_early.fetch_add(ids, Relaxed);
    }

    /// Warns of ids that were forgotten early since the last warning, if that was some time ago. The engine has been
    /// running for `uptime` seconds.
    pub fn warn(&self, uptime: u32) {
        let count = self.forgotten_early();
        if count == self.warned.load(Relaxed) {
            return;
        }
        let (due, next) =
            (self.next_warning.load(Relaxed), uptime.saturating_add(WARNING_INTERVAL));
        if uptime < due || self.next_warning.compare_exchange(due, next, Relaxed, Relaxed).is_err()
        {
            return;
        }
        let ids = count.saturating_sub(self.warned.swap(count, Relaxed));
        let reason =
            if self.for_bytes.load(Relaxed) { ForgottenFor::Bytes } else { ForgottenFor::Commands };
        let setting = reason.setting();
        log_safely(|| {
            tracing::warn!(
                ids,
                setting,
                "command ids forgotten before their age, their commands would be applied again"
            );
        });
    }

    /// How many ids were forgotten before their age since the start.
    pub fn forgotten_early(&self) -> usize {
        self.forgotten_early.load(Relaxed)
    }
}
