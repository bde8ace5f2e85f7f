use crate::row::{Row, column};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What a write of an incarnation must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Drawn by lot when the incarnation was claimed; none if this store does not know it.
    ///
    /// After a fail-over to a replica that had not got everything a number may be given out again. Then this shows who
    /// is meant.
    pub(crate) nonce: Option<i64>,
    /// Counts what makes the server refuse what was sent before: that writes of the incarnation were settled, and that what
    /// it owns has changed.
    ///
    /// Settling a write whose outcome is unknown counts on by one, behind every write that has begun. What was sent
    /// before, and is still on its way to the server, comes with the old number and is not carried out any more: only
    /// so "it is not stored" stays true. A change of what the incarnation owns counts on in the same way, by a number drawn
    /// by lot: no count that a fail-over has lost comes again.
    pub(crate) settled: i64,
}

impl Token {
    /// The token in the first two columns of a row.
    pub(crate) fn of_row(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self { nonce: column(row, 0)?, settled: column(row, 1)? })
    }
}

/// The tokens of the incarnations that write through a store: a handful, as many as were claimed through it. Only the
/// server's look at them is a fence; what is kept here saves asking.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<HashMap<i64, Token>>);

impl Tokens {
    /// The token of an incarnation, as far as this store knows; one that no server takes if it does not.
    pub(crate) fn of(&self, incarnation: i64) -> Token {
        self.map().get(&incarnation).copied().unwrap_or(Token { nonce: None, settled: -1 })
    }

    /// Takes note of a token that the server has returned. It may be an older one than is known, because answers
    /// overtake each other or the server has regressed; then the next write is corrected.
    pub(crate) fn learn(&self, incarnation: i64, token: Token) {
        self.map().insert(incarnation, token);
    }

    fn map(&self) -> MutexGuard<'_, HashMap<i64, Token>> {
        // nothing panics while the map is held
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_last_counts() {
        let (tokens, token) = (Tokens::default(), |settled| Token { nonce: Some(5), settled });
        assert_eq!(tokens.of(7), Token { nonce: None, settled: -1 });
        tokens.learn(7, token(3));
        tokens.learn(7, token(2)); // it has regressed: a writer that keeps the old one is fenced for ever
        assert_eq!(tokens.of(7), token(2));
    }
}
