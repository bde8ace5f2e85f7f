use crate::Engine;
use actum_model::{DurableState, EventSourced};
use actum_persistence::store::Stores;
use actum_runtime::{
    Registration, Runtime, StartError,
    settings::{EntitySettings, RuntimeSettings},
};

/// Says what an engine consists of; [`EngineBuilder::start`] checks all of it at once.
#[derive(Debug)]
#[must_use = "an engine runs once it is started"]
pub struct EngineBuilder {
    name: String,
    stores: Option<Stores>,
    registrations: Vec<Registration>,
    settings: RuntimeSettings,
}

impl EngineBuilder {
    pub(crate) fn new(name: String) -> Self {
        Self { name, stores: None, registrations: Vec::new(), settings: RuntimeSettings::default() }
    }

    /// Keeps everything in this store, or in these [`Stores`].
    pub fn store(mut self, store: impl Into<Stores>) -> Self {
        self.stores = Some(store.into());
        self
    }

    /// Runs `E` as event-sourced entities, with this environment for their handlers and default settings.
    pub fn entity<E: EventSourced>(self, env: E::Env) -> Self {
        self.entity_with::<E>(env, EntitySettings::default())
    }

    /// Runs `E` as event-sourced entities.
    pub fn entity_with<E: EventSourced>(
        mut self,
        env: E::Env,
        settings: EntitySettings<E>,
    ) -> Self {
        self.registrations.push(Registration::event_sourced::<E>(env, settings));
        self
    }

    /// Runs `E` as durable-state entities, with this environment for their handlers and default settings.
    pub fn durable_state<E: DurableState>(self, env: E::Env) -> Self {
        self.durable_state_with::<E>(env, EntitySettings::default())
    }

    /// Runs `E` as durable-state entities.
    pub fn durable_state_with<E: DurableState>(
        mut self,
        env: E::Env,
        settings: EntitySettings<E>,
    ) -> Self {
        self.registrations.push(Registration::durable_state::<E>(env, settings));
        self
    }

    /// Replaces the settings of the engine as a whole.
    pub fn settings(mut self, settings: RuntimeSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Starts the engine on the tokio runtime of the caller.
    ///
    /// # Errors
    /// [`StartError::Invalid`] lists everything that is wrong with the settings; [`StartError::Held`] says that another
    /// engine that is alive writes to the same journal; [`StartError::OtherModel`] that the journal holds a kind in another
    /// model than it is registered with; [`StartError::Store`] that the store failed; [`StartError::Partitions`] that the
    /// system has no thread to give.
    ///
    /// # Cancel safety
    /// Dropping the future gives up: whatever has been started by then ends, and the writer slot is given back, both in a
    /// task of its own.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(self) -> Result<Engine, StartError> {
        let Self { name, stores, registrations, settings } = self;
        Ok(Engine::new(Runtime::start(name, stores, registrations, settings).await?))
    }
}
