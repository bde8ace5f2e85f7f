use super::{
    at_least_once::AtLeastOnceWorkPlace,
    exact::{ExactWorkPlace, IsExact},
    publishing::PublishingWorkPlace,
    work::WorkPlace,
};
use crate::{
    definition::{Projection, ProjectionSettings, SourceKind, SourceModel},
    handler::{AtLeastOnce, Projector, Target},
    publisher::{Publisher, PublisherTarget, Publishing},
};
use actum_model::check_kind;
use actum_persistence::{
    progress::{ProjectionId, SOURCE_OF_STATES, SOURCE_OF_STREAMS},
    settings_check::SettingsCheck,
};
use std::{fmt, sync::Arc};

/// What the names begin with under which progress is kept of durable subscriptions.
pub(crate) const SUBSCRIPTION_PREFIX: &str = "subscription:";

/// A projection without its types, as an engine takes it.
#[derive(Clone)]
pub struct ProjectionRegistration {
    pub(crate) name: String,
    /// Whose events it handles, as that is kept: in order.
    pub(crate) sources: Vec<String>,
    /// The kinds of its sources, as they were named.
    pub(crate) kinds: Vec<SourceKind>,
    pub(crate) settings: ProjectionSettings,
    pub(crate) work: Arc<dyn WorkPlace>,
}

impl ProjectionRegistration {
    /// Everything that is wrong with these projections, a sentence each; empty if they can run.
    #[must_use]
    pub fn problems(projections: &[Self]) -> Vec<String> {
        let mut check = SettingsCheck::new();
        for (nr, projection) in projections.iter().enumerate() {
            let Self { name, settings, .. } = projection;
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
            check.extend(projection.problems_of_sources());
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

    /// What is wrong with its sources.
    fn problems_of_sources(&self) -> Vec<String> {
        let (name, kinds, mut problems) = (&self.name, &self.kinds, Vec::new());
        if kinds.is_empty() {
            problems.push(format!("projection `{name}` has no source: call `.from::<Entity>()`"));
        }
        if self.reads_states() && kinds.iter().any(|source| source.of != SourceModel::States) {
            problems.push(format!(
                "projection `{name}` has sources of events and of states, whose positions cannot be compared: make two of it"
            ));
        }
        for (nr, SourceKind { kind, of }) in kinds.iter().enumerate() {
            if let Err(error) = check_kind(kind) {
                problems.push(format!("projection `{name}`: {error}"));
            }
            if SourceKind::is_ambiguous(kind) {
                problems.push(format!(
                    "projection `{name}` has the source `{kind}`: no kind of a source may begin with `{SOURCE_OF_STATES}` or `{SOURCE_OF_STREAMS}`"
                ));
            }
            match kinds[..nr].iter().find(|other| other.kind == *kind) {
                Some(other) if other.of == *of => {
                    problems.push(format!("projection `{name}` names the kind `{kind}` twice"));
                }
                Some(other) => problems.push(format!(
                    "projection `{name}` has the kind `{kind}` as one of {} and as one of {of}: it can be one of the two",
                    other.of
                )),
                None => {}
            }
        }
        problems
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
        self.kinds.iter().any(|source| source.of == SourceModel::States)
    }

    /// The kinds of streams whose events it handles.
    pub fn stream_kinds(&self) -> impl Iterator<Item = &str> {
        let of_streams = |source: &&SourceKind| source.of == SourceModel::Streams;
        self.kinds.iter().filter(of_streams).map(|source| &*source.kind)
    }
}

impl ProjectionRegistration {
    fn new(
        name: String,
        kinds: Vec<SourceKind>,
        settings: ProjectionSettings,
        work: Arc<dyn WorkPlace>,
    ) -> Self {
        let mut sources: Vec<_> = kinds.iter().map(SourceKind::kept).collect();
        sources.sort_unstable();
        Self { name, sources, kinds, settings, work }
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
        let Projection { name, projector, sources, kinds, settings, .. } = projection;
        let (projector, sources) = (Arc::new(projector), Arc::new(sources));
        let work = Arc::new(AtLeastOnceWorkPlace { projector, sources });
        ProjectionRegistration::new(name, kinds, settings, work)
    }
}

impl<P: Publisher> RunsOn<Publishing<P>> for PublisherTarget {
    fn register(projection: Projection<Publishing<P>>) -> ProjectionRegistration {
        let Projection { name, projector, sources, kinds, settings, .. } = projection;
        let (projector, sources) = (Arc::new(projector), Arc::new(sources));
        let work = Arc::new(PublishingWorkPlace { projector, sources });
        ProjectionRegistration::new(name, kinds, settings, work)
    }
}

impl<P: Projector<Target = T>, T: IsExact> RunsOn<P> for T {
    fn register(projection: Projection<P>) -> ProjectionRegistration {
        let Projection { name, target, projector, sources, kinds, settings } = projection;
        let (projector, sources) = (Arc::new(projector), Arc::new(sources));
        let work = Arc::new(ExactWorkPlace { target, projector, sources });
        ProjectionRegistration::new(name, kinds, settings, work)
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
