use actum_model::{Partition, PartitionCount};
use std::{
    ops::{Index, IndexMut},
    slice,
};

/// One value for each partition of a journal, found by its partition.
#[derive(Clone)]
pub(crate) struct PartitionTable<T> {
    count: PartitionCount,
    values: Box<[T]>,
}

impl<T> PartitionTable<T> {
    pub(crate) fn new(count: PartitionCount, value: impl FnMut(Partition) -> T) -> Self {
        Self { count, values: count.iter().map(value).collect() }
    }

    /// How many partitions there are.
    pub(crate) fn count(&self) -> PartitionCount {
        self.count
    }

    /// The value of a partition; `None` when the journal has no such partition.
    pub(crate) fn get(&self, partition: Partition) -> Option<&T> {
        self.values.get(partition.index())
    }

    /// All values, in the order of their partitions.
    pub(crate) fn iter(&self) -> slice::Iter<'_, T> {
        self.values.iter()
    }
}

impl<T> Index<Partition> for PartitionTable<T> {
    type Output = T;

    fn index(&self, partition: Partition) -> &T {
        &self.values[partition.index()]
    }
}

impl<T> IndexMut<Partition> for PartitionTable<T> {
    fn index_mut(&mut self, partition: Partition) -> &mut T {
        &mut self.values[partition.index()]
    }
}

impl<'a, T> IntoIterator for &'a PartitionTable<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
