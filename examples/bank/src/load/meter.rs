use hdrhistogram::Histogram;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// How many surprises are shown in words.
const SURPRISES_SHOWN: usize = 10;

/// What all clients count while they drive.
#[derive(Default)]
pub(super) struct Meter {
    answered: AtomicU64,
    attempts_failed: AtomicU64,
    in_flight: AtomicU64,
    accounts: AtomicU64,
    last_failure: Mutex<Option<String>>,
}

/// What the meter shows at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    /// Requests that were answered for good.
    pub(super) answered: u64,
    /// Attempts that had to be made again.
    pub(super) attempts_failed: u64,
    /// Requests that wait for an answer.
    pub(super) in_flight: u64,
}

/// The outcomes of the requests of a client.
pub(super) struct Tally {
    pub(super) deposits: u64,
    pub(super) withdrawals: u64,
    pub(super) refused: u64,
    pub(super) looks: u64,
    /// Orders that were sent again, on purpose, after they had been acknowledged.
    pub(super) repeated: u64,
    /// Answers that cannot be right; the first of them in words.
    pub(super) surprises: u64,
    pub(super) first_surprises: Vec<String>,
    /// From the first attempt to the answer, in microseconds.
    pub(super) latencies: Histogram<u64>,
}

impl Meter {
    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an account that was opened, or checked.
    pub(super) fn account_done(&self) {
        self.accounts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn accounts(&self) -> u64 {
        self.accounts.load(Ordering::Relaxed)
    }

    /// Counts accounts from zero again.
    pub(super) fn restart_accounts(&self) {
        self.accounts.store(0, Ordering::Relaxed);
    }

    pub(super) fn attempt_failed(&self, why: &str) {
        self.attempts_failed.fetch_add(1, Ordering::Relaxed);
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
    }

    pub(super) fn read(&self) -> Reading {
        Reading {
            answered: self.answered.load(Ordering::Relaxed),
            attempts_failed: self.attempts_failed.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
        }
    }

    /// Why an attempt failed last, once.
    pub(super) fn take_failure(&self) -> Option<String> {
        self.last_failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            deposits: 0,
            withdrawals: 0,
            refused: 0,
            looks: 0,
            repeated: 0,
            surprises: 0,
            first_surprises: Vec::new(),
            latencies: Histogram::new(3).expect("3 digits are between 0 and 5"),
        }
    }

    /// Counts an answer that cannot be right.
    pub(super) fn surprise(&mut self, what: String) {
        self.surprises += 1;
        if self.first_surprises.len() < SURPRISES_SHOWN {
            self.first_surprises.push(what);
        }
    }

    /// Adds what another client has counted.
    pub(super) fn add(&mut self, other: Self) {
        self.deposits += other.deposits;
        self.withdrawals += other.withdrawals;
        self.refused += other.refused;
        self.looks += other.looks;
        self.repeated += other.repeated;
        self.surprises += other.surprises;
        self.first_surprises.extend(other.first_surprises);
        self.first_surprises.truncate(SURPRISES_SHOWN);
        self.latencies.add(other.latencies).expect("a histogram that resizes takes any value");
    }
}
