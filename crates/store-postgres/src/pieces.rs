//! Batches that are too large for one statement.
//!
//! What a statement may take is limited by time-outs, and its arguments by the server's memory; a batch is only limited
//! by what every store takes. So a large one is sent as several statements of one transaction.

use actum_persistence::store::{AppendBatch, EntityAppend, NewEvent, Snapshot};

/// How many events or other rows one statement writes: few enough for a slow server and a short time-out.
pub(crate) const ROWS_MAX: usize = 4_000;
/// How many bytes it writes; a single row with more goes alone.
pub(crate) const BYTES_MAX: usize = 4 << 20;

/// What still fits into a statement.
pub(crate) struct Room {
    rows: usize,
    bytes: usize,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self { rows: ROWS_MAX, bytes: BYTES_MAX }
    }

    /// Takes the room for this many rows of this size. Those that come first have it whatever their size; where they need
    /// more than there is, nothing fits beside them.
    pub(crate) fn take(&mut self, rows: usize, bytes: usize) -> bool {
        let first = self.rows == ROWS_MAX;
        let fits = rows <= self.rows && bytes <= self.bytes;
        if fits {
            self.rows -= rows;
            self.bytes -= bytes;
        } else if first {
            self.rows = 0;
        }
        fits || first
    }
}

/// Whether one statement is enough for a batch.
pub(crate) fn is_one(batch: &AppendBatch) -> bool {
    let events = batch.events();
    let bytes: usize = batch.appends.iter().map(EntityAppend::bytes).sum();
    events <= ROWS_MAX && (bytes <= BYTES_MAX || events == 1)
}

/// A part of a batch that goes with one statement.
pub(crate) struct Piece {
    pub(crate) batch: AppendBatch,
    /// The appends of the whole batch that it has a part of, by their places.
    pub(crate) of: Vec<usize>,
}

/// Divides a batch in its order, appends too.
pub(crate) struct Pieces<'a> {
    batch: &'a AppendBatch,
    /// What comes next: the place of an append, and that of an event in it.
    append: usize,
    event: usize,
}

impl<'a> Pieces<'a> {
    pub(crate) fn of(batch: &'a AppendBatch) -> Self {
        Self { batch, append: 0, event: 0 }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let AppendBatch { lane, incarnation, .. } = *self.batch;
        let mut piece =
            Piece { batch: AppendBatch { lane, incarnation, appends: Vec::new() }, of: Vec::new() };
        let mut room = Room::new();
        while let Some(append) = self.batch.appends.get(self.append) {
            let left = &append.events[self.event..];
            let fits = |event: &&NewEvent| room.take(1, event.bytes());
            let count = left.iter().take_while(fits).count();
            if count == 0 {
                break;
            }
            piece.of.push(self.append);
            piece.batch.appends.push(part(append, self.event, count));
            if count < left.len() {
                self.event += count;
                break;
            }
            (self.append, self.event) = (self.append + 1, 0);
        }
        (!piece.of.is_empty()).then_some(piece)
    }
}

/// `count` events of an append, from the one at `first`.
fn part(append: &EntityAppend, first: usize, count: usize) -> EntityAppend {
    EntityAppend {
        entity: append.entity.clone(),
        partition: append.partition,
        owned_as: append.owned_as.clone(),
        expected: append.expected.plus(first as u64),
        first_event_nr: append.first_event_nr + first as u64,
        events: append.events[first..first + count].to_vec(),
    }
}

/// Divides snapshots in their order.
pub(crate) fn of_snapshots<'a, 'b>(
    snapshots: &'b [&'a Snapshot],
) -> impl Iterator<Item = &'b [&'a Snapshot]> {
    runs(snapshots, |snapshot| (1, snapshot.bytes()))
}

