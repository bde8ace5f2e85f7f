use super::super::StoreError;
use super::{PROJECTIONS_AT_ONCE_MAX, ProjectionId, RunnerRow};
use std::{collections::HashSet, sync::Arc};

/// Asks for a renewal of a runner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunnerRenewal {
    /// The projection.
    pub projection: ProjectionId,
    /// The runner, which is entered if it is not there.
    pub runner: Arc<str>,
    /// Runners whose rows go, if they have not renewed since.
    pub dead: Vec<RunnerRow>,
}

impl RunnerRenewal {
    /// A renewal that removes no one.
    #[must_use]
    pub fn new(projection: ProjectionId, runner: impl Into<Arc<str>>) -> Self {
        Self { projection, runner: runner.into(), dead: Vec::new() }
    }

    /// Checks what [`renew_and_load`](super::ProgressStore::renew_and_load) is asked.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for more than [`PROJECTIONS_AT_ONCE_MAX`] renewals, and when they name a runner of a
    /// projection twice.
    pub fn check(renewals: &[Self]) -> Result<(), StoreError> {
        check_count(renewals.len())?;
        let mut named = HashSet::with_capacity(renewals.len());
        match renewals.iter().find(|renewal| !named.insert(renewal.key())) {
            Some(twice) => Err(StoreError::invalid(format!(
                "the runner `{}` of {} would renew twice at once",
                twice.runner, twice.projection
            ))),
            None => Ok(()),
        }
    }

    /// The rows that go, without those of runners that renew in the same call.
    pub fn dead(renewals: &[Self]) -> impl Iterator<Item = (&ProjectionId, &RunnerRow)> {
        let renewed: HashSet<_> = renewals.iter().map(Self::key).collect();
        let all = renewals
            .iter()
            .flat_map(|renewal| renewal.dead.iter().map(move |row| (&renewal.projection, row)));
        all.filter(move |(projection, row)| !renewed.contains(&(*projection, &*row.name)))
    }

    fn key(&self) -> (&ProjectionId, &str) {
        (&self.projection, &self.runner)
    }
}

/// Checks how many projections a store is asked for at once.
///
/// # Errors
/// [`StoreError::Invalid`] for more than [`PROJECTIONS_AT_ONCE_MAX`].
pub fn check_count(projections: usize) -> Result<(), StoreError> {
    if projections > PROJECTIONS_AT_ONCE_MAX {
        return Err(StoreError::invalid(format!(
            "{projections} projections are asked for at once, at most {PROJECTIONS_AT_ONCE_MAX} may be"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    fn id(version: u32) -> ProjectionId {
        ProjectionId::new("balances", NonZeroU32::new(version).unwrap()).unwrap()
    }

    #[test]
    fn as_many_as_may_be_are_asked_for_at_once_and_no_more() {
        let renewals = |count: usize| -> Vec<_> {
            (1..=count).map(|nr| RunnerRenewal::new(id(u32::try_from(nr).unwrap()), "a")).collect()
        };
        assert!(RunnerRenewal::check(&renewals(PROJECTIONS_AT_ONCE_MAX)).is_ok());
        let refused = RunnerRenewal::check(&renewals(PROJECTIONS_AT_ONCE_MAX + 1)).unwrap_err();
        assert!(matches!(refused, StoreError::Invalid { .. }), "{refused}");
        assert!(refused.to_string().contains("101 projections"), "{refused}");
    }

    #[test]
    fn a_runner_renews_a_projection_once_in_a_call() {
        let of = |pairs: &[(u32, &str)]| -> Vec<_> {
            pairs
                .iter()
                .map(|(version, runner)| RunnerRenewal::new(id(*version), *runner))
                .collect()
        };
        assert!(RunnerRenewal::check(&of(&[(1, "a"), (2, "a"), (1, "b")])).is_ok());
        let refused = RunnerRenewal::check(&of(&[(1, "a"), (2, "a"), (1, "a")])).unwrap_err();
        assert!(matches!(refused, StoreError::Invalid { .. }), "{refused}");
    }

    #[test]
    fn who_renews_in_the_same_call_is_not_dead() {
        let dead = vec![RunnerRow::new("b", 1), RunnerRow::new("c", 2)];
        let one = RunnerRenewal { dead: dead.clone(), ..RunnerRenewal::new(id(1), "a") };
        let other = RunnerRenewal { dead, ..RunnerRenewal::new(id(2), "a") };
        let renewals = [one, other, RunnerRenewal::new(id(1), "b")];
        let gone: Vec<_> = RunnerRenewal::dead(&renewals)
            .map(|(projection, row)| (projection.version().get(), &*row.name))
            .collect();
        assert_eq!(gone, [(1, "c"), (2, "b"), (2, "c")]);
    }
}
