use super::Journal;
use crate::Dice;
use actum_model::Lane;
use actum_persistence::{
    group_commit::GroupWrite,
    store::{Incarnation, Resolution, StoreError},
};

/// A transaction on its way to the journal.
#[derive(Clone, Debug)]
pub(crate) struct Batch<W> {
    pub(crate) incarnation: Incarnation,
    pub(crate) lane: Lane,
    pub(crate) writes: Vec<W>,
    /// For each write of a durable state, what it holds: the commands and the digests after them.
    pub(crate) changes: Vec<Vec<(u32, u64)>>,
}

/// Who knows what a write of a durable state holds.
pub(crate) trait HeldBy {
    /// The commands of `entity` from the revision behind the first of `span` up to the second, and the digests after them;
    /// the last one is `digest`, where the write says it.
    fn held(&self, entity: u32, span: (u64, u64), digest: Option<u64>) -> Vec<(u32, u64)>;
}

/// A write that the journal carries out.
pub(crate) trait Written: GroupWrite + Clone {
    /// Carries a batch out, in one transaction.
    fn execute(
        journal: &mut Journal,
        batch: &Batch<Self>,
    ) -> Result<Vec<Self::Outcome>, StoreError>;

    /// Returns the outcome of a batch that was carried out or not, but will not be any more.
    fn find(journal: &Journal, batch: &Batch<Self>) -> Vec<Resolution<Self::Outcome>>;

    /// The transactions that no process waits for.
    fn late(journal: &mut Journal) -> &mut Vec<Batch<Self>>;

    /// The commands a write of a durable state holds, and the digests after them.
    fn held(&self, by: &dyn HeldBy) -> Vec<(u32, u64)>;

    /// The number that no other write of the incarnation has.
    fn first_nr(&self) -> u64;

    /// Waits until a batch can no longer commit, then returns its outcome.
    fn resolve(
        journal: &mut Journal,
        batch: &Batch<Self>,
        dice: &mut Dice,
    ) -> Vec<Resolution<Self::Outcome>> {
        let (first, incarnation) = (batch.writes[0].first_nr(), batch.incarnation);
        let is_this = |late: &Batch<Self>| {
            late.incarnation == incarnation && late.writes[0].first_nr() == first
        };
        if let Some(at) = Self::late(journal).iter().position(is_this) {
            let late = Self::late(journal).swap_remove(at);
            if dice.chance(500) {
                let _ = Self::execute(journal, &late);
            }
        }
        Self::find(journal, batch)
    }
}
