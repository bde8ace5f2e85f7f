use parking_lot::Mutex;

use super::rule::{Rule, Then};

/// The longest pattern, in bytes: so much of what a connection sent is remembered to find one across chunks.
pub(super) const PATTERN_BYTES_MAX: usize = 256;

/// The rules that have not matched yet, in the order they were made.
#[derive(Debug, Default)]
pub(super) struct PendingRules(Mutex<Vec<Armed>>);

#[derive(Debug)]
struct Armed {
    pattern: Vec<u8>,
    then: Then,
    rule: Rule,
}

/// What one client has sent lately.
#[derive(Debug, Default)]
pub(super) struct Recent(Vec<u8>);

impl PendingRules {
    pub(super) fn add(&self, pattern: &[u8], then: Then) -> Rule {
        let rule = Rule::new();
        self.0.lock().push(Armed { pattern: pattern.to_vec(), then, rule: rule.clone() });
        rule
    }

    /// Takes the oldest rule whose pattern ends in `chunk`.
    pub(super) fn take(&self, recent: &mut Recent, chunk: &[u8]) -> Option<(Then, Rule)> {
        let before = recent.0.len();
        recent.0.extend_from_slice(chunk);
        let taken = self.take_within(&recent.0, before);
        let forgotten = recent.0.len().saturating_sub(PATTERN_BYTES_MAX - 1);
        recent.0.drain(..forgotten);
        taken
    }

    fn take_within(&self, bytes: &[u8], new_from: usize) -> Option<(Then, Rule)> {
        let mut rules = self.0.lock();
        let at = rules.iter().position(|armed| {
            let length = armed.pattern.len();
            // a match that ends before the new bytes was looked at when they were new
            let from = (new_from + 1).saturating_sub(length);
            bytes[from..].windows(length).any(|window| window == armed.pattern)
        })?;
        let armed = rules.remove(at);
        Some((armed.then, armed.rule))
    }
}
