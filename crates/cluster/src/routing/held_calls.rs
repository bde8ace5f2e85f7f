use super::routed_call::RoutedCall;
use actum_model::Partition;
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::atomic::{AtomicUsize, Ordering},
};

/// Commands whose owner is not known, or cannot be reached at the moment, in the order they came. They count against the
/// engine's bound on commands, so there are no more than that.
#[derive(Debug, Default)]
pub(super) struct HeldCalls {
    calls: Mutex<BTreeMap<Partition, VecDeque<RoutedCall>>>,
    count: AtomicUsize,
}

impl HeldCalls {
    /// How many there are. Takes no lock.
    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Holds a command behind those of its partition that are held if there are any; else gives it back.
    pub(super) fn hold_behind(&self, call: RoutedCall) -> Option<RoutedCall> {
        if self.len() == 0 {
            return Some(call);
        }
        match self.calls.lock().get_mut(&call.command.partition()) {
            Some(waiting) => {
                waiting.push_back(call);
                self.count.fetch_add(1, Ordering::AcqRel);
                None
            }
            None => Some(call),
        }
    }

    /// Holds a command.
    pub(super) fn hold(&self, call: RoutedCall) {
        let mut calls = self.calls.lock();
        calls.entry(call.command.partition()).or_default().push_back(call);
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    /// Holds a command that was sent before those that are held.
    pub(super) fn hold_again(&self, call: RoutedCall) {
        let mut calls = self.calls.lock();
        let waiting = calls.entry(call.command.partition()).or_default();
        let at = waiting.partition_point(|other| other.nr < call.nr);
        waiting.insert(at, call);
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    /// The partitions for which commands are held.
    pub(super) fn partitions(&self) -> Vec<Partition> {
        if self.len() == 0 { Vec::new() } else { self.calls.lock().keys().copied().collect() }
    }

    /// Takes what is held for a partition.
    pub(super) fn take(&self, partition: Partition) -> VecDeque<RoutedCall> {
        let taken = self.calls.lock().remove(&partition).unwrap_or_default();
        self.count.fetch_sub(taken.len(), Ordering::AcqRel);
        taken
    }

    /// Takes those whose callers have stopped waiting.
    pub(super) fn take_late(&self) -> Vec<RoutedCall> {
        if self.len() == 0 {
            return Vec::new();
        }
        let (mut late, mut calls) = (Vec::new(), self.calls.lock());
        calls.retain(|_, waiting| {
            for call in std::mem::take(waiting) {
                if call.is_late() { late.push(call) } else { waiting.push_back(call) }
            }
            !waiting.is_empty()
        });
        self.count.fetch_sub(late.len(), Ordering::AcqRel);
        late
    }

    /// Takes all.
    pub(super) fn take_all(&self) -> Vec<RoutedCall> {
        let all = std::mem::take(&mut *self.calls.lock());
        let all: Vec<_> = all.into_values().flatten().collect();
        self.count.fetch_sub(all.len(), Ordering::AcqRel);
        all
    }
}
