use super::follow_bounds::FollowBounds;
use actum_model::{Lane, Offset, Position};
use actum_persistence::store::LanePage;

/// How far a segment may read, where that is not as far as the journal goes.
pub(super) struct ReadBounds {
    /// Of a version that follows the active one: as far as that has come.
    pub(super) follows: Option<FollowBounds>,
    /// Of one that is brought level with others: exactly so far, and then it ends.
    pub(super) until: Option<Offset>,
}

impl ReadBounds {
    /// Where a journal ends that ends at `heads`, as far as the segment may read; none if it may read all.
    pub(super) fn of_heads(&mut self, heads: &Offset) -> Option<Offset> {
        let followed = self.follows.as_mut().map(|follows| follows.of_heads(heads));
        match (followed, &self.until) {
            (Some(followed), Some(until)) => Some(first(&followed, until)),
            (None, Some(until)) => Some(first(heads, until)),
            (followed, None) => followed,
        }
    }

    /// Up to where it may read a lane; none if it may read all.
    pub(super) fn position(&self, lane: Lane) -> Option<Position> {
        let followed = self.follows.as_ref().map(|follows| follows.position(lane));
        let until = self.until.as_ref().map(|until| until.position(lane));
        followed.into_iter().chain(until).min()
    }

    /// Leaves of a page what it may read.
    pub(super) fn cut(&self, lane: Lane, page: &mut LanePage) {
        let Some(end) = self.position(lane) else { return };
        page.events.retain(|event| event.event.position <= end);
        page.read_to = page.read_to.min(end);
    }

    /// Whether it has come to where it is to end, if it is to.
    pub(super) fn is_reached(&self, offset: &Offset) -> bool {
        self.until.as_ref().is_some_and(|until| first(offset, until) == *until)
    }

    /// Waits until it may read further.
    pub(super) async fn changed(&mut self) {
        match &mut self.follows {
            Some(follows) => follows.changed().await,
            None => std::future::pending().await,
        }
    }
}

/// In each lane the position that comes first.
fn first(one: &Offset, other: &Offset) -> Offset {
    let places = one.positions().iter().zip(other.positions());
    Offset::of_positions(places.map(|(one, other)| *one.min(other)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(positions: [u64; 2]) -> Offset {
        Offset::of_positions(positions.map(Position::new))
    }

    #[test]
    fn one_that_is_brought_level_reads_up_to_there_and_no_further() {
        let mut bounds = ReadBounds { follows: None, until: Some(offset([5, 7])) };
        assert_eq!(bounds.of_heads(&offset([9, 6])), Some(offset([5, 6])));
        assert_eq!(bounds.position(Lane::new(1)), Some(Position::new(7)));
        for (at, is_reached) in [([5, 7], true), ([4, 7], false), ([6, 6], false), ([6, 7], true)] {
            assert_eq!(bounds.is_reached(&offset(at)), is_reached, "{at:?}");
        }
        let mut page = LanePage::new(Vec::new(), Position::new(6));
        bounds.cut(Lane::new(0), &mut page);
        assert_eq!(page.read_to, Position::new(5));
    }

    #[test]
    fn one_without_bounds_reads_all_and_does_not_end() {
        let mut bounds = ReadBounds { follows: None, until: None };
        assert_eq!(bounds.of_heads(&offset([9, 6])), None);
        assert_eq!(bounds.position(Lane::new(1)), None);
        assert!(!bounds.is_reached(&offset([9, 6])));
    }
}
