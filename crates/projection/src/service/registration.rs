use super::{
    at_least_once::AtLeastOnceWorkPlace,
    exact::{ExactWorkPlace, IsExact},
    publishing::PublishingWorkPlace,
    work::WorkPlace,
};
use crate::{
    definition::{Projection, ProjectionSettings},
    handler::{AtLeastOnce, Projector, Target},
    publisher::{Publisher, PublisherTarget, Publishing},
};
use actum_persistence::{progress::ProjectionId, settings_check::SettingsCheck};
use std::{fmt, sync::Arc};

/// What the names begin with under which progress is kept of durable subscriptions.
pub(crate) const SUBSCRIPTION_PREFIX: &str = "subscription:";

/// A projection without its types, as an engine takes it.
#[derive(Clone)]
pub struct ProjectionRegistration {
    pub(crate) name: String,
    /// The kinds whose events it handles, in order.
    pub(crate) sources: Vec<String>,
    /// Of which of them it handles the states instead.
    pub(crate) of_states: Vec<&'static str>,
    pub(crate) twice: Vec<&'static str>,
    pub(crate) settings: ProjectionSettings,
    pub(crate) work: Arc<dyn WorkPlace>,
}

impl ProjectionRegistration {
    /// Everything that is wrong with these projections, a sentence each; empty if they can run.
    #[must_use]
    pub fn problems(projections: &[Self]) -> Vec<String> {
        let mut check = SettingsCheck::new();
        for (nr, projection) in projections.iter().enumerate() {
            let Self { name, sources, of_states, twice, settings, .. } = projection;
            let mut own = SettingsCheck::new();
            settings.check(&mut own);
            check.extend(
                own.into_problems()
                    .into_iter()
                    .map(|problem| format!("projection `{name}`: {problem}")),
            );
            if name.starts_with(SUBSCRIPTION_PREFIX) {
                check.problem(format!(
                    "the projection `{name}` has a name that begins with `{SUBSCRIPTION_PREFIX}`, as only subscriptions do"
                ));
            }
            if let Err(error) = ProjectionId::new(name, settings.version) {
                check.problem(error.to_string());
            }
            if sources.is_empty() {
                check.problem(format!(
                    "projection `{name}` has no source: call `.from::<Entity>()`"
                ));
            }
            if !of_states.is_empty() && of_states.len() < sources.len() {
                check.problem(format!(
                    "projection `{name}` has sources of events and of states, whose positions cannot be compared: make two of it"
                ));
            }
            check.extend(
                twice
                    .iter()
                    .map(|kind| format!("projection `{name}` names the kind `{kind}` twice")),
            );
            let same =
                |other: &Self| other.name == *name && other.settings.version == settings.version;
            if projections[..nr].iter().any(same) {
                check.problem(format!(
                    "two projections have the name `{name}` and the version {}",
                    settings.version
                ));
            }
        }
        check.into_problems()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its rows and its progress are committed together.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.work.is_exact()
    }

    /// Its name and version; none if it has a [problem](Self::problems) with its name.
    #[must_use]
    pub fn id(&self) -> Option<ProjectionId> {
        ProjectionId::new(&self.name, self.settings.version).ok()
    }

    /// Whether it handles the changes of durable states instead of events: then it needs no event to be kept.
    #[must_use]
    pub fn reads_states(&self) -> bool {
        !self.of_states.is_empty()
    }

    /// The kinds whose events, or states, it handles, in order.
    #[must_use]
    pub fn sources(&self) -> &[String] {
        &self.sources
    }
}

/// How a projection runs, by where it writes.
#[doc(hidden)]
pub trait RunsOn<P: Projector>: Target {
    /// What makes its workers.
    fn register(projection: Projection<P>) -> ProjectionRegistration;
}

impl<P: Projector<Target = AtLeastOnce>> RunsOn<P> for AtLeastOnce {
    fn register(projection: Projection<P>) -> ProjectionRegistration {
        let Projection { name, projector, sources, of_states, twice, settings, .. } = projection;
        let (projector, sources) = (Arc::new(projector), Arc::new(sources));
        let kinds = sources.keys().map(|kind| (*kind).to_owned()).collect();
        let work = Arc::new(AtLeastOnceWorkPlace { projector, sources });
        ProjectionRegistration { name, sources: kinds, of_states, twice, settings, work }
    }
}

impl<P: Publisher> RunsOn<Publishing<P>> for PublisherTarget {
    fn register(projection: Projection<Publishing<P>>) -> ProjectionRegistration {
        let Projection { name, projector, sources, of_states, twice, settings, .. } = projection;
        let (projector, sources) = (Arc::new(projector), Arc::new(sources));
        let kinds = sources.keys().map(|kind| (*kind).to_owned()).collect();
        let work = Arc::new(PublishingWorkPlace { projector, sources });
        ProjectionRegistration { name, sources: kinds, of_states, twice, settings, work }
    }
}

impl<P: Projector<Target = T>, T: IsExact> RunsOn<P> for T {
    fn register(projection: Projection<P>) -> ProjectionRegistration {
        let Projection { name, target, projector, sources, of_states, twice, settings } =
            projection;
        let (projector, sources) = (Arc::new(projector), Arc::new(sources));
        let kinds = sources.keys().map(|kind| (*kind).to_owned()).collect();
        let work = Arc::new(ExactWorkPlace { target, projector, sources });
        ProjectionRegistration { name, sources: kinds, of_states, twice, settings, work }
    }
}

impl<P: Projector<Target: RunsOn<P>>> From<Projection<P>> for ProjectionRegistration {
    fn from(projection: Projection<P>) -> Self {
        <P::Target as RunsOn<P>>::register(projection)
    }
}

impl fmt::Debug for ProjectionRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, sources) = (&self.name, &self.sources);
        f.debug_struct("ProjectionRegistration")
            .field("name", name)
            .field("sources", sources)
            .finish_non_exhaustive()
    }
}
