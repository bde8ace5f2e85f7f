use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::rule::Rule;

/// What the two sides of a connection know of each other beside what travels between them.
#[derive(Debug, Default)]
pub(super) struct Fate {
    rules: Mutex<Vec<Rule>>,
    server_is_spared: AtomicBool,
}

impl Fate {
    /// A rule matched here: it settles with this connection.
    pub(super) fn matched(&self, rule: &Rule) {
        self.rules.lock().push(rule.clone());
    }

    /// From now on the server's side outlives the client's, and a cut of all connections does not reach it.
    pub(super) fn spare_server(&self) {
        self.server_is_spared.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_server_spared(&self) -> bool {
        self.server_is_spared.load(Ordering::Relaxed)
    }

    /// The connection to the server is over.
    pub(super) fn settle(&self) {
        self.rules.lock().iter().for_each(Rule::settle);
    }
}
