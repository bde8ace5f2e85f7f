use super::{given_journal::GivenJournal, projected::Projected, projecting::Projecting};
use crate::behaviour::stored;
use actum_model::{Entity, EntityId, EntityKey, Metadata, Payload, Timestamp};
use actum_persistence::{serializer::Serializer, store::NewEvent};
use actum_projection::ProjectionRegistration;
use std::{borrow::Cow, fmt::Debug};

/// Arranges a journal for a test of what a projection makes of it.
///
/// # Examples
/// ```
/// # mod actum { pub use actum_model::*; pub use actum_persistence::codec::Json; pub use actum_projection::*; pub use actum_store_memory::*; }
/// use actum::{HandlerError, MemoryTarget, Project, ProjectCtx, Projection, Projector, Recorded};
/// use actum_testkit::GivenEvents;
/// # use actum::{Ctx, Effect, Entity, EventSourced, Handle};
/// # struct Account;
/// # impl Entity for Account {
/// #     const KIND: &'static str = "account";
/// #     type Id = String;
/// #     type Env = ();
/// #     type Event = u64;
/// #     type Commands = (u64,);
/// #     fn initial(_: &String) -> Self { Account }
/// # }
/// # impl EventSourced for Account {
/// #     fn apply(&mut self, _: &u64) {}
/// # }
/// # impl Handle<u64> for Account {
/// #     type Reply = ();
/// #     type Rejection = std::convert::Infallible;
/// #     fn handle(&self, amount: u64, _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Self::Rejection> {
/// #         Ok(Effect::persist(amount).reply(()))
/// #     }
/// # }
///
/// /// Keeps the sum of all deposits of an account.
/// #[derive(Clone)]
/// struct Sums;
///
/// impl Projector for Sums {
///     type Target = MemoryTarget; // or `SqliteTarget`, `PostgresTarget`, `AtLeastOnce`
/// #   async fn clear(&mut self, ctx: &mut ProjectCtx<'_, MemoryTarget>) -> Result<(), HandlerError> {
/// #       let keys: Vec<_> = ctx.tx().iter("").map(|(key, _)| key.to_owned()).collect();
/// #       for key in keys { ctx.tx().remove(&key); }
/// #       Ok(())
/// #   }
/// }
///
/// impl Project<Account> for Sums {
///     async fn project(
///         &mut self,
///         event: &Recorded<u64>,
///         ctx: &mut ProjectCtx<'_, MemoryTarget>,
///     ) -> Result<(), HandlerError> {
///         let sum = ctx.tx().get(event.entity.id()).map_or(0, |row| row[0]);
///         ctx.tx().insert(event.entity.id(), [sum + event.event as u8]);
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let target = MemoryTarget::new();
/// GivenEvents::new()
///     .of::<Account>("a", [20, 5])
///     .of::<Account>("b", [1])
///     .when_projected(Projection::exact("sums", target.clone(), Sums).from::<Account>())
///     .await
///     .then_rows(async || (target.row("a"), target.row("b")), (Some([25].into()), Some([1].into())))
///     .await;
/// # }
/// ```
/// # What it also checks
/// * Events survive their codec: encoded, decoded and encoded again they have the same bytes and the same `Debug` text.
/// * Rows are the same when everything is handled again: by an exact projection after [its rows were
///   removed](actum_projection::ProjectionRef::reset), by one that is at least once over what is there, as a crash can
///   bring any event again. [`handled_once`](Self::handled_once) turns it off.
#[derive(Debug)]
#[must_use = "nothing happens before `.when_projected(..)`"]
pub struct GivenEvents {
    events: Vec<(EntityKey, NewEvent)>,
    timestamp: Timestamp,
    metadata: Metadata,
    is_handled_again: bool,
}

impl GivenEvents {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        let (timestamp, metadata) = (Timestamp::from_micros(0), Metadata::new());
        Self { events: Vec::new(), timestamp, metadata, is_handled_again: true }
    }

    /// Events of an entity, behind all that were given before.
    ///
    /// # Panics
    /// When an event does not survive its codec, and when no entity can have the id.
    #[track_caller]
    pub fn of<E: Entity<Event: Debug>>(
        mut self,
        id: impl Into<E::Id>,
        events: impl IntoIterator<Item = E::Event>,
    ) -> Self {
        let id = id.into();
        match EntityKey::new(E::KIND, &*id.to_text()) {
            Ok(entity) => self.add(&entity, events),
            Err(error) => panic!("given {id:?}: {error}"),
        }
        self
    }

    /// Events of a stream, behind all that were given before.
    ///
    /// # Panics
    /// When an event does not survive its codec, and when no stream can have the kind or the id.
    #[track_caller]
    pub fn of_stream<E: Payload + Debug>(
        mut self,
        kind: impl Into<Cow<'static, str>>,
        id: impl Into<Box<str>>,
        events: impl IntoIterator<Item = E>,
    ) -> Self {
        match EntityKey::new(kind, id) {
            Ok(stream) => self.add(&stream, events),
            Err(error) => panic!("given a stream: {error}"),
        }
        self
    }

    #[track_caller]
    fn add<E: Payload + Debug>(&mut self, entity: &EntityKey, events: impl IntoIterator<Item = E>) {
        for event in events {
            let payload = match stored(&event) {
                Ok(payload) => payload,
                Err(why) => panic!("given {event:?}: the event does not survive its codec: {why}"),
            };
            let metadata = Serializer::default().encode_metadata(&self.metadata, None);
            let metadata = match metadata {
                Ok(metadata) => metadata,
                Err(error) => panic!("given {event:?}: {error}"),
            };
            let event = NewEvent { timestamp: self.timestamp, payload, metadata };
            self.events.push((entity.clone(), event));
        }
    }

    /// When the events to come happened; at the beginning of 1970 unless said.
    pub fn at(self, timestamp: impl Into<Timestamp>) -> Self {
        Self { timestamp: timestamp.into(), ..self }
    }

    /// What the events to come carry, such as what they were caused by; nothing unless said.
    pub fn with_metadata(self, metadata: Metadata) -> Self {
        Self { metadata, ..self }
    }

    /// The rows need not be the same when everything is handled again.
    pub fn handled_once(self) -> Self {
        Self { is_handled_again: false, ..self }
    }

    /// Has a projection handle what was given: as an engine would, over a journal in memory. It is over when everything is
    /// handled, or something was not at the first attempt.
    ///
    /// # Panics
    /// When the projection is not defined as it must be; outside of a tokio runtime.
    pub async fn when_projected(self, projection: impl Into<ProjectionRegistration>) -> Projected {
        let journal = GivenJournal::of(self.events).await;
        let projecting = Projecting::start(&journal, projection.into()).await;
        let outcome = projecting.finished().await;
        Projected::new(projecting, outcome, self.is_handled_again)
    }
}

impl Default for GivenEvents {
    fn default() -> Self {
        Self::new()
    }
}
