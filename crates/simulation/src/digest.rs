//! The digest that stands for the state of an entity: what everything that happened to it is folded into.

use super::{Plan, Wish, fold};

/// The digest of an entity that nothing has happened to.
pub(crate) fn initial_digest(id: u64) -> u64 {
    fold(0, id)
}

/// The digests after each of the changes of command `nr`, which finds the digest `seen`.
pub(crate) fn digests(id: u64, seen: u64, nr: u32, plan: &Plan, by_state: bool) -> Vec<u64> {
    let count = match plan.wish {
        Wish::Look | Wish::Reject | Wish::Write(0) => 0,
        Wish::Delete if by_state => return vec![initial_digest(id)],
        Wish::Delete => 1,
        Wish::Write(_) if by_state => 1,
        Wish::Write(count) => u64::from(count),
    };
    let folds = (0..count).scan(seen, |digest, index| {
        *digest = fold(*digest, word(nr, index));
        Some(*digest)
    });
    folds.collect()
}

/// What change `index` of command `nr` folds into the digest.
pub(crate) fn word(nr: u32, index: u64) -> u64 {
    u64::from(nr) << 8 | index
}
