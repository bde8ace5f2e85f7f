use std::{
    collections::BTreeMap,
    ops::Bound::{Included, Unbounded},
};

/// What was committed, in the order of the bytes of the keys.
#[derive(Default)]
pub(crate) struct RowTable {
    rows: BTreeMap<String, Row>,
    commits: u64,
}

/// A row, and which commit has written it.
struct Row {
    bytes: Vec<u8>,
    commit: u64,
}

impl RowTable {
    pub(super) fn get(&self, key: &str) -> Option<&[u8]> {
        self.rows.get(key).map(|row| &*row.bytes)
    }

    /// Which commit has written the row of `key`; none if there is no row.
    pub(super) fn commit_of(&self, key: &str) -> Option<u64> {
        self.rows.get(key).map(|row| row.commit)
    }

    /// The rows whose keys begin with `prefix`.
    pub(super) fn iter(&self, prefix: &str) -> impl Iterator<Item = (&str, &[u8])> {
        let from = (Included(prefix), Unbounded);
        let rows = self.rows.range::<str, _>(from).map(|(key, row)| (&**key, &*row.bytes));
        rows.take_while(move |(key, _)| key.starts_with(prefix))
    }

    /// Writes rows, and removes those that have become none.
    pub(super) fn write(&mut self, written: BTreeMap<String, Option<Vec<u8>>>) {
        self.commits += 1;
        let commit = self.commits;
        for (key, bytes) in written {
            match bytes {
                Some(bytes) => drop(self.rows.insert(key, Row { bytes, commit })),
                None => drop(self.rows.remove(&key)),
            }
        }
    }
}
