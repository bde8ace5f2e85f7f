use crate::client::Action;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};

/// What was acknowledged, account by account.
pub(super) struct Books {
    pages: Box<[Page]>,
}

/// What is known of one account.
pub(super) struct Page {
    /// The id of the account.
    pub(super) account: String,
    entries: Mutex<Entries>,
    /// Orders that were sent more than once and are not settled.
    unsure: AtomicU32,
}

/// What an account must show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entries {
    /// Money in less money out.
    pub(super) balance: i128,
    /// Changes.
    pub(super) changes: u64,
    /// Orders whose outcome was never known.
    pub(super) unknown: u64,
}

/// How often to look for an account without an order that is not settled.
const LOOKS: usize = 8;

impl Books {
    pub(super) fn new(run: &str, accounts: u32) -> Self {
        let page = |nr: u32| Page {
            account: format!("{run}-{nr}"),
            entries: Mutex::default(),
            unsure: AtomicU32::new(0),
        };
        Self { pages: (0..accounts).map(page).collect() }
    }

    pub(super) fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// Any account, rather one where everything is settled: the bank remembers so many keys of an account, and a
    /// retry must not be overtaken by that many new orders.
    pub(super) fn pick(&self, random: &mut fastrand::Rng) -> &Page {
        let mut pick = || &self.pages[random.usize(..self.pages.len())];
        let mut page = pick();
        for _ in 0..LOOKS {
            if page.unsure.load(Ordering::Relaxed) == 0 {
                break;
            }
            page = pick();
        }
        page
    }
}

impl Page {
    /// Enters a change that was acknowledged.
    pub(super) fn enter(&self, action: &Action) {
        let moved = match action {
            Action::Open(_) => 0,
            Action::Deposit(amount) => i128::from(amount.minor_units()),
            Action::Withdraw(amount) => -i128::from(amount.minor_units()),
        };
        self.change(|entries| {
            entries.balance += moved;
            entries.changes += 1;
        });
    }

    /// Enters that no one will ever know about an order.
    pub(super) fn enter_unknown(&self) {
        self.change(|entries| entries.unknown += 1);
    }

    pub(super) fn entries(&self) -> Entries {
        *self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the account while one of its orders is not settled.
    pub(super) fn is_unsure(&self) -> Unsure<'_> {
        self.unsure.fetch_add(1, Ordering::Relaxed);
        Unsure(&self.unsure)
    }

    fn change(&self, change: impl FnOnce(&mut Entries)) {
        // a client that panicked in between cannot have left half an entry
        change(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// An order that is not settled, as long as it lives.
pub(super) struct Unsure<'a>(&'a AtomicU32);

impl Drop for Unsure<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
