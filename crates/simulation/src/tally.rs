use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Counts the jobs of a process by what they see themselves: what the process counts must agree.
#[derive(Default)]
pub(crate) struct Tally {
    /// Commands that were admitted and are neither answered nor dropped.
    held: AtomicUsize,
    /// How often a handler was called.
    handled: AtomicUsize,
    /// How many were answered.
    answered: AtomicUsize,
    /// How many of those by others than their partition.
    outside: AtomicUsize,
}

impl Tally {
    pub(crate) fn came(&self) {
        self.held.fetch_add(1, Relaxed);
    }

    pub(crate) fn went(&self) {
        self.held.fetch_sub(1, Relaxed);
    }

    pub(crate) fn handled_one(&self) {
        self.handled.fetch_add(1, Relaxed);
    }

    pub(crate) fn answered_one(&self) {
        self.answered.fetch_add(1, Relaxed);
    }

    pub(crate) fn held(&self) -> usize {
        self.held.load(Relaxed)
    }

    pub(crate) fn handled(&self) -> usize {
        self.handled.load(Relaxed)
    }

    /// So many were answered by others than their partition.
    pub(crate) fn answered_outside(&self, commands: usize) {
        self.outside.fetch_add(commands, Relaxed);
    }

    /// How many were answered by their partition.
    pub(crate) fn answered_inside(&self) -> usize {
        self.answered() - self.outside.load(Relaxed)
    }

    pub(crate) fn answered(&self) -> usize {
        self.answered.load(Relaxed)
    }
}
