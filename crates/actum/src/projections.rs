use actum_model::Offset;
use actum_persistence::{
    progress::{ProjectionId, RUNNER_BYTES_MAX},
    store::{Incarnation, StoreError, Stores},
};
use actum_projection::{
    JournalPlace, JournalPlaces, ProjectionRegistration, ProjectionService, ReadShare, Registry,
    ServiceParts,
};
use actum_runtime::{JournalReader, JournalReaders, Runtime};
use async_trait::async_trait;
use std::sync::Arc;

/// Projections, each with its place among the readers of the journal.
pub(crate) type Places = Vec<(ProjectionRegistration, Arc<dyn JournalPlace>)>;

/// Enters projections among the readers of a journal, of which they have read nothing yet as far as is known.
pub(crate) fn enter(
    projections: Vec<ProjectionRegistration>,
    stores: Option<&Stores>,
    readers: &JournalReaders,
) -> Places {
    let Some(stores) = stores else { return Vec::new() };
    let beginning = Offset::beginning(stores.events.layout().lanes);
    let enter = |projection: ProjectionRegistration| {
        let place = if projection.reads_states() {
            readers.enter(projection.name())
        } else {
            readers.enter_at(projection.name(), beginning.clone())
        }?;
        Some((projection, Arc::new(Place(place)) as _))
    };
    projections.into_iter().filter_map(enter).collect()
}

/// Holds back all events, until it is known what is kept of those who read the journal.
pub(crate) fn enter_kept(
    stores: Option<&Stores>,
    readers: &JournalReaders,
) -> Option<Arc<dyn JournalPlace>> {
    let beginning = Offset::beginning(stores?.events.layout().lanes);
    let place = readers.enter_at("readers that are kept", beginning)?;
    Some(Arc::new(Place(place)))
}

/// Watches over what is kept of those who read the journal, beside those that the engine runs itself.
pub(crate) fn watch(
    runtime: &Runtime,
    runner: &Arc<str>,
    own: Vec<ProjectionId>,
    first: Option<Arc<dyn JournalPlace>>,
) -> Registry {
    let stores = runtime.stores();
    let (events, progress) = (Arc::clone(&stores.events), Arc::clone(&stores.progress));
    let registry = Registry::new(events, progress, Arc::clone(runner));
    // it ends with the readers, and the engine waits for that
    tokio::spawn(registry.clone().watch(own, places(runtime), first));
    registry
}

/// The name of all that reads the journal in an engine. A later life of the same takes over from it at once: the nodes of a
/// cluster are not lives of one another.
pub(crate) fn runner(engine: &str, node: Option<String>, incarnation: Incarnation) -> Arc<str> {
    let life = match node {
        Some(node) => format!("/{node}@{incarnation}"),
        None => format!("@{incarnation}"),
    };
    let engine = &engine[..engine.floor_char_boundary(RUNNER_BYTES_MAX - life.len())];
    format!("{engine}{life}").into()
}

/// Runs projections beside an engine.
pub(crate) async fn start(
    runtime: &Runtime,
    runner: &Arc<str>,
    places: Places,
    share: ReadShare,
) -> Result<ProjectionService, StoreError> {
    let stores = runtime.stores();
    let parts = ServiceParts {
        runner: Arc::clone(runner),
        events: Arc::clone(&stores.events),
        states: Arc::clone(&stores.states),
        progress: Arc::clone(&stores.progress),
        commits: Some(runtime.commits().clone()),
        share,
    };
    ProjectionService::start(parts, places).await
}

/// Places for those who begin to read later, of an engine that runs.
pub(crate) fn places(runtime: &Runtime) -> Arc<dyn JournalPlaces> {
    later_places(runtime.stores(), runtime.readers())
}

/// Places for those who begin to read later.
pub(crate) fn later_places(stores: &Stores, readers: &JournalReaders) -> Arc<dyn JournalPlaces> {
    let beginning = Offset::beginning(stores.events.layout().lanes);
    Arc::new(LaterPlaces { readers: readers.clone(), beginning })
}

struct LaterPlaces {
    readers: JournalReaders,
    beginning: Offset,
}

impl JournalPlaces for LaterPlaces {
    fn enter(&self, name: &str, needs_events: bool) -> Option<Arc<dyn JournalPlace>> {
        let place = if needs_events {
            self.readers.enter_at(name, self.beginning.clone())
        } else {
            self.readers.enter(name)
        };
        Some(Arc::new(Place(place?)))
    }
}

struct Place(JournalReader);

#[async_trait]
impl JournalPlace for Place {
    fn has_read(&self, offset: &Offset) {
        self.0.has_read(offset);
    }

    async fn ending(&self) {
        self.0.ending().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runner_is_a_life_of_an_engine_or_of_a_node() {
        let life = Incarnation::new(7);
        assert_eq!(&*runner("bank", None, life), "bank@7");
        assert_eq!(&*runner("bank", Some("a".to_owned()), life), "bank/a@7");
        let (long, node) = ("語".repeat(85), "n".repeat(64));
        let runner = runner(&long, Some(node.clone()), life);
        assert!(runner.len() <= RUNNER_BYTES_MAX && runner.ends_with(&format!("/{node}@7")));
    }
}
