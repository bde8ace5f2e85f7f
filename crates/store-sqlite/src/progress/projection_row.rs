//! What statements about a projection and their rows have in common.

use crate::{row::Row, session::Statement};
use actum_model::{EntityKey, Lane, Partition};
use actum_persistence::{
    progress::{Epoch, ProjectionId, ReadProgress, Segment, StoredSegment},
    store::{StoreError, StoredRow, integer},
};
use std::{fmt::Display, sync::Arc};

/// The columns that [`stored_segment`] reads.
macro_rules! segment_columns {
    () => {
        "first_partition, last_partition, progress, epoch, owner, handled, saved_at, stopped"
    };
}
pub(super) use segment_columns;

/// A statement about a projection: its name is the first argument, its version the second.
pub(super) fn about<'q>(sql: &'static str, projection: &'q ProjectionId) -> Statement<'q> {
    sqlx::query(sql).bind(projection.name()).bind(i64::from(projection.version().get()))
}

/// As [`about`], of a segment: its partitions are the third and the fourth argument.
pub(super) fn about_segment<'q>(
    sql: &'static str,
    projection: &'q ProjectionId,
    segment: Segment,
) -> Statement<'q> {
    about(sql, projection).bind(segment.first().nr()).bind(segment.last().nr())
}

/// As [`about_segment`], in an epoch, which is the fifth argument.
pub(super) fn about_epoch<'q>(
    sql: &'static str,
    projection: &'q ProjectionId,
    segment: Segment,
    epoch: Epoch,
) -> Statement<'q> {
    about_segment(sql, projection, segment).bind(integer::bound(epoch.get()))
}

/// A count as it is stored.
pub(super) fn stored(count: u64, what: impl Display) -> Result<i64, StoreError> {
    let too_large = || StoreError::invalid(format!("{what} {count} is larger than SQLite takes"));
    integer::stored(count).ok_or_else(too_large)
}

/// The partitions of a segment, in two columns.
pub(super) fn segment(row: &Row, index: usize) -> Result<Segment, sqlx::Error> {
    let (first, last) = (partition(row, index)?, partition(row, index + 1)?);
    Segment::new(first, last)
        .ok_or_else(|| Row::damaged(index, "the partitions are the wrong way round"))
}

/// A segment, in the columns of [`segment_columns`], which begin with the column `at`.
pub(super) fn stored_segment(row: &Row, at: usize) -> Result<StoredSegment, sqlx::Error> {
    let mut stored = StoredSegment::new(segment(row, at)?, progress(row, at + 2)?);
    stored.epoch = Epoch::new(row.count(at + 3)?);
    stored.owner = row.optional_text(at + 4)?.map(Arc::from);
    stored.handled = row.count(at + 5)?;
    stored.saved_at = row.timestamp(at + 6)?;
    stored.stopped = row.optional_text(at + 7)?.map(Arc::from);
    Ok(stored)
}

pub(super) fn progress(row: &Row, index: usize) -> Result<ReadProgress, sqlx::Error> {
    row.text(index)?.parse().map_err(|what: String| Row::damaged(index, what))
}

pub(super) fn partition(row: &Row, index: usize) -> Result<Partition, sqlx::Error> {
    small(row, index).map(Partition::new)
}

pub(super) fn lane(row: &Row, index: usize) -> Result<Lane, sqlx::Error> {
    small(row, index).map(Lane::new)
}

/// A kind and an id, in two columns.
pub(super) fn entity(row: &Row, index: usize) -> Result<EntityKey, sqlx::Error> {
    let key = EntityKey::new(row.text(index)?, row.text(index + 1)?);
    key.map_err(|error| Row::damaged(index, error.to_string()))
}

/// A number that its type bounds.
pub(super) fn small<T: TryFrom<i64>>(row: &Row, index: usize) -> Result<T, sqlx::Error> {
    let number = row.number(index)?;
    let damaged = |_| Row::damaged(index, format!("{number} is out of bounds"));
    T::try_from(number).map_err(damaged)
}