/// Divides something in its order; `size` says how many rows and bytes each takes.
pub(crate) fn runs<T>(
    mut all: &[T],
    size: impl Fn(&T) -> (usize, usize),
) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let mut room = Room::new();
        let fits = |one: &&T| {
            let (rows, bytes) = size(one);
            room.take(rows, bytes)
        };
        let count = all.iter().take_while(fits).count();
        let (run, left) = all.split_at(count);
        all = left;
        (count > 0).then_some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::{EntityKey, Lane, Partition, SequenceNr, StoredPayload, Timestamp};
    use actum_persistence::store::Incarnation;
    use bytes::Bytes;

    fn append(nr: usize, sizes: &[usize]) -> EntityAppend {
        let event = |size: &usize| NewEvent {
            timestamp: Timestamp::default(),
            payload: StoredPayload {
                codec: "utf8".into(),
                manifest: "deposited".into(),
                schema_version: 1,
                bytes: Bytes::from(vec![0; *size]),
            },
            metadata: Bytes::new(),
        };
        EntityAppend {
            entity: EntityKey::new("account", nr.to_string()).unwrap(),
            partition: Partition::new(0),
            owned_as: None,
            expected: SequenceNr::new(10),
            first_event_nr: 100,
            events: sizes.iter().map(event).collect(),
        }
    }

    fn batch(appends: Vec<EntityAppend>) -> AppendBatch {
        AppendBatch { lane: Lane::default(), incarnation: Incarnation::new(1), appends }
    }

    /// What each piece has: of which appends, from where, how many events.
    fn pieces(batch: &AppendBatch) -> Vec<Vec<(usize, u64, usize)>> {
        let parts = |piece: Piece| {
            let parts = piece.of.into_iter().zip(piece.batch.appends);
            parts.map(|(nr, part)| {
                assert_eq!(part.first_event_nr - 100, part.expected.get() - 10);
                (nr, part.expected.get() - 10, part.events.len())
            })
        };
        Pieces::of(batch).map(|piece| parts(piece).collect()).collect()
    }

    #[test]
    fn what_fits_is_one_piece() {
        for small in [batch(vec![append(1, &[9; 10]), append(2, &[0])]), batch(vec![])] {
            assert!(is_one(&small));
        }
        let large = batch(vec![append(1, &[BYTES_MAX + 1])]);
        assert!(is_one(&large), "a row is not divided");
        assert_eq!(pieces(&large), [[(0, 0, 1)]]);
    }

    #[test]
    fn a_batch_is_divided_by_rows_and_by_bytes_and_nothing_is_left_out() {
        let rows = batch(vec![
            append(1, &[0; ROWS_MAX - 1]),
            append(2, &[0; 2 * ROWS_MAX]),
            append(3, &[0; 3]),
        ]);
        assert!(!is_one(&rows));
        let first = vec![(0, 0, ROWS_MAX - 1), (1, 0, 1)];
        let last = vec![(1, 1 + ROWS_MAX as u64, ROWS_MAX - 1), (2, 0, 1)];
        assert_eq!(pieces(&rows), [first, vec![(1, 1, ROWS_MAX)], last, vec![(2, 1, 2)]]);

        let half = BYTES_MAX / 2;
        let bytes = batch(vec![append(1, &[half, half, 1]), append(2, &[2 * half, 2 * half + 1])]);
        assert!(!is_one(&bytes));
        let expected = [vec![(0, 0, 2)], vec![(0, 2, 1)], vec![(1, 0, 1)], vec![(1, 1, 1)]];
        assert_eq!(pieces(&bytes), expected);
    }

    #[test]
    fn runs_are_everything_in_order() {
        let rows: Vec<usize> = (0..2 * ROWS_MAX + 5).collect();
        let sizes: Vec<usize> = runs(&rows, |_| (1, 0)).map(<[usize]>::len).collect();
        assert_eq!(sizes, [ROWS_MAX, ROWS_MAX, 5]);
        let found: Vec<usize> = runs(&rows, |_| (1, BYTES_MAX / 3)).flatten().copied().collect();
        assert_eq!(found, rows);
        assert_eq!(runs(&rows[..0], |_| (1, 0)).count(), 0);
    }
}
