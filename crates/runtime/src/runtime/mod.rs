//! An engine's runtime: started over stores, it gives out references to entities until it is shut down.

mod claim;
mod engine_parts;
mod engine_tasks;
mod holder;
#[cfg(test)]
mod idle;
mod kinds;
mod membership;
mod model_check;
mod partitions;
mod shutdown;
mod standby;
mod start;
mod start_error;

pub use membership::{BegunMembership, Join, Membership};
pub use partitions::{PartitionTerm, Partitions};
pub use shutdown::ShutdownReport;
pub use start_error::StartError;

use crate::{
    ask::{EntityRef, KindRef},
    health::{Facts, Health},
    journal_readers::JournalReaders,
    partition::PartitionState,
    registration::Registration,
    settings::RuntimeSettings,
    streams::StreamWriter,
    supervisor::SupervisorMessage,
};
use actum_model::{Entity, EntityId, EntityKey, InvalidKey};
use actum_persistence::{
    commits::Commits,
    store::{Incarnation, StoreError, Stores},
};
use engine_parts::EngineParts;
use kinds::Kinds;
use ractor::ActorRef;
use shutdown::Ending;
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Runs the entities of one engine in this process. Cheap to clone; all clones are one runtime.
///
/// Dropping the last clone without [`Runtime::shutdown`] is a crash as far as entities are concerned: what is
/// acknowledged is durable, what is under way may be lost.
#[derive(Clone)]
pub struct Runtime {
    inner: Arc<RunningEngine>,
}

struct RunningEngine {
    name: String,
    kinds: Kinds,
    parts: Arc<EngineParts>,
    supervisor: ActorRef<SupervisorMessage>,
    commits: Commits,
    readers: JournalReaders,
    ending: tokio::sync::Mutex<Ending>,
}

/// What an engine holds in memory at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Entities.
    pub entities: usize,
    /// Commands, and appends to streams, that wait for an answer.
    pub commands: usize,
    /// Handlers that were named as slow since the start.
    pub slow_handlers: usize,
    /// Bytes that remembered command ids take.
    pub command_ids_bytes: usize,
    /// Command ids that were forgotten before their `age_min` since the start, see
    /// [`CommandWindow`](crate::settings::CommandWindow).
    pub command_ids_forgotten_early: usize,
}

