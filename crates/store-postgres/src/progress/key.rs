use crate::{row::Row, session::Statement};
use actum_model::Partition;
use actum_persistence::{
    progress::{Epoch, ProjectionId, Segment},
    store::{StoredRow, integer},
};

/// Binds the arguments that most statements begin with: `$1` and `$2` are the projection's name and version.
pub(super) fn of_projection<'q>(
    statement: Statement<'q>,
    projection: &'q ProjectionId,
) -> Statement<'q> {
    statement.bind(projection.name()).bind(version(projection))
}

/// A version as it is stored.
pub(super) fn version(projection: &ProjectionId) -> i64 {
    i64::from(projection.version().get())
}

/// As [`of_projection`], and `$3` and `$4` are the first and the last partition.
pub(super) fn of_segment<'q>(
    statement: Statement<'q>,
    projection: &'q ProjectionId,
    segment: Segment,
) -> Statement<'q> {
    let (first, last) = (segment.first().nr(), segment.last().nr());
    of_projection(statement, projection).bind(i32::from(first)).bind(i32::from(last))
}

/// A text that PostgreSQL takes, whatever an error said: it knows no NUL.
pub(super) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// An epoch as an argument: none that is stored equals one that cannot be.
pub(super) fn epoch(epoch: Epoch) -> i64 {
    integer::bound(epoch.get())
}

/// The partition in the column `index`.
pub(super) fn partition(row: &Row, index: usize) -> Result<Partition, sqlx::Error> {
    let nr = row.number(index)?;
    let nr = u16::try_from(nr).map_err(|_| Row::damaged(index, format!("{nr} is not a partition")));
    nr.map(Partition::new)
}

/// The segment in the column `index` and the next.
pub(super) fn segment(row: &Row, index: usize) -> Result<Segment, sqlx::Error> {
    let segment = Segment::new(partition(row, index)?, partition(row, index + 1)?);
    segment.ok_or_else(|| Row::damaged(index, "the partitions are the wrong way round"))
}
