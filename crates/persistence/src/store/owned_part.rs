use super::{AppendBatch, AppendOutcome, StateBatch, StateOutcome};
use actum_model::Partition;
use std::{borrow::Cow, sync::Arc};

/// What of a batch is to be stored: all of it, but for the writes that name a role in which the writer does not own the
/// partition. It is decided by what was read of the owners; that they are still the same is for the store to prove.
#[derive(Clone, Debug)]
pub struct OwnedPart<'a, B: Clone> {
    batch: Cow<'a, B>,
    /// The places of the others in the whole batch, in order.
    left_out: Vec<usize>,
}

impl AppendBatch {
    /// Whether an append names a role, so that a store must know what the writer owns.
    #[must_use]
    pub fn names_roles(&self) -> bool {
        self.appends.iter().any(|append| append.owned_as.is_some())
    }

    /// The part of it that is to be stored where `owns` says what the writer owns.
    pub fn owned_part(&self, owns: impl Fn(&Arc<str>, Partition) -> bool) -> OwnedPart<'_, Self> {
        let roles = self.appends.iter().map(|append| (append.owned_as.as_ref(), append.partition));
        OwnedPart::of(self, roles, owns, |batch, left_out| leave_out(&mut batch.appends, left_out))
    }
}

impl StateBatch {
    /// As [`AppendBatch::names_roles`].
    #[must_use]
    pub fn names_roles(&self) -> bool {
        self.writes.iter().any(|write| write.owned_as.is_some())
    }

    /// As [`AppendBatch::owned_part`].
    pub fn owned_part(&self, owns: impl Fn(&Arc<str>, Partition) -> bool) -> OwnedPart<'_, Self> {
        let roles = self.writes.iter().map(|write| (write.owned_as.as_ref(), write.partition));
        OwnedPart::of(self, roles, owns, |batch, left_out| leave_out(&mut batch.writes, left_out))
    }
}

impl<'a, B: Clone> OwnedPart<'a, B> {
    fn of<'r>(
        batch: &'a B,
        roles: impl Iterator<Item = (Option<&'r Arc<str>>, Partition)>,
        owns: impl Fn(&Arc<str>, Partition) -> bool,
        leave_out: impl FnOnce(&mut B, &[usize]),
    ) -> Self {
        let is_owned = |role: Option<&Arc<str>>, at| role.is_none_or(|role| owns(role, at));
        let foreign = roles.enumerate().filter(|(_, (role, at))| !is_owned(*role, *at));
        let left_out: Vec<usize> = foreign.map(|(place, _)| place).collect();
        let mut batch = Cow::Borrowed(batch);
        if !left_out.is_empty() {
            leave_out(batch.to_mut(), &left_out);
        }
        Self { batch, left_out }
    }

    /// What is to be stored; it may be nothing.
    #[must_use]
    pub fn batch(&self) -> &B {
        &self.batch
    }

    fn outcomes<O: Copy>(&self, of_part: Vec<O>, not_owned: O) -> Vec<O> {
        if self.left_out.is_empty() {
            return of_part;
        }
        let count = of_part.len() + self.left_out.len();
        let mut of_part = of_part.into_iter();
        let mut left_out = self.left_out.iter().copied().peekable();
        let outcome = |place| match left_out.next_if_eq(&place) {
            Some(_) => Some(not_owned),
            None => of_part.next(),
        };
        (0..count).filter_map(outcome).collect()
    }
}

impl OwnedPart<'_, AppendBatch> {
    /// The outcomes of the whole batch, from those of this part.
    #[must_use]
    pub fn append_outcomes(&self, of_part: Vec<AppendOutcome>) -> Vec<AppendOutcome> {
        self.outcomes(of_part, AppendOutcome::NotOwned)
    }
}

impl OwnedPart<'_, StateBatch> {
    /// The outcomes of the whole batch, from those of this part.
    #[must_use]
    pub fn state_outcomes(&self, of_part: Vec<StateOutcome>) -> Vec<StateOutcome> {
        self.outcomes(of_part, StateOutcome::NotOwned)
    }
}

