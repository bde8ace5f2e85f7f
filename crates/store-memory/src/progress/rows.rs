use super::{row_table::RowTable, target_data::TargetData};
use parking_lot::Mutex;
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Rows by key, as one transaction of a [`MemoryTarget`](crate::MemoryTarget) sees and writes them: for tests and examples.
///
/// It sees what it has written itself, and for the rest what is committed at the moment. What it writes is seen by others
/// once it is committed. If another transaction has committed a change of something this one has read or written, the
/// commit is refused with [`StoreError::Unavailable`](actum_persistence::store::StoreError::Unavailable): nothing is kept,
/// and doing the same again is safe. So no update is lost, and transactions that commit could as well have run one after
/// the other.
pub struct MemoryRows {
    data: Arc<Mutex<TargetData>>,
    written: BTreeMap<String, Option<Vec<u8>>>,
    /// Which commit had written each row when it was touched first; none if there was no row.
    touched: BTreeMap<String, Option<u64>>,
    /// How many rows there were of each prefix when they were listed first.
    listed: BTreeMap<String, usize>,
}

impl MemoryRows {
    pub(super) fn new(data: Arc<Mutex<TargetData>>) -> Self {
        Self { data, written: BTreeMap::new(), touched: BTreeMap::new(), listed: BTreeMap::new() }
    }

    /// The row of `key`.
    pub fn get(&mut self, key: &str) -> Option<Vec<u8>> {
        if let Some(written) = self.written.get(key) {
            return written.clone();
        }
        self.touch(key);
        self.data.lock().rows.get(key).map(<[u8]>::to_vec)
    }

    /// Writes the row of `key`.
    pub fn insert(&mut self, key: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        let key = key.into();
        self.touch(&key);
        self.written.insert(key, Some(bytes.into()));
    }

    /// Removes the row of `key`, if there is one.
    pub fn remove(&mut self, key: &str) {
        self.touch(key);
        self.written.insert(key.to_owned(), None);
    }

    /// The rows whose keys begin with `prefix`, in the order of the bytes of the keys.
    pub fn iter(&mut self, prefix: &str) -> impl Iterator<Item = (String, Vec<u8>)> + use<> {
        let data = Arc::clone(&self.data);
        let data = data.lock();
        let committed = data.rows.iter(prefix);
        let mut rows: BTreeMap<_, _> =
            committed.map(|(key, bytes)| (key.to_owned(), bytes.to_vec())).collect();
        self.listed.entry(prefix.to_owned()).or_insert(rows.len());
        for key in rows.keys() {
            let commit = data.rows.commit_of(key);
            self.touched.entry(key.clone()).or_insert(commit);
        }
        for (key, bytes) in self.written.iter().filter(|(key, _)| key.starts_with(prefix)) {
            match bytes {
                Some(bytes) => drop(rows.insert(key.clone(), bytes.clone())),
                None => drop(rows.remove(key)),
            }
        }
        rows.into_iter()
    }

    /// How many rows there are.
    pub fn len(&mut self) -> usize {
        self.iter("").count()
    }

    /// Whether there is no row.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// Whether all that was read and written is as it was then.
    pub(super) fn is_current(&self, rows: &RowTable) -> bool {
        self.touched.iter().all(|(key, commit)| rows.commit_of(key) == *commit)
            && self.listed.iter().all(|(prefix, count)| rows.iter(prefix).count() == *count)
    }

    pub(super) fn into_written(self) -> BTreeMap<String, Option<Vec<u8>>> {
        self.written
    }

    fn touch(&mut self, key: &str) {
        if !self.touched.contains_key(key) {
            let commit = self.data.lock().rows.commit_of(key);
            self.touched.insert(key.to_owned(), commit);
        }
    }
}

impl fmt::Debug for MemoryRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written: Vec<_> = self.written.keys().collect();
        f.debug_struct("MemoryRows").field("written", &written).finish_non_exhaustive()
    }
}
