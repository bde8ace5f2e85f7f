use super::StoreError;
use actum_model::{LaneCount, Offset, PartitionCount, Position};

/// How a journal is divided; fixed when it is created. Exhaustive on purpose: every journal stores these two numbers,
/// and with a third it would be in another format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalLayout {
    /// The number of partitions, 256 by default.
    pub partitions: PartitionCount,
    /// The number of lanes, 1 by default.
    pub lanes: LaneCount,
}

impl JournalLayout {
    /// The offset behind these heads, one of each lane, in their order.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when they are not as many as the journal has lanes.
    pub fn offset_of(&self, heads: Vec<Position>) -> Result<Offset, StoreError> {
        if heads.len() != usize::from(self.lanes.get()) {
            return Err(StoreError::corrupt("the journal does not know all of its lanes"));
        }
        Ok(Offset::of_positions(heads))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_has_a_head_for_each_lane() {
        let layout =
            JournalLayout { lanes: LaneCount::new(2).unwrap(), ..JournalLayout::default() };
        let heads = [7, 0, 3].map(Position::new);
        let offset = layout.offset_of(heads[..2].to_vec()).unwrap();
        assert_eq!(offset, Offset::of_positions(heads[..2].to_vec()));
        for heads in [&heads[..1], &heads[..]] {
            let offset = layout.offset_of(heads.to_vec());
            assert!(matches!(offset, Err(StoreError::Corrupt { .. })), "{offset:?}");
        }
    }
}