/// Removes what is at these places, which are in order.
fn leave_out<W>(writes: &mut Vec<W>, places: &[usize]) {
    let (mut place, mut gone) = (0, places.iter().copied().peekable());
    writes.retain(|_| {
        let stays = gone.next_if_eq(&place).is_none();
        place += 1;
        stays
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{EntityAppend, Incarnation, StateChange, StateWrite};
    use actum_model::{EntityKey, Lane, Position, Revision, SequenceNr, Timestamp};

    /// What is owned as `""` and as `x`.
    fn owns(role: &Arc<str>, partition: Partition) -> bool {
        match &**role {
            "" => partition.nr().is_multiple_of(2),
            "x" => partition.nr() == 1,
            _ => false,
        }
    }

    /// Appends of entities that are named by their places: their roles and partitions.
    fn appends(all: &[(Option<&str>, u16)]) -> AppendBatch {
        let append = |(place, (role, nr)): (usize, &(Option<&str>, u16))| EntityAppend {
            entity: EntityKey::new("account", place.to_string()).unwrap(),
            partition: Partition::new(*nr),
            owned_as: role.map(Arc::from),
            expected: SequenceNr::ZERO,
            first_event_nr: 1,
            events: Vec::new(),
        };
        let appends = all.iter().enumerate().map(append).collect();
        AppendBatch { lane: Lane::default(), incarnation: Incarnation::new(1), appends }
    }

    fn states(all: &[(Option<&str>, u16)]) -> StateBatch {
        let AppendBatch { incarnation, appends, .. } = appends(all);
        let write = |append: EntityAppend| StateWrite {
            entity: append.entity,
            partition: append.partition,
            owned_as: append.owned_as,
            expected: Revision::ZERO,
            revision: Revision::new(1),
            write_nr: 1,
            timestamp: Timestamp::default(),
            change: StateChange::Delete,
            commands: Vec::new(),
            forget_to: Revision::ZERO,
        };
        StateBatch { incarnation, writes: appends.into_iter().map(write).collect() }
    }

    const MIXED: &[(Option<&str>, u16)] = &[
        (Some(""), 1),
        (Some(""), 2),
        (None, 1),
        (Some("x"), 2),
        (Some("y"), 1),
        (Some("x"), 1),
        (Some(""), 3),
    ];

    #[test]
    fn what_is_not_owned_is_left_out_and_its_outcome_is_put_back_in_its_place() {
        let batch = appends(MIXED);
        let part = batch.owned_part(owns);
        let ids: Vec<_> = part.batch().appends.iter().map(|append| append.entity.id()).collect();
        assert_eq!(ids, ["1", "2", "5"]);
        let appended = |nr| AppendOutcome::Appended { last: Position::new(nr) };
        let none = AppendOutcome::NotOwned;
        let outcomes = part.append_outcomes(vec![appended(1), appended(2), appended(3)]);
        let expected = [none, appended(1), appended(2), none, none, appended(3), none];
        assert_eq!(outcomes, expected);

        let batch = states(MIXED);
        let part = batch.owned_part(owns);
        let ids: Vec<_> = part.batch().writes.iter().map(|write| write.entity.id()).collect();
        assert_eq!(ids, ["1", "2", "5"]);
        let (written, none) = (StateOutcome::Written, StateOutcome::NotOwned);
        let expected = [none, written, written, none, none, written, none];
        assert_eq!(part.state_outcomes(vec![written; 3]), expected);
    }

    #[test]
    fn a_batch_that_is_owned_is_not_copied_and_one_that_is_not_is_empty() {
        for all in [&[][..], &[(None, 1)], &[(Some(""), 2), (Some("x"), 1)]] {
            let batch = appends(all);
            let part = batch.owned_part(owns);
            assert!(std::ptr::eq(part.batch(), &batch));
            let outcomes = vec![AppendOutcome::Appended { last: Position::new(1) }; all.len()];
            assert_eq!(part.append_outcomes(outcomes.clone()), outcomes);
        }
        let batch = appends(&[(Some(""), 1), (Some("y"), 2)]);
        let part = batch.owned_part(owns);
        assert!(part.batch().appends.is_empty());
        assert_eq!(part.append_outcomes(Vec::new()), [AppendOutcome::NotOwned; 2]);
    }

    #[test]
    fn owners_matter_only_where_a_role_is_named() {
        for (all, names) in [(&[(None, 1)][..], false), (&[(None, 1), (Some(""), 1)], true)] {
            assert_eq!(appends(all).names_roles(), names);
            assert_eq!(states(all).names_roles(), names);
        }
    }
}
