use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

/// How many bytes of remembered command ids an engine holds, and how many it may hold.
///
/// Entities count what they hold by themselves, whenever it grows or shrinks in memory, which is rare.
#[derive(Debug)]
pub struct IdBudget {
    bytes: AtomicUsize,
    bytes_max: usize,
    forgotten_early: AtomicUsize,
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

    /// Counts ids that were forgotten before their age, and warns of them now and then.
    pub fn forgot_early(&self, ids: usize, reason: ForgottenFor, uptime: u32) {
        let count = self.forgotten_early.fetch_add(ids, Relaxed) + ids;
        let due = self.next_warning.load(Relaxed);
        let next = uptime.saturating_add(WARNING_INTERVAL);
        if uptime < due || self.next_warning.compare_exchange(due, next, Relaxed, Relaxed).is_err()
        {
            return;
        }
        let ids = count.saturating_sub(self.warned.swap(count, Relaxed));
        let setting = reason.setting();
        tracing::warn!(
            ids,
            setting,
            "command ids forgotten before their age, their commands would be applied again"
        );
    }

    /// How many ids were forgotten before their age since the start.
    pub fn forgotten_early(&self) -> usize {
        self.forgotten_early.load(Relaxed)
    }
}