impl Runtime {
    /// Starts the runtime over `stores`, on the tokio runtime of the caller. Its `name` has 1 to 255 bytes. Without stores
    /// it does not start; `None` is listed among everything else that is wrong.
    ///
    /// While another engine holds the journal it waits as the settings say, see [`JournalWait`](crate::settings::JournalWait):
    /// it takes over from one that releases the journal or is dead, and is refused by one that is alive.
    ///
    /// # Errors
    /// [`StartError::Invalid`] lists everything that is wrong with settings and registrations; [`StartError::Held`] says
    /// that another engine writes to the journal; [`StartError::OtherModel`] that the journal holds a kind in another model
    /// than it is registered with; [`StartError::Store`] that the store failed; [`StartError::Partitions`] that the system
    /// has no thread to give.
    ///
    /// # Cancel safety
    /// Dropping the future gives up: whatever has been started by then ends, and the writer slot is given back, both in a
    /// task of its own.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(
        name: impl Into<String>,
        stores: Option<Stores>,
        registrations: Vec<Registration>,
        settings: RuntimeSettings,
    ) -> Result<Self, StartError> {
        Self::start_unless(Vec::new(), name, stores, registrations, settings, None).await
    }

    /// As [`start`](Self::start), unless there are `problems` with what runs beside it: they are listed with all others. The node
    /// of a cluster `join`s in place of claiming the journal.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    #[doc(hidden)]
    pub async fn start_unless(
        problems: Vec<String>,
        name: impl Into<String>,
        stores: Option<Stores>,
        registrations: Vec<Registration>,
        settings: RuntimeSettings,
        join: Option<Join>,
    ) -> Result<Self, StartError> {
        start::start(problems, name.into(), stores, registrations, settings, join).await
    }

    /// Addresses an entity by its id. The entity need not exist: its first command activates it.
    ///
    /// An id that can name no entity, or a kind the engine was not built with, gives a reference through which every ask
    /// ends in [`AskError::Invalid`](actum_host::AskError::Invalid).
    pub fn entity<E: Entity>(&self, id: impl Into<E::Id>) -> EntityRef<E> {
        match self.find::<E>(&id.into()) {
            Ok(entity) => entity,
            Err(what) => EntityRef::nowhere(&what),
        }
    }

    /// What appends to a stream: a kind and an id that no entity of the engine has. The stream need not exist.
    ///
    /// For a key that is not valid, or of a kind that the engine runs as entities, every append ends in
    /// [`AppendError::Invalid`](crate::AppendError::Invalid).
    #[must_use]
    pub fn stream_writer(&self, stream: Result<EntityKey, InvalidKey>) -> StreamWriter {
        let RunningEngine { parts, kinds, .. } = &*self.inner;
        let stream = stream.map_err(|error| error.to_string()).and_then(|stream| {
            match kinds.of_name(stream.kind()) {
                None => Ok(stream),
                Some(kind) => Err(format!(
                    "`{}` is a kind of entity that this engine runs: only its entities append events of it, send them \
                     commands",
                    kind.name()
                )),
            }
        });
        let (entrance, turns) = (Arc::clone(&parts.streams), Arc::clone(&parts.stream_turns));
        StreamWriter::new(stream.map_err(Arc::from), entrance, turns)
    }

    /// The kind of this name, for what brings commands as bytes; `None` when the engine was not built with it.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<KindRef> {
        self.inner.kinds.of_name(name).cloned()
    }

    /// What the runtime holds in memory at the moment.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let load = &self.inner.parts.load;
        Usage {
            entities: load.entities(),
            commands: load.commands(),
            slow_handlers: load.slow_handlers(),
            command_ids_bytes: load.ids().bytes(),
            command_ids_forgotten_early: load.ids().forgotten_early(),
        }
    }

    /// Which life of a writer this runtime is.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.inner.parts.incarnation.get()
    }

    /// Where everything is kept: for those who read beside the entities.
    #[must_use]
    pub fn stores(&self) -> &Stores {
        &self.inner.parts.stores
    }

    /// What the engine's own writers commit, from its start on: for those who read the journal beside it.
    #[must_use]
    pub fn commits(&self) -> &Commits {
        &self.inner.commits
    }

    /// Those who read the journal beside the engine. Who [enters](JournalReaders::enter) is asked to end when everything
    /// is written, before the stores are closed.
    #[must_use]
    pub fn readers(&self) -> &JournalReaders {
        &self.inner.readers
    }

    /// Whether another writer has taken over the journal, so that this runtime serves nothing any more.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.inner.parts.gate.is_over()
    }

    /// Waits until another writer has taken over the journal; as a rule for ever. Any number of callers may wait.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn fenced(&self) {
        self.inner.parts.gate.over().await;
    }

    /// How the runtime is at the moment. It does no I/O and waits for no one.
    #[must_use]
    pub fn health(&self) -> Health {
        let EngineParts { gate, term, partitions, settings, clock, .. } = &*self.inner.parts;
        let record = gate.health();
        let facts = Facts {
            fenced: gate.is_over(),
            failed: gate.failed(),
            shut_down: record.is_shut_down(),
            held_for: term.left(),
            renewals: record.renewals.failing(),
            writes: record.writes.failing(),
            partitions: usize::from(partitions.count().get()) - gate.count(PartitionState::Closed),
            restarting: gate.count(PartitionState::Restarting),
            stuck: gate.stuck(settings.slow_handler_after, clock.now()),
        };
        facts.into_health()
    }

    /// Opens and closes partitions, for what decides which of them run here; see [`Partitions`].
    #[must_use]
    pub fn partitions(&self) -> Partitions {
        Partitions::of(self)
    }

    /// What lets the engine of a cluster's node know of its membership; see [`Membership`].
    #[must_use]
    pub fn membership(&self) -> Membership {
        Membership::of(self)
    }

    /// Waits until the store is lost, for example because its files were removed, and says what has happened; as a rule it
    /// waits for ever. The runtime then serves nothing any more: shut it down.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn lost(&self) -> StoreError {
        self.inner.parts.gate.lost().await
    }

    /// Shuts down gracefully: refuses new commands, answers those that were taken, writes everything, releases the
    /// journal and closes the stores. What could not be finished within the shutdown timeout is in the report. It takes a
    /// few seconds more at most, whatever stores do. A second call waits for the first and gets the same report.
    ///
    /// # Cancel safety
    /// Dropping the future stops nothing: the shutdown goes on in a task of its own. Another call waits for it.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn shutdown(&self) -> ShutdownReport {
        let deadline = Instant::now() + self.inner.parts.settings.shutdown_timeout;
        self.shutdown_by(deadline).await
    }

    /// As [`shutdown`](Self::shutdown), with this deadline in place of the shutdown timeout: for what ends parts of the engine
    /// before within one budget.
    ///
    /// # Cancel safety
    /// As of [`shutdown`](Self::shutdown).
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn shutdown_by(&self, deadline: Instant) -> ShutdownReport {
        shutdown::shutdown(&self.inner, deadline).await
    }

    /// What [`shutdown`](Self::shutdown) waits for at most, beside its grace periods.
    #[must_use]
    pub fn shutdown_timeout(&self) -> Duration {
        self.inner.parts.settings.shutdown_timeout
    }

    fn find<E: Entity>(&self, id: &E::Id) -> Result<EntityRef<E>, String> {
        let unregistered =
            || format!("the engine `{}` runs no entity of kind `{}`", self.inner.name, E::KIND);
        let entrance = self.inner.kinds.of_type::<E>().ok_or_else(unregistered)?;
        let key = EntityKey::new(E::KIND, &*id.to_text()).map_err(|error| error.to_string())?;
        E::Id::from_text(key.id()).map_err(|error| error.to_string())?;
        Ok(EntityRef::new(key, Arc::clone(entrance)))
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("name", &self.inner.name)
            .field("incarnation", &self.inner.parts.incarnation.get())
            .finish_non_exhaustive()
    }
}
