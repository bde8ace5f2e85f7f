//! Counts, as databases keep them: signed integers of 64 bits. No count that is stored is past
//! [`NUMBER_MAX`](super::bounds::NUMBER_MAX).

use super::{Incarnation, StoreError};

/// A count as it is stored; none for one that cannot be.
#[must_use]
pub fn stored(count: u64) -> Option<i64> {
    i64::try_from(count).ok()
}

/// A count as a bound of a query: the highest that is stored for one that cannot be.
#[must_use]
pub fn bound(count: u64) -> i64 {
    stored(count).unwrap_or(i64::MAX)
}

/// An incarnation as it is stored.
///
/// # Errors
/// [`StoreError::Fenced`] for one that no claim can have been given.
pub fn incarnation(incarnation: Incarnation) -> Result<i64, StoreError> {
    stored(incarnation.get()).ok_or(StoreError::Fenced { incarnation })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::bounds::NUMBER_MAX;

    #[test]
    fn what_cannot_be_stored_bounds_everything_that_is_and_no_writer_has_it() {
        assert_eq!((stored(NUMBER_MAX), bound(NUMBER_MAX)), (Some(i64::MAX), i64::MAX));
        assert_eq!((stored(7), bound(7)), (Some(7), 7));
        for count in [NUMBER_MAX + 1, u64::MAX] {
            assert_eq!((stored(count), bound(count)), (None, i64::MAX));
            let fenced = incarnation(Incarnation::new(count));
            assert!(
                matches!(fenced, Err(StoreError::Fenced { incarnation }) if incarnation.get() == count)
            );
        }
        assert_eq!(incarnation(Incarnation::new(3)).unwrap(), 3);
    }
}
